"""What a rule says of itself as data: that a report which knows no rule can draw it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grokscape.predictions.rules import (
    Below,
    Decision,
    Exceeds,
    Monotone,
    Precedes,
    Proportion,
    Requirement,
    Sample,
    Spread,
    Within,
    foreseen,
)

RULES = [Exceeds(1.0), Below(1.0), Within(-1.0, 2.0), Proportion(0.5), Precedes(3.0), Monotone("falling"), Spread(0.5)]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("effect", [-3.0, 0.2, 0.9, 5.0])
def test_an_estimate_that_corroborates_lies_in_the_region(rule, effect):
    if effect < 0 and isinstance(rule, Precedes | Spread | Proportion):
        pytest.skip("no ratio, spread or share is negative")
    finding = rule.decide(rule.draw(np.random.default_rng(0), 400, effect, 0.05))
    low, high = rule.region
    assert (finding.outcome is Decision.CORROBORATED) == (low < finding.low and finding.high < high)
    assert (finding.outcome is Decision.FALSIFIED) == (finding.high < low or finding.low > high)
    assert rule.thresholds == tuple(bound for bound in (low, high) if math.isfinite(bound))


@pytest.mark.parametrize("rule", RULES)
def test_each_seed_contributes_once_and_between_its_bounds(rule):
    sample = rule.draw(np.random.default_rng(1), 9, 2.0, 0.3)
    found = rule.contributions(sample)
    assert found.values.shape == found.low.shape == found.high.shape == (9,)
    assert (found.low <= found.values).all()
    assert (found.values <= found.high).all()


@pytest.mark.parametrize("rule", [Exceeds(1.0), Below(1.0), Within(-1.0, 2.0), Precedes(3.0), Monotone("rising")])
def test_the_estimate_is_the_median_of_what_seeds_contribute(rule):
    sample = rule.draw(np.random.default_rng(2), 9, 2.0, 0.3)
    assert rule.decide(sample).estimate == pytest.approx(np.median(rule.contributions(sample).values))


def test_the_estimate_of_a_spread_is_the_root_mean_square_and_of_a_share_the_mean():
    sample = Sample.of([1.0, 2.0, 4.0])
    found = Spread(1.0)
    assert found.decide(sample).estimate == pytest.approx(np.sqrt(np.mean(found.contributions(sample).values ** 2)))
    assert Spread(1.0).contributions(Sample.of([3.0])).values.tolist() == [0.0]
    sample = Sample.of([0.0, 1.0, 1.0])
    assert Proportion(0.5).decide(sample).estimate == pytest.approx(Proportion(0.5).contributions(sample).values.mean())


@pytest.mark.parametrize(
    ("censored", "low", "high"),
    [
        ((False, False), 10.0, 10.0),
        ((False, True), 10.0, math.inf),
        ((True, False), 0.0, 10.0),
        ((True, True), 0.0, math.inf),
    ],
)
def test_where_the_true_ratio_of_times_lies(censored, low, high):
    found = Precedes(2.0).contributions(Sample.of([[10.0, 100.0]], [censored]))
    assert (found.values[0], found.low[0], found.high[0]) == (10.0, low, high)


@pytest.mark.parametrize(
    ("rule", "statement", "demand"),
    [
        (Exceeds(3.0), "exceeds 3", "must exceed 3"),
        (Below(-1e-9), "is below −10⁻⁹", "must be below −10⁻⁹"),
        (Within(-0.1, 12500.0), "lies between −0.1 and 12,500", "must lie between −0.1 and 12,500"),
        (Proportion(0.8), "happens in more than 80 % of seeds", "must happen in more than 80 % of seeds"),
        (Monotone("falling", 0.9), "exceeds 0.9 in the falling direction", "must exceed 0.9 in the falling direction"),
    ],
)
def test_what_holds_and_what_must_are_made_of_one_requirement(rule, statement, demand):
    assert (rule.requirement().statement, rule.requirement().demand) == (statement, demand)
    assert Requirement("miss", "it").demand == "must miss it"


def test_wrong_shapes_have_no_contributions():
    with pytest.raises(ValueError, match="expected two times per seed"):
        Precedes(2.0).contributions(Sample.of([1.0, 2.0]))
    with pytest.raises(ValueError, match="expected one value per seed"):
        Exceeds(2.0).contributions(Sample.of([[1.0, 2.0]]))


def test_what_calibration_foresees_follows_from_its_effect():
    assert foreseen(Exceeds(1.0), effect=1.1, spread=0.3) is Decision.CORROBORATED
    assert foreseen(Exceeds(1.0), effect=0.9, spread=0.3) is Decision.FALSIFIED
