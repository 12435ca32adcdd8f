"""Levi et al. 2023: what weight decay leaves of the losses of a linear student."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from grokscape.landscape import Record, marchenko_pastur
from grokscape.predictions import Control, Criterion, Curve, Measurement, Setting, judging
from grokscape.predictions.papers.levi2023 import claim
from grokscape.predictions.papers.levi2023.setup import as_expected, learner, students_by_ratio, tiers


def losses_left_by_decay(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    logs: dict[str, list[float]] = {"training": [], "test": []}
    for label, record in records.items():
        decay, ratio = learner(record).weight_decay, learner(record).ratio
        predicted = {
            "equation 15": marchenko_pastur.decayed_losses(decay, ratio),
            "equation 16": (decay**2 / (4 * (1 - ratio)), decay**2 / (4 * (1 - ratio) ** 3)),
            "many examples": (decay**2 / 8, decay**2 / 8),
        }[at.law]
        for (name, found), split, loss in zip(logs.items(), ("train", "test"), predicted, strict=True):
            left = float(record.series("loss", split).iloc[-1])
            found.append(math.log(left / loss))
            yield Measurement(f"{name} loss that stays", left, at=float(label))
    for name, found in logs.items():
        yield Measurement(f"{name} loss that stays over the one expected", math.exp(np.mean(found)))


def left_as_expected(effect: float) -> tuple[Criterion, ...]:
    return (
        as_expected("training loss that stays over the one expected", effect=effect, spread=0.1 * effect),
        as_expected("test loss that stays over the one expected", effect=effect, spread=0.16 * effect),
    )


DECAYED: Mapping[str, Any] = {"ratios": (0.3, 0.5, 0.7), "weight_decay": 1e-3, "steps": 10**7}
MANY_EXAMPLES = Control("law of many examples", {"law": "many examples"}, "there the number of inputs would not matter")
LEFT = Curve(
    quantities=("training loss that stays", "test loss that stays"),
    x="inputs for each example, lambda",
    y="loss",
    log_y=True,
    title="What weight decay leaves",
)

decay_floor = claim(
    id="levi2023.decay_floor",
    claim="Under weight decay gamma the losses of a linear student end where the shifted Marchenko-Pastur law puts "
    "them.",
    where="equation 15 at late times, figure 3 (left)",
    runs=students_by_ratio,
    measure=losses_left_by_decay,
    criteria=left_as_expected(1.04),
    controls=(MANY_EXAMPLES,),
    curves=(LEFT,),
    tiers=tiers(judging(20), **DECAYED, law="equation 15"),
    notes="For small gamma the late losses of equation 15 are gamma^2 / 8 (1 - lambda) and gamma^2 / 8 (1 - lambda)^3.",
)

decay_floor_in_print = claim(
    id="levi2023.decay_floor_in_print",
    claim="Under small weight decay gamma the losses of a linear student end at gamma^2 / 4 (1 - lambda) in training "
    "and gamma^2 / 4 (1 - lambda)^3 in test.",
    where="equation 16",
    runs=students_by_ratio,
    measure=losses_left_by_decay,
    criteria=left_as_expected(0.52),
    controls=(MANY_EXAMPLES,),
    curves=(LEFT,),
    tiers=tiers(judging(20), **DECAYED, law="equation 16"),
    notes="Equation 16 is twice the limit of equation 15, of which it is said to be the limit: a factor 1/2, the "
    "teacher's share of the distance, is missing. The dependence on lambda is right.",
)
