"""Made-up records of the toy of the effective theory, and a claim's verdict on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.judge import judge
from grokscape.predictions.prediction import Prediction, Tier
from grokscape.predictions.verdict import Verdict

STEPS = np.unique(np.concatenate([[0], np.logspace(0, 4, 25).round().astype(int)]))


def table(steps: np.ndarray, **quantities: Any) -> pd.DataFrame:
    """A trajectory of quantities (``split__quantity``, "all" for no split; blanks as single underscores)."""
    columns: dict[str, list[np.ndarray]] = {"step": [], "split": [], "quantity": [], "value": []}
    for key, values in quantities.items():
        split, quantity = key.split("__", 1)
        columns["step"].append(steps)
        columns["split"].append(np.full(len(steps), "" if split == "all" else split))
        columns["quantity"].append(np.full(len(steps), quantity.replace("_", " ")))
        columns["value"].append(np.broadcast_to(np.asarray(values, dtype=float), steps.shape))
    return pd.DataFrame({name: np.concatenate(parts) for name, parts in columns.items()})


def record(run: Experiment, places: np.ndarray | None = None, steps: np.ndarray = STEPS, **quantities: Any) -> Record:
    """A record of constants or arrays over steps, and its last embedding."""
    weights: Mapping[str, np.ndarray] = {} if places is None else {"embedding": places}
    return Record(run, table(steps, **quantities), {"last_step": int(steps[-1])}, lambda _: dict(weights))


def rises(when: float, *, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """What is low before a step and high from then on."""
    return np.where(when <= STEPS, high, low)


def verdict(claim: Prediction, behave: Callable[[str, int, Any], Record]) -> Verdict:
    """Judge a claim on records made by ``behave(arm, seed, experiment)``."""
    observations = []
    for arm, at in claim.arms("quick").items():
        for seed in claim.tiers["quick"].seeds:
            records = {label: behave(arm, seed, run) for label, run in claim.runs(seed, at).items()}
            observations += [
                Observation(m.quantity, m.value, m.at, m.censored, arm=arm, seed=seed)
                for m in claim.measure(records, at)
            ]
    return judge(claim, "quick", Evidence(tuple(observations)))


def few(claim: Prediction, seeds: int = 10) -> Prediction:
    """The same claim at fewer seeds: enough for made-up records, whose seeds hardly differ."""
    tier = claim.tiers["quick"]
    return dataclasses.replace(claim, tiers={"quick": Tier(tier.seeds[:seeds], tier.setting)})


def trained(run: Any, *, fits: float, generalises: float, quality: float = 1.0) -> Record:
    """A toy that fits and generalises at the given steps; `math.inf` for never."""
    return record(
        run,
        train__accuracy=rises(fits),
        test__accuracy_on_known_sums=rises(generalises),
        all__quality=quality,
    )
