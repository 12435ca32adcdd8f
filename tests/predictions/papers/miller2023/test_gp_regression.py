"""Gaussian process regression: the claims' verdicts on records that are made up."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.miller2023.gp_regression import (
    no_regression_without_complexity,
    regression_delay_grows_with_complexity,
    regression_from_complex_start,
)
from grokscape.predictions.papers.miller2023.gp_setup import LOW_ERROR_HIGH_COMPLEXITY, LOW_ERROR_LOW_COMPLEXITY
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import record, verdict

STEPS = np.arange(301)


def falls(when, *, low=0.05, high=0.9):
    return np.where(when <= STEPS, low, high)


def regression(run, seed, *, delay=60.0):
    """What trains as the paper says; `delay` is that of the complex start."""
    start = (run.log_lengthscale, run.log_outputscale)
    noise = jitter(seed, 0.05)
    fits, generalises = 100, 102
    if start == LOW_ERROR_LOW_COMPLEXITY:
        fits = generalises = 0
    if start == LOW_ERROR_HIGH_COMPLEXITY:
        fits, generalises = 0, delay if run.complexity_weight else np.inf
    # What fits has nearly generalised, unless it is a complex fit.
    early = 0.9 if start == LOW_ERROR_HIGH_COMPLEXITY else 0.15
    test = np.where(generalises <= STEPS, 0.05, np.where(fits <= STEPS, early, 0.9))
    return record(
        run,
        steps=STEPS,
        train__error=falls(fits) * noise,
        test__error=test * noise,
        all__complexity=np.linspace(2 if start == LOW_ERROR_HIGH_COMPLEXITY else 0, 0, 301),
    )


def test_regression_from_complex_start():
    claim = regression_from_complex_start
    assert verdict(claim, lambda arm, seed, run: regression(run, seed)).status is Status.PASS
    at_once = verdict(claim, lambda arm, seed, run: regression(run, seed, delay=0))
    assert at_once.status is Status.FAIL
    never = verdict(claim, lambda arm, seed, run: regression(run, seed, delay=np.inf))
    assert never.status is Status.FAIL


def test_no_regression_without_complexity():
    claim = no_regression_without_complexity
    assert verdict(claim, lambda arm, seed, run: regression(run, seed)).status is Status.PASS
    groks = verdict(claim, lambda arm, seed, run: regression(run.replace(complexity_weight=1.0), seed))
    assert groks.status is Status.FAIL
    blind = verdict(claim, lambda arm, seed, run: regression(run.replace(complexity_weight=0.0), seed))
    assert blind.status is Status.INVALID


def delayed(arm, seed, run, *, law=lambda complexity: 40 * complexity):
    """A start's complexity is made of its length; what generalises late does so by `law`."""
    complexity = max(0.0, run.log_outputscale / 2 - run.log_lengthscale / 4)
    later = 0 if run.log_lengthscale > -1 else law(complexity)
    return record(
        run, steps=STEPS, train__error=falls(0), test__error=falls(later), all__complexity=np.full(301, complexity)
    )


def test_delay_grows_with_complexity():
    claim = regression_delay_grows_with_complexity
    assert verdict(claim, delayed).status is Status.PASS
    assert verdict(claim, lambda *a: delayed(*a, law=lambda complexity: 200 - 40 * complexity)).status is Status.FAIL
    assert verdict(claim, lambda *a: delayed(*a, law=lambda complexity: 0)).status is Status.FAIL


def test_what_never_generalises_is_the_latest():
    at = Setting(regression_delay_grows_with_complexity.tiers["quick"].setting)
    runs = regression_delay_grows_with_complexity.runs(0, at)
    records = {label: delayed(CLAIM, 0, run, law=lambda c: 1e9 if c > 2 else 40 * c) for label, run in runs.items()}
    found = {m.quantity: m.value for m in regression_delay_grows_with_complexity.measure(records, at)}
    assert found["rank correlation of delay with complexity"] > 0.8
    assert any(m.censored for m in regression_delay_grows_with_complexity.measure(records, at) if m.quantity == "delay")


@pytest.mark.parametrize("tier", ["quick", "paper"])
def test_published_starts_are_the_papers(tier):
    at = Setting(regression_from_complex_start.tiers[tier].setting)
    runs = regression_from_complex_start.runs(0, at).values()
    assert {(run.log_lengthscale, run.log_outputscale) for run in runs} == {(-6, -4), (-6, 4), (0, 2)}
    assert {run.lr for run in runs} == {0.04}
