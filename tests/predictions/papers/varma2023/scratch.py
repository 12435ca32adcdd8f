"""Made-up networks trained from scratch, recorded at the steps of their own schedule, and verdicts on them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.judge import judge

NEVER = math.inf


def record(run, test=0.0, *, fits=50, loss=1e-5):
    """A run that fits at one step, with test accuracies given as ``{from step: accuracy}`` (or one for all steps)."""
    steps = np.array(run.record.steps(run.steps))
    levels = test if isinstance(test, dict) else {0: test}
    accuracy = np.zeros(len(steps))
    for start in sorted(levels):
        accuracy[steps >= start] = levels[start]
    columns = {
        ("train", "accuracy"): np.where(steps >= fits, 1.0, 0.1),
        ("train", "loss"): np.full(len(steps), loss),
        ("test", "accuracy"): accuracy,
        ("", "weight_norm"): np.full(len(steps), 70.0),
    }
    tables = [
        pd.DataFrame({"step": steps, "split": split, "quantity": quantity, "value": values})
        for (split, quantity), values in columns.items()
    ]
    return Record(run, pd.concat(tables, ignore_index=True), {"last_step": run.steps}, lambda step: {})


def verdict(claim, behave, tier="quick"):
    """Judge a claim on the records that ``behave(arm, seed, run)`` makes up."""
    observations = []
    for arm, at in claim.arms(tier).items():
        for seed in claim.tiers[tier].seeds:
            records = {label: behave(arm, seed, run) for label, run in claim.runs(seed, at).items()}
            observations += [
                Observation(m.quantity, float(m.value), m.at, m.censored, arm=arm, seed=seed)
                for m in claim.measure(records, at)
            ]
    return judge(claim, tier, Evidence(tuple(observations)))


def share(run):
    return run.n_train / run.task.size
