"""Catches crossings that are reported too early (a spike), too late, or where there were none."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.landscape.fits.crossing import Crossing, first_crossing


def crossing(values: list[float], **how: float) -> Crossing:
    return first_crossing(10 * np.arange(len(values)), np.array(values, dtype=float), **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "records", "step"),
    [
        pytest.param([0, 0, 1, 1, 1, 0], 3, 20, id="first-of-three"),
        pytest.param([0, 1, 1, 0, 1, 1, 1], 3, 40, id="two-are-not-three"),
        pytest.param([1, 1, 1], 3, 0, id="from-the-start"),
        pytest.param([0, 0, 0, 1, 1], 3, 30, id="persists-to-the-end"),
        pytest.param([0, 0, 0, 0, 1], 3, 40, id="last-record-only"),
        pytest.param([0, 1, 0, 1, 0, 1, 1], 2, 50, id="two-asked-for"),
        pytest.param([0, 1, 0], 1, 10, id="one-asked-for"),
        pytest.param([1], 3, 0, id="single-record"),
    ],
)
def test_crossing_is_the_first_that_persists(values: list[float], records: int, step: float) -> None:
    assert crossing(values, above=0.5, records=records) == Crossing(step, False)
    assert crossing([-value for value in values], below=-0.5, records=records) == Crossing(step, False)


@pytest.mark.parametrize(
    "values", [[0, 0, 0], [1, 1, 0, 1, 1, 0], [0], [1, 1, 0], [float("nan")] * 4], ids=lambda v: str(v)
)
def test_what_never_crosses_is_censored_at_the_last_record(values: list[float]) -> None:
    assert crossing(values, above=0.5) == Crossing(10 * (len(values) - 1), True)


def test_equality_counts_and_nan_does_not() -> None:
    assert crossing([0, 0.5, 0.5, 0.5], above=0.5).step == 10
    assert crossing([1, 0.5, 0.5, 0.5], below=0.5).step == 10
    assert crossing([1, 1, float("nan"), 1, 1, 1], above=0.5).step == 30


@pytest.mark.parametrize(
    ("values", "levels"), [([1.0], {}), ([1.0], {"above": 0.0, "below": 1.0}), ([], {"above": 0.0})]
)
def test_unclear_questions_are_refused(values: list[float], levels: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="exactly one of above and below, and at least one record"):
        crossing(values, **levels)
