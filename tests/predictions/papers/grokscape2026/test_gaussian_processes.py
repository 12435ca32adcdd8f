"""What this project says of Gaussian processes, on records that are made up."""

from __future__ import annotations

import numpy as np

from grokscape.predictions.papers.grokscape2026.gaussian_processes import (
    classification_complexity_rises,
    mean_delays_accuracy,
    whitened_parity,
)
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import record, verdict
from tests.predictions.papers.miller2023.test_gp_classification import classified, laplace


def test_whitened_parity_needs_no_divergence():
    def trains(arm, seed, run):
        groks = run.train_kernel and run.parametrisation == "whitened"
        return classified(run, seed, generalises=45 if groks else np.inf)

    assert verdict(whitened_parity, trains).status is Status.PASS
    never = verdict(whitened_parity, lambda arm, seed, run: classified(run, seed, generalises=np.inf))
    assert never.status is Status.FAIL
    assert verdict(whitened_parity, lambda arm, seed, run: classified(run, seed)).status is Status.INVALID


def test_classification_complexity_rises():
    claim = classification_complexity_rises
    assert verdict(claim, laplace).status is Status.PASS
    assert verdict(claim, lambda *a: laplace(*a, rises=-0.03)).status is Status.FAIL
    # It is largest at step 80, which is hardly later.
    assert verdict(claim, lambda *a: laplace(*a, generalises=79)).status is Status.FAIL


def means(run, seed, *, zero=0.03, learnt=0.35):
    steps = np.arange(0, 101, 10)
    worst = {"zero": zero, "learnt": learnt}[run.mean] * jitter(seed, 0.1)
    if run.lengthscale > 0.1:
        worst = 0.02 * jitter(seed, 0.1)
    test = np.where(steps == 20, worst, 0.01)
    return record(run, steps=steps, train__error=0.0, test__error=test)


def test_learnt_mean_delays_accuracy():
    claim = mean_delays_accuracy
    assert verdict(claim, lambda arm, seed, run: means(run, seed)).status is Status.PASS
    assert verdict(claim, lambda arm, seed, run: means(run, seed, zero=0.35)).status is Status.FAIL
    assert verdict(claim, lambda arm, seed, run: means(run, seed, learnt=0.03)).status is Status.FAIL
