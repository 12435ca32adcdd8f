"""Catches schedules that miss the first or last step, or leave longer gaps than they promise."""

from __future__ import annotations

import itertools

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.training.schedule import Schedule


@pytest.mark.parametrize("per_decade", [1, 7, 20, 60])
@pytest.mark.parametrize("every", [1, 10, 250, 10**9])
@pytest.mark.parametrize("last", [1, 2, 9, 10, 999, 1000, 12_345])
def test_steps_ascend_from_0_to_the_last_without_long_gaps(per_decade: int, every: int, last: int) -> None:
    steps = Schedule(per_decade=per_decade, every=every).steps(last)
    assert steps[0] == 0
    assert steps[-1] == last
    assert all(type(step) is int for step in steps)
    gaps = [b - a for a, b in itertools.pairwise(steps)]
    assert min(gaps) >= 1
    assert max(gaps) <= every
    # Log spacing: no step is more than one factor (and one rounding) beyond its predecessor.
    factor = 10 ** (1 / per_decade)
    assert all(b <= factor * (a + 0.5) + 1.5 for a, b in itertools.pairwise(steps) if a)


def test_powers_of_ten_and_multiples_are_recorded() -> None:
    steps = Schedule(per_decade=2, every=400).steps(1000)
    assert steps == [0, 1, 3, 10, 32, 100, 316, 400, 800, 1000]


def test_longer_runs_share_the_records_of_shorter_ones() -> None:
    """Members of one ensemble with different lengths are recorded together."""
    schedule = Schedule()
    assert set(schedule.steps(777)) - {777} <= set(schedule.steps(5000))


@pytest.mark.parametrize("field", ["per_decade", "every"])
def test_impossible_schedules_are_refused(field: str) -> None:
    with pytest.raises(InvalidInput, match=f"Schedule.{field} is 0, expected at least 1"):
        Schedule(**{field: 0})
