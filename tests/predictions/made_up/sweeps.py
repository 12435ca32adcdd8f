"""Made-up networks whose accuracy depends on the size of their training set, and verdicts on them."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from grokscape.predictions.testing import evidence_of, made_up_record, verdict_on


def record(run, test=0.0, *, norm=70.0, efficiency=2e-3, train=1.0, loss=1e-5):
    """A run whose recorded quantities are constants (training accuracy may be an array over 5 records)."""
    steps = np.linspace(0, run.steps, 5).astype(int)
    columns = {
        ("train", "accuracy"): train,
        ("train", "loss"): loss,
        ("train", "margin"): efficiency * norm**2,
        ("test", "accuracy"): test,
        ("", "weight_norm"): norm,
    }
    return made_up_record(run, columns, steps=steps)


def sigmoid(size, half, width=0.23):
    """Accuracy that is 1/2 at the size `half`, and rises from 10 to 90 % within `width` decades."""
    return float(expit(np.log10(size / half) * 2 * np.log(9) / width))


def noise(seed, spread=0.03):
    return float(np.exp(np.random.default_rng(seed).normal(0, spread)))


def evidence(claim, behave, seeds):
    """What a claim measures on records made by ``behave(arm, seed, run)``, its refinements included."""
    return evidence_of(claim, lambda arm, seed, label, run: behave(arm, seed, run), seeds=seeds)


def verdict(claim, behave, seeds=range(100, 106)):
    return verdict_on(claim, lambda arm, seed, label, run: behave(arm, seed, run), seeds=seeds)
