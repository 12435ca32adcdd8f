"""How far a threshold may move: closed forms, brute force, and what must not matter."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from grokscape.predictions.rules import (
    Below,
    Exceeds,
    Monotone,
    Precedes,
    Proportion,
    Sample,
    Spread,
    Within,
    holm,
    largest_rejected,
)
from grokscape.predictions.rules.moved import Threshold, ends, first_turn, outcome_turns, thresholds
from grokscape.predictions.rules.rule import LEVEL

TEN = np.array([2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7, 2.8, 2.9])


def turned(rule, values, field="threshold", *, bounded=False):
    sample = values if isinstance(values, Sample) else Sample.of(values)
    found = outcome_turns(rule, sample, LEVEL, bounded=bounded)
    return found[field, 1], found[field, -1]


def test_the_median_turns_at_the_order_statistics_of_its_interval() -> None:
    """Of ten values the second and the ninth: 95 % for the median."""
    up, down = turned(Exceeds(1.5), TEN)
    assert (up.place, up.share, up.into) == (2.1, pytest.approx(0.6 / 1.5), "undecided")
    assert down is None
    up, down = turned(Exceeds(3.5), TEN)
    assert up is None
    assert (down.place, down.share, down.into) == (2.8, pytest.approx(0.7 / 3.5), "undecided")
    up, down = turned(Exceeds(2.5), TEN)
    assert (up.place, up.into) == (2.8, "falsified")
    assert (down.place, down.into) == (2.1, "corroborated")


def test_the_mean_turns_at_students_interval() -> None:
    half = stats.t.ppf(0.975, 9) * TEN.std(ddof=1) / math.sqrt(10)
    up, _ = turned(Exceeds(2.0, centre="mean"), TEN)
    assert up.place == pytest.approx(2.45 - half)
    assert up.share == pytest.approx((0.45 - half) / 2)
    _, down = turned(Below(3.0, centre="mean"), TEN)
    assert down.place == pytest.approx(2.45 + half)
    assert down.share == pytest.approx((0.55 - half) / 3)


def test_each_end_of_a_window_moves_by_itself_relative_to_half_its_width() -> None:
    found = outcome_turns(Within(1.6, 3.1), Sample.of(TEN), LEVEL)
    assert found["low", -1] is None
    assert found["high", 1] is None
    assert (found["low", 1].place, found["low", 1].share) == (2.1, pytest.approx(0.5 / 0.75))
    assert (found["high", -1].place, found["high", -1].share) == (2.8, pytest.approx(0.3 / 0.75))
    assert found["high", -1].into == "undecided"


def test_sizes() -> None:
    def only(rule, **about):
        (found,) = thresholds(rule, **about)
        return found.value, pytest.approx(found.size), found.relative_to

    assert only(Exceeds(0.9)) == (0.9, 0.9, "itself")
    assert only(Exceeds(-0.3)) == (-0.3, 0.3, "itself")
    assert only(Exceeds(0.9), bounded=True) == (0.9, 0.1, "its distance to 1")
    assert only(Exceeds(0.3), bounded=True) == (0.3, 0.3, "itself")
    assert only(Below(0.9), bounded=True) == (0.9, 0.9, "itself")  # it goes on to 0
    assert only(Proportion(0.8)) == (0.8, 0.2, "its distance to 1")
    assert only(Proportion(0.25)) == (0.25, 0.25, "itself")
    assert only(Monotone("falling", 0.9)) == (0.9, 0.1, "its distance to 1")
    assert only(Precedes(5.0)) == (5.0, 5.0, "a factor")
    assert only(Spread(0.02)) == (0.02, 0.02, "a factor")
    assert [(t.field, t.size) for t in thresholds(Within(-1.0, 3.0))] == [("low", 2.0), ("high", 2.0)]
    assert thresholds(Exceeds(0.0)) == ()  # a sign has no scale
    assert thresholds(Exceeds(1.0), bounded=True) == (Threshold("threshold", 1.0, 1.0),)


@pytest.mark.parametrize("share", [-0.9, -0.2, 0.0, 0.2, 0.9])
@pytest.mark.parametrize(
    "threshold", [Threshold("x", -0.4, 0.4), Threshold("x", 0.9, 0.1), Threshold("x", 3.0, 3.0, "a factor")]
)
def test_a_move_and_its_share_agree(threshold: Threshold, share: float) -> None:
    assert threshold.share(threshold.moved(share)) == pytest.approx(share)


def test_a_factor_up_and_down_cancel() -> None:
    threshold = Threshold("factor", 3.0, 3.0, "a factor")
    assert threshold.moved(0.2) * threshold.moved(-0.2) == pytest.approx(9.0)
    assert threshold.share(0.0) == -math.inf


def _samples():
    rng = np.random.default_rng(3)
    levels = np.arange(6.0)
    for seeds in (8, 13):
        for noise in (0.5, 2.0):
            order = Sample.of(levels + rng.normal(0, noise, (seeds, 6)), levels=levels)
            yield Monotone("rising", 0.7), order, "least"
            yield Monotone("falling", 0.6), order, "least"
        early = rng.integers(50, 150, seeds).astype(float)
        late = early * np.exp(rng.normal(1.0, 0.4, seeds))
        censored = np.column_stack([np.zeros(seeds, bool), rng.random(seeds) < 0.3])
        times = Sample.of(np.column_stack([early, late]), censored)
        yield from ((Precedes(factor), times, "factor") for factor in (1.5, 2.5, 4.0))
        coin = Sample.of((rng.random(seeds) < 0.8).astype(float))
        yield from ((Proportion(share), coin, "threshold") for share in (0.25, 0.5, 0.8))
        normal = Sample.of(rng.normal(0, 1, seeds))
        yield from ((Spread(size), normal, "threshold") for size in (0.5, 0.8, 1.5))
        yield from ((rule, normal, "threshold") for rule in (Exceeds(0.4), Below(-0.3, "mean"), Exceeds(-1.5)))


@pytest.mark.parametrize(("rule", "sample", "field"), list(_samples()))
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("exact", [True, False])
def test_the_smallest_move_is_that_of_a_fine_grid(rule, sample, field, direction: int, exact: bool) -> None:
    (threshold,) = thresholds(rule)

    def look(value: float) -> str:
        return dataclasses.replace(rule, **{field: value}).decide(sample).outcome.value

    places = ends(rule, threshold, sample, [LEVEL])
    assert places is not None
    turn = first_turn(threshold, direction, look, places if exact else None)
    grid = np.linspace(0, 1, 201)[:-1]
    outcomes = [look(threshold.moved(direction * share)) for share in grid]
    changed = [share for share, outcome in zip(grid, outcomes, strict=True) if outcome != outcomes[0]]
    if not changed:
        assert turn is None or turn.share >= grid[-1]
        return
    assert turn is not None
    # Bisection sees no change and its reverse between two of its places; there is none here.
    assert changed[0] - 5e-3 - 1e-9 <= turn.share <= changed[0] + 1e-9
    if exact:
        assert turn.into == look(threshold.moved(direction * (turn.share + 1e-9)))


class Drifting(Exceeds):
    """A rule of somebody's own, whose interval is another where its threshold is."""

    def decide(self, sample, level=LEVEL):
        found = super().decide(sample, level)
        return dataclasses.replace(found, low=found.low - self.threshold, high=found.high - self.threshold)


