"""Made-up records at a dozen steps, and the verdict on a built-in claim whose runs behave like them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grokscape.landscape.records.record import Record
from grokscape.predictions.checking.registry import load
from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.judge import judge

CLAIMS = load().claims
STEPS = np.array([0, 1, 10, 50, 100, 1000, 2000, 2400, 2700, 2800, 2900, 3000])


def record(experiment, **quantities):
    """A record whose quantities (``split_quantity``; split "all" for none) are constants, or arrays over STEPS."""
    rows = []
    for key, values in quantities.items():
        split, quantity = key.split("_", 1)
        for step, value in zip(STEPS, np.broadcast_to(values, STEPS.shape), strict=True):
            rows.append((int(step), "" if split == "all" else split, quantity, float(value)))
    table = pd.DataFrame(rows, columns=["step", "split", "quantity", "value"])
    return Record(experiment, table, {"last_step": 3000}, lambda step: {})


def verdict(id, behave):
    """Judge a claim on records made by ``behave(arm, seed, experiment)``."""
    claim = CLAIMS[id]
    observations = []
    for arm, at in claim.arms("quick").items():
        for seed in claim.tiers["quick"].seeds:
            records = {label: behave(arm, seed, run) for label, run in claim.runs(seed, at).items()}
            observations += [
                Observation(m.quantity, m.value, m.at, m.censored, arm=arm, seed=seed)
                for m in claim.measure(records, at)
            ]
    return judge(claim, "quick", Evidence(tuple(observations)))


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
