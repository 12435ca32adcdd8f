"""Levi et al. 2023: the formula for how long a linear student groks, on made-up losses."""

from __future__ import annotations

import math

import numpy as np

from grokscape.landscape.theory import marchenko_pastur as mp
from grokscape.predictions.papers.levi2023.gap_formula import gap_formula, gap_formula_in_the_limit
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import few, record, verdict

STEPS = np.unique(np.concatenate([[0], np.logspace(0, 6, 150).round()])).astype(int)


def exponential(arm, seed, run, *, share=lambda threshold: 1.0):
    """Losses that reach a quarter of each threshold as long after each other as a share of the formula says."""
    formula = mp.limiting_gap(run.ratio, lr=run.lr)
    knots = np.array([0.0, 3.0, 6.0, 12.0, 24.0, 48.0])
    levels = -knots * math.log(10) - math.log(4) * (knots > 0)
    fits = 50.0 * knots
    lags = np.array([0.0, *(share(k) * formula * jitter(seed) for k in knots[1:])])
    train, test = (np.exp(np.interp(STEPS, times, levels)) for times in (fits, fits + lags))
    return record(run, steps=STEPS, train__loss=train, test__loss=test)


def test_gap_formula():
    assert verdict(few(gap_formula), exponential).status is Status.PASS
    assert verdict(few(gap_formula), lambda *a: exponential(*a, share=lambda k: 0.6)).status is Status.FAIL


def test_gap_formula_in_the_limit():
    claim = gap_formula_in_the_limit
    assert verdict(few(claim), lambda *a: exponential(*a, share=lambda k: 1 - 1 / k)).status is Status.PASS
    assert verdict(few(claim), lambda *a: exponential(*a, share=lambda k: 0.7 - 0.1 / k)).status is Status.FAIL
    assert verdict(few(claim), lambda *a: exponential(*a, share=lambda k: 1 + 0.1 / k)).status is Status.FAIL
