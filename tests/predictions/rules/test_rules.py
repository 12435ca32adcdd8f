"""Every rule against cases decided by hand, and its intervals against other libraries and brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from grokscape.predictions.rules import Below, Decision, Exceeds, Monotone, Precedes, Proportion, Sample, Within, holm
from grokscape.predictions.rules.intervals import mean_interval, mean_p, median_interval, proportion_interval, sign_p

UP, DOWN, OPEN = Decision.CORROBORATED, Decision.FALSIFIED, Decision.UNDECIDED
HIGH = [2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7]
LOW = [-value for value in HIGH]
BOTH = [2.0, -2.1, 2.2, -2.3, 2.4, -2.5, 2.6, -2.7]


@pytest.mark.parametrize("centre", ["median", "mean"])
@pytest.mark.parametrize(("values", "outcome"), [(HIGH, UP), (LOW, DOWN), (BOTH, OPEN)])
def test_exceeds(centre, values, outcome):
    assert Exceeds(1.0, centre).decide(Sample.of(values)).outcome is outcome


@pytest.mark.parametrize("centre", ["median", "mean"])
@pytest.mark.parametrize(("values", "outcome"), [(HIGH, DOWN), (LOW, UP), (BOTH, OPEN)])
def test_below_is_exceeds_seen_from_the_other_side(centre, values, outcome):
    finding = Below(-1.0, centre).decide(Sample.of(values))
    assert finding.outcome is outcome
    assert finding.low <= finding.estimate <= finding.high


@pytest.mark.parametrize("centre", ["median", "mean"])
@pytest.mark.parametrize(
    ("low", "high", "outcome"), [(1, 3, UP), (2.35, 3, OPEN), (3, 4, DOWN), (0, 1, DOWN), (2.3, 2.4, OPEN)]
)
def test_within(centre, low, high, outcome):
    assert Within(low, high, centre).decide(Sample.of(HIGH)).outcome is outcome


def test_equivalence_is_not_concluded_from_ignorance():
    """Three scattered seeds show no difference from 0, and no equivalence to it either."""
    assert Within(-0.1, 0.1).decide(Sample.of([-5.0, 0.0, 5.0])).outcome is OPEN


def test_too_few_seeds_decide_nothing_by_the_median():
    finding = Exceeds(0.0).decide(Sample.of([10.0] * 5))
    assert finding.outcome is OPEN
    assert math.isinf(finding.low)
    assert Exceeds(0.0).decide(Sample.of([10.0] * 6)).outcome is UP


def test_seeds_that_all_agree_are_not_certainty():
    """Student's interval of equal values has no width; the p-value must still say how few they are."""
    finding = Exceeds(0.0, "mean").decide(Sample.of([1.0] * 8))
    assert finding.outcome is UP
    assert finding.p == pytest.approx(2 / 2**8)


def test_a_value_on_the_threshold_supports_neither_side():
    assert Exceeds(1.0).decide(Sample.of([1.0] * 8)).outcome is OPEN
    assert Below(1.0).decide(Sample.of([1.0] * 8)).outcome is OPEN


@pytest.mark.parametrize("rule", [Exceeds(0.0), Below(0.0), Within(-1, 1), Proportion(0.5)])
def test_rules_that_cannot_use_censored_values_refuse_them(rule):
    with pytest.raises(ValueError, match="censored"):
        rule.decide(Sample.of([1.0] * 8, [True] + [False] * 7))


def test_what_is_no_number_is_refused():
    with pytest.raises(ValueError, match="not a number"):
        Sample.of([1.0, math.nan])


@pytest.mark.parametrize("rule", [Exceeds(0.0), Proportion(0.5)])
def test_wrong_shapes_are_refused(rule):
    with pytest.raises(ValueError, match="shape"):
        rule.decide(Sample.of([[1.0, 2.0]] * 8))
    with pytest.raises(ValueError, match="shape"):
        rule.decide(Sample.of([]))


def test_monotone():
    rising = Sample.of([[1, 2, 3, 4]] * 8, levels=[1, 2, 3, 4])
    assert Monotone("rising").decide(rising).outcome is UP
    assert Monotone("falling").decide(rising).outcome is DOWN
    flat = Sample.of([[1, 1, 1, 1]] * 8, levels=[1, 2, 3, 4])
    assert Monotone("rising").decide(flat).outcome is DOWN
    with pytest.raises(ValueError, match="levels"):
        Monotone("rising").decide(Sample.of([1.0] * 8))


def test_monotone_takes_a_censored_time_for_the_longest():
    values, censored = [[9, 30, 12, 5]] * 8, [[False, False, True, False]] * 8
    levels = [3, 2, 1, 4]
    assert Monotone("falling", least=0.99).decide(Sample.of(values, censored, levels)).estimate == pytest.approx(1)


