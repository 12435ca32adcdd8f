"""Catches a calibration that does not find what was simulated: `typical` against `draw`, its inverse."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.predictions.rules import Below, Exceeds, Monotone, Precedes, Proportion, Sample, Spread, Within

CASES = [
    (Exceeds(0.9), 1.137, 0.2),
    (Exceeds(0.9, "mean"), 1.137, 0.2),
    (Below(0.0), -3.0, 0.5),
    (Within(-1, 1), 0.25, 0.1),
    (Precedes(5.0), 27.5, 0.15),
    (Monotone("falling"), 1.0, 0.5),
    (Monotone("rising"), 2.0, 0.1),
    (Proportion(0.5), 0.7, 0.0),
    (Spread(0.5), 0.9, 0.0),
]


@pytest.mark.parametrize(("rule", "centre", "spread"), CASES)
def test_it_finds_what_was_simulated(rule, centre, spread):
    found = rule.typical(rule.draw(np.random.default_rng(0), 4000, centre, spread))
    assert found[0] == pytest.approx(centre, rel=0.05)
    assert found[1] == pytest.approx(spread, rel=0.05)


def test_it_decides_on_the_same_thing_as_the_rule():
    skewed = Sample.of([0.0, 0.0, 9.0])
    for rule in (Exceeds(1.0), Exceeds(1.0, "mean"), Below(1.0, "mean")):
        assert rule.typical(skewed)[0] == pytest.approx(rule.decide(skewed).estimate)


def test_times_that_had_not_come_count_against_the_order():
    times, unseen = [[10.0, 100.0], [10.0, 50.0]], [[False, True], [True, False]]
    assert Precedes().typical(Sample.of(times, unseen))[0] == pytest.approx((10 + 1) / 2)
    with pytest.raises(ValueError, match="cannot use censored"):
        Exceeds(1.0).typical(Sample.of([1.0, 2.0], [False, True]))


def test_shapes_and_single_seeds():
    assert Exceeds(1.0).typical(Sample.of([2.0])) == (2.0, 0.0)
    for rule in (Monotone("rising"), Precedes()):
        with pytest.raises(ValueError, match="found shape"):
            rule.typical(Sample.of([1.0, 2.0]))
