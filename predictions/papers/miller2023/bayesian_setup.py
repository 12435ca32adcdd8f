"""Miller et al. 2023: a mean-field Bayesian network on hidden parity, and what becomes of its error and complexity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from grokscape.landscape import (
    BayesianNetwork,
    Crossing,
    Experiment,
    Record,
    SampledParity,
    Stop,
    complexity,
    error,
    first_crossing,
    grokking_gap,
)
from grokscape.predictions import Curve, Gate, Measurement, Setting, Tier, by_step, in_order, judging

GENERALISED = (Stop(quantity="error", below=0.05, records=4),)
#: Epochs that a start scale may take; four fifths more than the slowest calibration seed took, or more.
BUDGET = {0.1: 300, 0.3: 500, 0.5: 700, 0.7: 900, 1.0: 1000}


def networks_by_start_scale(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {
        f"{scale:g}": BayesianNetwork(
            task=SampledParity(bits=at.bits),
            seed=seed,
            start_scale=scale,
            kl_weight=at.kl_weight,
            epochs=min(BUDGET[scale], at.epochs),
            stop=GENERALISED,
        )
        for scale in at.scales
    }


def lost(series: pd.Series, step: float) -> float:
    """Return which share of its start a series has lost at a step."""
    return float(1 - series[step] / series.iloc[0])


def halved(series: pd.Series) -> Crossing:
    """Return when a series has come down to half its start for good."""
    return first_crossing(series.index.to_numpy(), series.to_numpy(), below=float(series.iloc[0]) / 2)


def complexity_and_error_from_fitting_to_generalising(
    records: Mapping[str, Record], at: Setting
) -> Iterable[Measurement]:
    """What happens between fitting and generalising, of the start scale `at.shown`."""
    record = records[f"{at.shown:g}"]
    gap, right = grokking_gap(record), error(record, "train")
    fit, generalise = gap.fit.step, gap.generalise.step
    for name, series in (("complexity", complexity(record)), ("mean part", record.series("mean part"))):
        yield Measurement(f"share of the {name} lost at fitting", lost(series, fit))
        yield Measurement(f"share of the {name} lost while grokking", lost(series, generalise) - lost(series, fit))
        yield from by_step(series, name)
    yield from in_order("from half the error to half the complexity", halved(right), halved(complexity(record)))
    for split, name in (("train", "training error"), ("test", "test error")):
        yield Measurement(f"{name} at the end", float(error(record, split).iloc[-1]))
        yield from by_step(error(record, split), f"{split} error")


SETTING = {
    "scales": (0.1, 0.3, 0.5, 1.0),
    "bits": 30,
    "kl_weight": 1.0,
    "epochs": 1000,
    "shown": 1.0,
}
ONE = SETTING | {"scales": (1.0,)}
STANDARD_SCALES = {"scales": (0.1, 0.3, 0.5, 0.7, 1.0)}


def tiers(setting: Mapping[str, object], **standard: object) -> Mapping[str, Tier]:
    return {"quick": Tier(judging(12), setting), "standard": Tier(judging(20), dict(setting) | standard)}


GENERALISES = Gate(quantity="test error at the end", below=0.1, controls=False)
CURVES = (
    Curve(quantities=("train error", "test error"), x="epoch", y="error", title="Low training error first", log_x=True),
    Curve(
        quantities=("complexity", "mean part"),
        x="epoch",
        y="nats per example",
        title="Complexity meanwhile, and what the means add to it",
        log_x=True,
        log_y=True,
        figure="figure 6",
    ),
)
