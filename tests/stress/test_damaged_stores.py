"""Catches commands that a damaged or hostile store breaks or leads astray; `damaged_stores` has the large form."""

from __future__ import annotations

import os

import pytest

from tests.stress import damaged_stores


@pytest.mark.skipif(os.name != "posix", reason="links, FIFOs and devices")
def test_damaged_stores_break_nothing_and_change_no_verdict() -> None:
    tally = damaged_stores.run(12, seed=0)
    assert tally.stores == 12
    assert sum(tally.damages.values()) >= 12
    assert tally.faults == {}, "\n\n".join(tally.examples)