def test_monotone_against_scipy():
    rng = np.random.default_rng(0)
    for _ in range(20):
        levels, row = rng.permutation(6).astype(float), rng.integers(0, 4, 6).astype(float)
        if np.ptp(row) == 0:
            continue
        estimate = Monotone("rising").decide(Sample.of([row] * 7, levels=levels)).estimate
        assert estimate == pytest.approx(stats.spearmanr(levels, row).statistic)


@pytest.mark.parametrize(
    ("early", "late", "censored", "outcome"),
    [
        (10, 100, (False, False), UP),
        (10, 20, (False, False), DOWN),
        (10, 100, (False, True), UP),  # not seen within 10 times: later, by all that is known
        (10, 20, (False, True), OPEN),  # given up too early to tell
        (100, 20, (True, False), DOWN),  # late was seen, early not even then
        (100, 100, (True, True), OPEN),
    ],
)
def test_precedes(early, late, censored, outcome):
    sample = Sample.of([[early, late]] * 8, [censored] * 8)
    assert Precedes(5.0).decide(sample).outcome is outcome


def test_seeds_that_support_no_side_are_no_evidence():
    """All hidden by censoring, or all on the threshold: the p-value must be 1, not that of "none above"."""
    hidden = Precedes(5.0).decide(Sample.of([[100, 100]] * 10, [[True, True]] * 10))
    assert (hidden.outcome, hidden.p) == (OPEN, 1.0)
    assert Exceeds(1.0).decide(Sample.of([1.0] * 10)).p == 1.0


def test_proportion():
    assert Proportion(0.5).decide(Sample.of([1.0] * 10)).outcome is UP
    assert Proportion(0.5).decide(Sample.of([0.0] * 10)).outcome is DOWN
    assert Proportion(0.5).decide(Sample.of([1.0, 0.0] * 5)).outcome is OPEN


@pytest.mark.parametrize(("n", "coverage"), [(6, 0.96875), (8, 0.9921875), (9, 0.9609375), (10, 0.978515625)])
def test_the_median_interval_covers_as_often_as_binomial_coefficients_say(n, coverage):
    """By enumeration: each value lies above or below the median, independently and equally often."""
    low, high = median_interval(np.arange(n, dtype=float), 0.95)
    covered = 0
    for above in itertools.product([False, True], repeat=n):
        below = n - sum(above)  # the median lies between the below-th and the next order statistic
        covered += low <= below - 0.5 <= high
    assert covered / 2**n == pytest.approx(coverage)


def test_intervals_against_scipy():
    values = np.random.default_rng(1).normal(3, 2, 12)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean_interval(values, 0.95) == pytest.approx((expected.low, expected.high))
    assert mean_p(values, 2.5) == pytest.approx(stats.ttest_1samp(values, 2.5).pvalue)
    tail = stats.beta.ppf(0.025, 7, 10 - 7 + 1)
    assert proportion_interval(7, 10, 0.95)[0] == pytest.approx(tail)
    assert proportion_interval(0, 0, 0.95) == (0.0, 1.0)
    assert sign_p(8, 8) == pytest.approx(2 / 256)


@pytest.mark.parametrize("rule", [Exceeds(0.3), Exceeds(0.3, "mean"), Proportion(0.3)])
def test_interval_and_p_value_agree(rule):
    """The interval excludes the threshold where p is below 5 %, so that Holm's correction speaks of the same test."""
    rng = np.random.default_rng(2)
    for _ in range(300):
        values = rng.random(9) if isinstance(rule, Exceeds) else (rng.random(9) < 0.6).astype(float)
        finding = rule.decide(Sample.of(values))
        assert (finding.outcome is not OPEN) == (finding.p < 0.05)


def test_holm_by_hand_and_by_definition():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    rng = np.random.default_rng(3)
    for _ in range(50):
        p = rng.random(6) ** 3
        # The closed testing procedure with Bonferroni's test on every subset, which Holm's shortcut must equal.
        subsets = [s for r in range(1, 7) for s in itertools.combinations(range(6), r)]
        closed = [max(min(1, len(s) * p[list(s)].min()) for s in subsets if i in s) for i in range(6)]
        assert holm(p) == pytest.approx(closed)


def test_values_whose_differences_underflow_are_decided_like_equal_ones() -> None:
    values = np.array([1e-200, 2e-200, 3e-200])
    assert mean_p(values, 0.5) == 0.0
    assert mean_p(values, 2e-200) == 1.0
    assert mean_interval(values, 0.95) == (2e-200, 2e-200)
