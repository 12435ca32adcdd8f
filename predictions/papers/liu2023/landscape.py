"""Omnigrok: the reduced loss over the weight norm, an L to train and a U to test."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from grokscape.landscape import Experiment, Record, ReducedLandscape
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Curve,
    Exceeds,
    Measurement,
    PhaseDiagram,
    Setting,
    Tier,
    Within,
    judging,
)
from grokscape.predictions.papers.liu2023 import claim
from grokscape.predictions.papers.liu2023.setup import STUDENT

#: Losses are compared as powers of ten; what is below counts as zero.
FLOOR = 1e-8

SCALES = tuple(float(10**exponent) for exponent in np.linspace(-1, 1, 9))
QUICK: Mapping[str, Any] = {**STUDENT, "sizes": (25, 50, 100), "scales": SCALES, "steps": 2000}
STANDARD: Mapping[str, Any] = {**QUICK, "sizes": (10, 25, 50, 100, 200), "steps": 10_000}
NO_RULE: Mapping[str, Any] = {"labels": "random"}


def reduced_landscape(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {
        "landscape": ReducedLandscape(
            task=at.task,
            model=at.model,
            sizes=at.sizes,
            scales=at.scales,
            labels=at.labels,
            steps=at.steps,
            seed=seed,
        )
    }


def table(record: Record) -> pd.DataFrame:
    """Return a row for each size and scale, with the losses as powers of ten."""
    series = {name: record.series(name) for name in ("size", "scale", "norm", "converged")}
    for split in ("train", "test"):
        series[split] = np.log10(record.series("loss", split).clip(lower=FLOOR))
        series[f"best {split}"] = np.log10(record.series("best loss", split).clip(lower=FLOOR))
        series[f"{split} accuracy"] = record.series("accuracy", split)
        series[f"best {split} accuracy"] = record.series("best accuracy", split)
    return pd.DataFrame(series)


# -- L and U -----------------------------------------------------------------------------------------------------------


def shape_of_both_losses(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    found = table(records["landscape"])
    one = found[found["size"] == max(at.sizes)].set_index("scale")
    train, test = one["train"], one["test"]
    yield Measurement("powers of ten that the training loss falls by up to scale 1", train.iloc[0] - train[1.0])
    yield Measurement("log10 of the largest training loss from scale 1 on", train[1.0:].max())
    yield Measurement("log10 of the scale with the least test loss", math.log10(one.index[test.argmin()]))
    yield Measurement("powers of ten that the test loss rises by to the smallest norm", test.iloc[0] - test.min())
    yield Measurement("powers of ten that the test loss rises by to the largest norm", test.iloc[-1] - test.min())
    best = one["best test"]
    yield Measurement(
        "powers of ten that the best test loss seen rises by to the largest norm", best.iloc[-1] - best.min()
    )
    for name in ("train", "test", "best test"):
        for scale, value in zip(one.index, one[name], strict=True):
            yield Measurement(f"{name} loss", 10**value, at=scale)


FALL = "a hundredfold: far more than the scatter between seeds, far less than calibration showed"

landscape = claim(
    id="liu2023.landscape",
    claim="Minimised over all directions, the training loss over the weight norm is an L, which falls and then stays "
    "at zero, and the test loss is a U, with its bottom near the norm of the usual initial weights.",
    where="section 2, figure 2",
    runs=reduced_landscape,
    measure=shape_of_both_losses,
    criteria=(
        Criterion(
            quantity="powers of ten that the training loss falls by up to scale 1",
            rule=Exceeds(2.0, centre="mean"),
            threshold_from=FALL,
            calibrated=Calibrated(3.55, 0.14, "0-9"),
        ),
        Criterion(
            quantity="log10 of the largest training loss from scale 1 on",
            rule=Below(-4.0, centre="mean"),
            threshold_from="a tenth of the error that counts as right",
            calibrated=Calibrated(-5.61, 0.13, "0-9"),
        ),
        Criterion(
            quantity="powers of ten that the test loss rises by to the smallest norm",
            rule=Exceeds(1.0, centre="mean"),
            threshold_from="tenfold, at a tenth of the usual norm",
            calibrated=Calibrated(2.03, 0.13, "0-9"),
        ),
        Criterion(
            quantity="powers of ten that the test loss rises by to the largest norm",
            rule=Exceeds(2.0, centre="mean"),
            threshold_from=FALL,
            calibrated=Calibrated(4.98, 0.08, "0-9"),
        ),
        Criterion(
            quantity="log10 of the scale with the least test loss",
            rule=Within(-0.5, 0.3, centre="mean"),
            threshold_from="from a third of the usual norm to twice as much",
            calibrated=Calibrated(-0.2, 0.11, "0-9"),
        ),
    ),
    controls=(
        Control(
            "values of other inputs",
            NO_RULE,
            "without a rule no norm is better than the smallest: the test loss has no U",
        ),
    ),
    curves=(
        Curve(
            quantities=("train loss", "test loss", "best test loss"),
            x="weight norm / norm of the usual initial weights",
            y="mean squared error",
            log_x=True,
            log_y=True,
            title="An L and a U",
            figure="figure 2",
        ),
    ),
    tiers={"quick": Tier(judging(10), QUICK), "standard": Tier(judging(10), STANDARD)},
    notes="Losses are those where the minimisation ended, as in the paper's curves of teacher and student. Its curves "
    "of images, reviews and molecules show the best loss seen during training, chosen with the test data; that is "
    "drawn beside, and decides nothing. Minimisation is along the sphere: the published step, which also has a radial "
    "part, comes to rest above the minimum where norms are small.",
)

# -- More data ---------------------------------------------------------------------------------------------------------


def outer_edge_by_data_size(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    """How far out the test loss stays low: where its logarithm, interpolated, last crosses a level."""
    found = table(records["landscape"])
    outer = {}
    for size in at.sizes:
        part = found[found["size"] == size]
        outer[size] = last_crossing(np.log10(part["scale"].to_numpy()), part["test"].to_numpy(), math.log10(at.level))
        yield Measurement("scale of the outer edge", 10 ** outer[size], at=float(size))
        yield Measurement("critical norm", float(part["scale"].to_numpy()[part["test"].argmin()]), at=float(size))
        for name in ("test accuracy", "best test accuracy"):
            for scale, share in zip(part["scale"], part[name], strict=True):
                yield Measurement(f"{name}, {size} examples", share, at=scale)
    slope = np.polyfit(np.log10(list(outer)), list(outer.values()), 1)[0]
    yield Measurement("power of the data size in the outer edge", float(slope))


def last_crossing(x: np.ndarray, y: np.ndarray, level: float) -> float:
    """Return where y last rises above a level, interpolated; the first x if y is never below, the last if it stays."""
    below = np.nonzero(y < level)[0]
    if not len(below):
        return float(x[0])
    last = below[-1]
    if last == len(x) - 1:
        return float(x[-1])
    share = (level - y[last]) / (y[last + 1] - y[last])
    return float(x[last] + share * (x[last + 1] - x[last]))


more_data_widen_the_shell = claim(
    id="liu2023.more_data_widen_the_shell",
    claim="The more data there are, the larger the norms at which a network that fits them still generalises.",
    where="section 3, figure 3",
    kind="extension",
    runs=reduced_landscape,
    measure=outer_edge_by_data_size,
    criteria=(
        Criterion(
            quantity="power of the data size in the outer edge",
            rule=Exceeds(0.05, centre="mean"),
            threshold_from="clearly above 0, which is no dependence; a quarter of what calibration showed",
            calibrated=Calibrated(0.221, 0.012, "0-9"),
        ),
    ),
    controls=(
        Control(
            "values of other inputs",
            NO_RULE,
            "without a rule the test loss is low at no norm, however many data there are",
        ),
    ),
    curves=(
        Curve(
            quantities=("scale of the outer edge",),
            x="training examples",
            y="largest norm with a low test loss / usual norm",
            log_x=True,
            log_y=True,
            title="Where generalising ends",
        ),
    ),
    maps=(
        PhaseDiagram(
            panels=tuple(
                (title, tuple((n, f"{name}, {n} examples") for n in (25, 50, 100)))
                for title, name in (
                    ("Where the minimisation ends", "test accuracy"),
                    ("Best seen during training, as published", "best test accuracy"),
                )
            ),
            boundaries=("critical norm", "scale of the outer edge"),
            x="weight norm / norm of the usual initial weights",
            y="training examples",
            value="test accuracy",
            title="The landscape over norm and data size",
            log_x=True,
            figure="figure 3",
        ),
    ),
    tiers={"quick": Tier(judging(10), {**QUICK, "level": 0.01})},
    notes="A low test loss is one below 0.01, about a twentieth of the variance of the values. The paper shows this on "
    "images; here it is the same networks as for the L and the U. Its maps of images, reviews and molecules show the "
    "best accuracy or loss seen during training, chosen with the test data: that is the map on the right, which "
    "decides nothing. The edge, and so the verdict, is that of the losses at the end. A coarser, shorter control was "
    "tried and could not be told from the claim; the control is as it was when the claim was first judged.",
)
