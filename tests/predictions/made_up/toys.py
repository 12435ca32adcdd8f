"""Made-up records of the toy of the effective theory, and a claim's verdict on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records.record import Record
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.terms import Tier
from grokscape.predictions.testing import made_up_record, verdict_on
from grokscape.predictions.verdict import Verdict
from tests.predictions.made_up.claims import Constant

STEPS = np.unique(np.concatenate([[0], np.logspace(0, 4, 25).round().astype(int)]))


def table(steps: np.ndarray, **quantities: Any) -> pd.DataFrame:
    """A trajectory of quantities (``split__quantity``, "all" for no split; blanks as single underscores)."""
    return made_up_record(Constant(value=0.0, seed=0), _named(quantities), steps=steps).trajectory


def record(run: Experiment, places: np.ndarray | None = None, steps: np.ndarray = STEPS, **quantities: Any) -> Record:
    """A record of constants or arrays over steps, named as for `table`, and its last embedding."""
    return made_up_record(
        run, _named(quantities), steps=steps, weights=None if places is None else {"embedding": places}
    )


def _named(quantities: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    places = ((*key.split("__", 1), values) for key, values in quantities.items())
    return {("" if split == "all" else split, name.replace("_", " ")): values for split, name, values in places}


def rises(when: float, *, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """What is low before a step and high from then on."""
    return np.where(when <= STEPS, high, low)


def verdict(claim: Prediction, behave: Callable[[str, int, Any], Record]) -> Verdict:
    """Judge a claim on records made by ``behave(arm, seed, experiment)``."""
    return verdict_on(claim, lambda arm, seed, label, run: behave(arm, seed, run))


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
