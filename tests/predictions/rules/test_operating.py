"""Error rates of every rule by simulation: at most 5 % false PASSes under the null, at least 80 % under the effect."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.predictions.rules import (
    Below,
    Decision,
    Exceeds,
    Monotone,
    Precedes,
    Proportion,
    Sample,
    Within,
    operating,
)

CASES = {
    "exceeds": (Exceeds(0.9), 8, 0.97, 0.02),
    "exceeds, mean": (Exceeds(0.9, "mean"), 6, 0.97, 0.03),
    "below": (Below(-0.4), 8, -0.8, 0.1),
    "below, mean": (Below(-0.4, "mean"), 6, -0.8, 0.2),
    "within": (Within(-0.1, 0.1), 8, 0.0, 0.035),
    "within, mean": (Within(-0.1, 0.1, "mean"), 8, 0.0, 0.06),
    "monotone": (Monotone("falling"), 8, 1.0, 0.5),
    "precedes": (Precedes(5.0), 8, 15.0, 0.4),
    "proportion": (Proportion(0.5), 10, 0.97, 0.0),
}


@pytest.mark.parametrize("name", CASES)
def test_error_rates(name):
    rule, seeds, effect, spread = CASES[name]
    rates = operating(rule, seeds=seeds, effect=effect, spread=spread, trials=4000, seed=1)
    assert rates.false_pass <= 0.05
    assert rates.power >= 0.8


@pytest.mark.parametrize("rule", [Exceeds(1.0), Below(1.0)])
@pytest.mark.parametrize("shape", ["lognormal", "exponential", "cauchy"])
def test_the_median_keeps_its_promise_for_any_distribution(rule, shape):
    """The null is true exactly: the median of the population is the threshold."""
    rng = np.random.default_rng(2)
    draw = {
        "lognormal": lambda: rng.lognormal(0, 1, 8),
        "exponential": lambda: rng.exponential(1 / np.log(2), 8),
        "cauchy": lambda: 1 + rng.standard_cauchy(8),
    }[shape]
    false = np.mean([rule.decide(Sample.of(draw())).outcome is Decision.CORROBORATED for _ in range(4000)])
    assert 0 < false <= 0.05


def test_the_mean_breaks_its_promise_for_skewed_values_as_documented():
    rng = np.random.default_rng(3)
    samples = (Sample.of(rng.exponential(1.0, 8)) for _ in range(4000))
    false = np.mean([Below(1.0, "mean").decide(s).outcome is Decision.CORROBORATED for s in samples])
    assert 0.06 < false < 0.11


def test_censoring_does_not_make_order_out_of_nothing():
    """Early and late times of one distribution, both censored at a budget: no order must be found in them."""
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(3000):
        times = rng.exponential(100, (8, 2))
        found += Precedes(1.0).decide(Sample.of(times.clip(max=80), times > 80)).outcome is Decision.CORROBORATED
    assert found / 3000 <= 0.05


def test_the_simulation_sees_a_rule_that_errs():
    """A rule that always corroborates has a false-PASS rate of 1; a simulation that said less would be worthless."""

    class Gullible(Exceeds):
        def decide(self, sample, level=0.95):
            return Exceeds(-np.inf).decide(sample, level)

    assert operating(Gullible(0.0), seeds=8, effect=1, spread=1, trials=50).false_pass == 1.0
