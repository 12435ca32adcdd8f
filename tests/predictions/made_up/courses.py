"""Made-up courses of training, and what a claim makes of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.judge import judge
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.verdict import Verdict

#: Fine enough for laws to be fitted to when something happens.
STEPS = np.unique(np.round(10 ** np.linspace(0, 4.5, 1000)).astype(int))


def course(run: Experiment, *, fits: float, generalises: float, norm: object = 30.0, last: int = 30_000) -> Record:
    """Return a record in which accuracies step from 0 to 1 at the given times; `norm` is a number or one a step."""
    steps = np.append(0, STEPS[last >= STEPS])
    columns = {
        ("train", "accuracy"): np.where(steps >= fits, 1.0, 0.1),
        ("test", "accuracy"): np.where(steps >= generalises, 1.0, 0.02),
        ("", "weight_norm"): np.broadcast_to(norm(steps) if callable(norm) else norm, steps.shape),
    }
    rows = [
        (int(step), split, quantity, float(value))
        for (split, quantity), values in columns.items()
        for step, value in zip(steps, values, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["step", "split", "quantity", "value"])
    return Record(run, table, {"last_step": last}, lambda step: {})


def verdict(claim: Prediction, behave: Callable[[str, int, str, Experiment], Record]) -> Verdict:
    """Judge a claim on records made by ``behave(arm, seed, label, experiment)``."""
    observations = []
    for arm, at in claim.arms("quick").items():
        for seed in claim.tiers["quick"].seeds:
            records = {label: behave(arm, seed, label, run) for label, run in claim.runs(seed, at).items()}
            observations += [
                Observation(m.quantity, m.value, m.at, m.censored, arm=arm, seed=seed)
                for m in claim.measure(records, at)
            ]
    return judge(claim, "quick", Evidence(tuple(observations)))


def jitter(seed: int, size: float = 0.02) -> float:
    """Return a factor near 1 that differs between seeds."""
    return float(np.exp(np.random.default_rng(seed).normal(0, size)))
