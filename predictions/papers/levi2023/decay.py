"""Levi, Beck and Bar-Sinai 2023 (arXiv:2310.16441): what weight decay leaves of the losses of a linear student."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from grokscape.landscape import Record, marchenko_pastur
from grokscape.predictions import Control, Curve, Measurement, Prediction, Setting
from grokscape.predictions.papers.levi2023.losses import THEORY, as_expected, learner, students, tiers
from grokscape.predictions.papers.miller2023.sources import CALIBRATION, LEVI_2023, TWENTY


def left_by_decay(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
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


def decay_claim(id: str, claim: str, where: str, law: str, effect: float, notes: str) -> Prediction:
    return Prediction(
        id=f"levi2023.{id}",
        claim=claim,
        source=LEVI_2023,
        where=where,
        theory=THEORY,
        runs=students,
        measure=left_by_decay,
        criteria=(
            as_expected("training loss that stays over the one expected", effect, 0.1 * effect),
            as_expected("test loss that stays over the one expected", effect, 0.16 * effect),
        ),
        controls=(
            Control("law of many examples", {"law": "many examples"}, "there the number of inputs would not matter"),
        ),
        curves=(
            Curve(
                quantities=("training loss that stays", "test loss that stays"),
                x="inputs for each example, lambda",
                y="loss",
                log_y=True,
                title="What weight decay leaves",
            ),
        ),
        tiers=tiers(TWENTY, ratios=(0.3, 0.5, 0.7), weight_decay=1e-3, steps=10**7, law=law),
        calibration_seeds=CALIBRATION,
        notes=notes,
    )


decay_floor = decay_claim(
    "decay_floor",
    "Under weight decay gamma the losses of a linear student end where the shifted Marchenko-Pastur law puts them.",
    "equation 15 at late times, figure 3 (left)",
    "equation 15",
    1.04,
    "For small gamma the late losses of equation 15 are gamma^2 / 8 (1 - lambda) and gamma^2 / 8 (1 - lambda)^3.",
)
decay_floor_in_print = decay_claim(
    "decay_floor_in_print",
    "Under small weight decay gamma the losses of a linear student end at gamma^2 / 4 (1 - lambda) in training and "
    "gamma^2 / 4 (1 - lambda)^3 in test.",
    "equation 16",
    "equation 16",
    0.52,
    "Equation 16 is twice the limit of equation 15, of which it is said to be the limit: a factor 1/2, the teacher's "
    "share of the distance, is missing, and failure is expected. The dependence on lambda is right.",
)