def test_a_rule_whose_interval_moves_with_its_threshold_is_searched() -> None:
    rule, sample = Drifting(1.5), Sample.of(TEN)
    (threshold,) = thresholds(rule)
    assert ends(rule, threshold, sample, [LEVEL]) is None
    found = outcome_turns(rule, sample, LEVEL)["threshold", 1]
    assert found.place == pytest.approx(2.1)
    assert found.into == "undecided"


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
@pytest.mark.parametrize("centre", ["median", "mean"])
def test_units_do_not_matter(scale: float, centre) -> None:
    plain, scaled = turned(Exceeds(2.0, centre), TEN), turned(Exceeds(2.0 * scale, centre), TEN * scale)
    assert [turn and (pytest.approx(turn.share), turn.into) for turn in plain] == [
        turn and (turn.share, turn.into) for turn in scaled
    ]


def test_neither_mirroring_nor_the_order_of_seeds_matters() -> None:
    up, down = turned(Exceeds(2.3), TEN)
    mirrored_up, mirrored_down = turned(Below(-2.3), -TEN[::-1])
    assert (up and up.share, down and down.share) == (mirrored_down.share, mirrored_up.share)


def test_a_threshold_on_the_end_of_an_interval_turns_at_once() -> None:
    _, down = turned(Exceeds(2.1), TEN)
    assert (down.share, down.into) == (0.0, "corroborated")


@pytest.mark.parametrize("size", [1, 3, 6])
def test_the_largest_p_value_beside_others_is_where_holms_correction_turns(size: int) -> None:
    rng = np.random.default_rng(size)
    for _ in range(200):
        others = (10 ** rng.uniform(-4, 0, rng.integers(0, size))).tolist()
        largest = largest_rejected(others, size, 0.05)
        absent = [1.0] * (size - 1 - len(others))
        assert holm([largest * 0.999, *others, *absent])[0] <= 0.05
        assert holm([largest * 1.001, *others, *absent])[0] > 0.05
