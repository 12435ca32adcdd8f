"""Levi et al. 2023: the losses of linear students, on records that are made of the theory, or of something else."""

from __future__ import annotations

import numpy as np

from grokscape.landscape.theory import marchenko_pastur as mp
from grokscape.predictions.papers.levi2023.losses import accuracy_is_a_function_of_the_loss, loss_curves
from grokscape.predictions.papers.levi2023.losses import test_loss_plateau as plateau
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import few, record, verdict

STEPS = np.unique(np.concatenate([[0], np.logspace(0, 5, 40).round()])).astype(int)


def taught(arm, seed, run, *, factor=1.0, power=1.0, ratio=None, outputs=None):
    """A student whose losses are those of the theory, to a power and by a factor."""
    train, test = mp.losses(run.lr * STEPS / run.outputs, run.ratio if ratio is None else ratio)
    scatter = factor * jitter(seed, 0.05)
    losses = {"train__loss": np.maximum(train**power * scatter, 1e-290), "test__loss": test**power * scatter}
    shares = {
        name.replace("loss", "accuracy"): mp.accuracy(np.maximum(loss, 1e-290), run.threshold, outputs or run.outputs)
        for name, loss in losses.items()
    }
    return record(run, steps=STEPS, **losses, **shares)


def test_loss_curves():
    assert verdict(few(loss_curves), taught).status is Status.PASS
    assert verdict(few(loss_curves), lambda *a: taught(*a, power=1.5)).status is Status.FAIL
    assert verdict(few(loss_curves), lambda *a: taught(*a, factor=1.4)).status is Status.FAIL


def test_accuracy_is_a_function_of_the_loss():
    claim = accuracy_is_a_function_of_the_loss
    assert verdict(few(claim), taught).status is Status.PASS
    assert verdict(few(claim), lambda *a: taught(*a, outputs=4)).status is Status.FAIL
    assert verdict(few(claim), lambda *a: taught(*a, outputs=1)).status is Status.INVALID


def staying(arm, seed, run, *, share=1.0):
    stays = share * (1 - 1 / run.ratio) * (1.0 if run.weight_decay == 0 else 0.5) * jitter(seed, 0.05)
    return record(run, steps=STEPS, test__loss=np.where(STEPS > 0, stays, 1.0))


def test_plateau():
    assert verdict(few(plateau), staying).status is Status.PASS
    assert verdict(few(plateau), lambda *a: staying(*a, share=0.5)).status is Status.FAIL
    assert verdict(few(plateau), lambda _, s, run: staying(_, s, run.replace(weight_decay=0))).status is Status.INVALID
