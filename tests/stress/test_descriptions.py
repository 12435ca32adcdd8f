"""Mutated descriptions, in the small: see `tests.stress.descriptions` for the large form."""

from __future__ import annotations

import os

import pytest

from grokscape.landscape.errors import InvalidInput
from tests.stress import descriptions


@pytest.mark.skipif(os.name != "posix", reason="limits of time and memory are the system's")
def test_every_mutated_description_is_refused_by_name_or_planned_within_a_second() -> None:
    results = descriptions.run(200, seed=1)
    assert [
        (str(case)[:300], outcome) for case, outcome in results if outcome.what not in ("accepted", "refused")
    ] == []
    assert sum(outcome.what == "refused" for _, outcome in results) > 100
    assert sum(outcome.what == "accepted" for _, outcome in results) > 5


def test_what_is_not_mutated_is_planned() -> None:
    for data in descriptions.hosts():
        try:
            descriptions.plan(data)
        except InvalidInput as refusal:  # of data that are not on this machine, or models of such data
            assert any(part in str(refusal) for part in ("not here", "EdgeNetwork", "other data"))  # noqa: PT017
