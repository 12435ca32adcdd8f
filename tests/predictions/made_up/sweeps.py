"""Made-up networks whose accuracy depends on the size of their training set, and verdicts on them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.judge import judge


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
    splits, quantities = (np.repeat(names, len(steps)) for names in zip(*columns, strict=True))
    values = np.concatenate([np.broadcast_to(value, len(steps)) for value in columns.values()])
    table = pd.DataFrame(
        {"step": np.tile(steps, len(columns)), "split": splits, "quantity": quantities, "value": values}
    )
    return Record(run, table, {"last_step": run.steps}, lambda step: {})


def sigmoid(size, half, width=0.23):
    """Accuracy that is 1/2 at the size `half`, and rises from 10 to 90 % within `width` decades."""
    return float(expit(np.log10(size / half) * 2 * np.log(9) / width))


def noise(seed, spread=0.03):
    return float(np.exp(np.random.default_rng(seed).normal(0, spread)))


def evidence(claim, behave, seeds):
    """What a claim measures on records made by ``behave(arm, seed, run)``, its refinements included."""
    observations = []
    for arm, at in claim.arms("quick").items():
        for seed in seeds:
            records = {label: behave(arm, seed, run) for label, run in claim.runs(seed, at).items()}
            for _ in range(claim.rounds):
                more = claim.refine(seed, at, records)
                records |= {label: behave(arm, seed, run) for label, run in more.items()}
            observations += [
                Observation(m.quantity, float(m.value), m.at, m.censored, arm=arm, seed=seed)
                for m in claim.measure(records, at)
            ]
    return Evidence(tuple(observations))


def verdict(claim, behave, seeds=range(100, 106)):
    return judge(claim, "quick", evidence(claim, behave, seeds))
