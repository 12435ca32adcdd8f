"""The rule about spread: by hand, against scipy, and how often it errs for values that are not normal."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from grokscape.predictions.rules import Decision, Sample, Spread, operating


def normal_scores(spread, n=10):
    """Values whose sample standard deviation is `spread`."""
    scores = stats.norm.ppf((np.arange(n) + 0.5) / n)
    return Sample.of(spread * scores / np.std(scores, ddof=1))


def test_decides_by_the_interval_of_the_standard_deviation():
    rule = Spread(1.0)
    assert rule.decide(normal_scores(3.0)).outcome is Decision.CORROBORATED
    assert rule.decide(normal_scores(0.3)).outcome is Decision.FALSIFIED
    assert rule.decide(normal_scores(1.2)).outcome is Decision.UNDECIDED
    assert rule.decide(Sample.of([2.0] * 10)).outcome is Decision.FALSIFIED  # nobody differs
    assert rule.decide(Sample.of([2.0])).outcome is Decision.UNDECIDED


def test_interval_and_p_value_agree_with_a_table():
    """With 9 degrees of freedom, the chi-square distribution has 2.5 % below 2.700 and above 19.023."""
    finding = Spread(1.0).decide(normal_scores(2.0))
    assert finding.estimate == pytest.approx(2.0)
    assert finding.low == pytest.approx(2 * np.sqrt(9 / 19.023), rel=1e-4)
    assert finding.high == pytest.approx(2 * np.sqrt(9 / 2.700), rel=1e-4)
    at_the_bound = Spread(finding.low).decide(normal_scores(2.0))
    assert at_the_bound.p == pytest.approx(0.05)


def test_does_not_depend_on_the_mean():
    near, far = normal_scores(2.0), Sample.of(normal_scores(2.0).values + 100)
    assert Spread(1.0).decide(near).p == pytest.approx(Spread(1.0).decide(far).p)


def test_refuses_what_it_cannot_use():
    with pytest.raises(ValueError, match="censored"):
        Spread(1.0).decide(Sample.of([1.0, 2.0], [True, False]))
    with pytest.raises(ValueError, match="shape"):
        Spread(1.0).decide(Sample.of([[1.0, 2.0], [2.0, 1.0]]))


def test_error_rates_for_normal_values():
    rates = operating(Spread(1.0), seeds=10, effect=2.5, spread=0.0, trials=4000, seed=1)
    assert rates.false_pass == pytest.approx(0.025, abs=0.01)
    assert rates.power >= 0.8


@pytest.mark.parametrize(("shape", "low", "high"), [("t", 0.05, 0.09), ("laplace", 0.05, 0.09), ("uniform", 0.0, 0.01)])
def test_promises_only_what_the_docstring_says_for_other_shapes(shape, low, high):
    """The true spread is the threshold. Heavier tails make a PASS false in about 7 % instead of 2.5 %."""
    rng = np.random.default_rng(2)
    draw = {
        "t": lambda: rng.standard_t(5, 10) / np.sqrt(5 / 3),
        "laplace": lambda: rng.laplace(size=10) / np.sqrt(2),
        "uniform": lambda: rng.uniform(-np.sqrt(3), np.sqrt(3), 10),
    }[shape]
    found = [Spread(1.0).decide(Sample.of(draw())).outcome for _ in range(3000)]
    assert low <= found.count(Decision.CORROBORATED) / 3000 <= high


def test_reads_as_a_sentence():
    assert Spread(0.02).subject("log efficiency") == "standard deviation between seeds of log efficiency"
    assert Spread(0.02).requirement().statement == "exceeds 0.02"
