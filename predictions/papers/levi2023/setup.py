"""Levi et al. 2023: linear students, how they are trained here, and when their losses come down."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from grokscape.landscape import Experiment, LinearTeacher, Record, marchenko_pastur
from grokscape.predictions import Calibrated, Criterion, Setting, Tier, Within, judging

#: Ratios of inputs to examples, lambda, at which most claims are judged; they share these students.
RATIOS = (0.1, 0.3, 0.5, 0.7, 0.85, 0.95)
STUDENTS = {
    "ratios": RATIOS,
    "inputs": 300,
    "outputs": 1,
    "threshold": 1e-3,
    "weight_decay": 0.0,
    "steps": 10**6,
    "fixed_ratio": 0.0,
    "assumed": 1.0,
}


def student(seed: int, at: Setting, ratio: float, **changes: object) -> LinearTeacher:
    fields: dict[str, object] = {
        "inputs": at.inputs,
        "n_train": round(at.inputs / ratio),
        "outputs": at.outputs,
        "threshold": at.threshold,
        "weight_decay": at.weight_decay,
        "steps": at.steps,
    }
    return LinearTeacher(seed=seed, **(fields | changes))  # type: ignore[arg-type]


def students_by_ratio(seed: int, at: Setting) -> Mapping[str, Experiment]:
    """One student for each ratio; with a fixed ratio, the size changes instead and the ratio does not."""
    if at.fixed_ratio == 0:
        return {f"{ratio}": student(seed, at, ratio) for ratio in at.ratios}
    sizes = {f"{ratio}": max(20, round(at.inputs * ratio)) for ratio in at.ratios}
    return {
        label: student(seed, at, at.fixed_ratio, inputs=size, n_train=round(size / at.fixed_ratio))
        for label, size in sizes.items()
    }


def tiers(seeds: tuple[int, ...] = judging(10), larger: int = 1000, **setting: object) -> Mapping[str, Tier]:
    return {
        "quick": Tier(seeds, STUDENTS | setting),
        "standard": Tier(judging(20), STUDENTS | setting | {"inputs": larger}),
    }


@functools.cache
def reached(ratio: float, loss: float) -> int:
    """Return the step at which the test loss is expected to have come down to a level."""
    steps = np.logspace(0, 6, 400)
    expected = marchenko_pastur.losses(0.01 * steps, ratio)[1]
    return int(np.interp(-math.log(loss), -np.log(np.maximum(expected, 1e-300)), steps))


def learner(record: Record) -> LinearTeacher:
    assert isinstance(record.experiment, LinearTeacher)
    return record.experiment


def steps_of(series: pd.Series) -> np.ndarray:
    return series.index.to_numpy(float)


def reaches(loss: pd.Series, level: float) -> float:
    """Return the step at which a falling loss reaches a level, between records along straight lines in its logarithm.

    Raises
    ------
    ValueError
        If it never does.
    """
    steps, logs = steps_of(loss), np.log(np.maximum(loss.to_numpy(), 1e-300))
    after = int(np.argmax(logs <= math.log(level)))
    if logs[after] > math.log(level):
        raise ValueError(f"the loss never reaches {level:.3g}; train for more than {steps[-1]:.0f} steps")
    if after == 0:
        return 0.0
    return float(np.interp(-math.log(level), -logs[[after - 1, after]], steps[[after - 1, after]]))


def as_expected(quantity: str, *, effect: float, spread: float) -> Criterion:
    return Criterion(
        quantity=quantity,
        rule=Within(0.8, 1.25, centre="mean"),
        threshold_from="equality, give or take a quarter, as one draw of a few hundred inputs scatters; 0.85 to 1.15 "
        "(0.9 to 1.1 without decay, 0.8 to 1.2 with) before calibration showed by how much",
        calibrated=Calibrated(effect, spread, "0-19"),
    )
