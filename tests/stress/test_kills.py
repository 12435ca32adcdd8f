"""Catches checks that lose, damage or change anything when they are killed as a whole; `kills` has the large form."""

from __future__ import annotations

import os

import pytest

from tests.stress import kills


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_killed_check_goes_on_as_if_nothing_had_happened() -> None:
    tally = kills.run(3, seed=1, most=3)
    assert tally["kills"] == 3
    assert tally["stores finished"] >= 1
    lost = ("lost records", "damaged records", "different records", "different verdicts", "set aside")
    assert {name: tally[name] for name in lost} == dict.fromkeys(lost, 0)
