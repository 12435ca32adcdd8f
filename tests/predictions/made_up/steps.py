"""Made-up records at a dozen steps, and the verdict on a built-in claim whose runs behave like them."""

from __future__ import annotations

import numpy as np

from grokscape.predictions.checking.registry import load
from grokscape.predictions.testing import made_up_record, verdict_on

CLAIMS = load().claims
STEPS = np.array([0, 1, 10, 50, 100, 1000, 2000, 2400, 2700, 2800, 2900, 3000])


def record(experiment, **quantities):
    """A record whose quantities (``split_quantity``; split "all" for none) are constants, or arrays over STEPS."""
    places = {tuple(key.split("_", 1)): values for key, values in quantities.items()}
    named = {("" if split == "all" else split, name): values for (split, name), values in places.items()}
    return made_up_record(experiment, named, steps=STEPS)


def verdict(id, behave):
    """Judge a claim on records made by ``behave(arm, seed, experiment)``."""
    return verdict_on(CLAIMS[id], lambda arm, seed, label, run: behave(arm, seed, run))


def noise(seed):
    return np.random.default_rng(seed).normal(0, 0.01)


def trained(run, *, test=0.0, unmirrored=None, efficiency=2e-3, train=1.0, loss=1e-5):
    return record(
        run,
        train_accuracy=train,
        train_loss=loss,
        test_accuracy=test,
        unmirrored_accuracy=test if unmirrored is None else unmirrored,
        all_weight_norm=70.0,
        train_margin=efficiency * 70.0**2,
    )
