"""Varma, Shah, Kenton, Kramar and Kumar 2023: what memorising and generalising circuits cost in weight norm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from landscape.experiment import Experiment
from landscape.training.record import Record
from predictions.evidence import Measurement
from predictions.prediction import Control, Criterion, Curve, Expected, Prediction, Setting
from predictions.rules import Below, Within
from predictions.varma2023_networks import (
    CALIBRATION,
    SETTLED,
    THEORY,
    VARMA_2023,
    convergence,
    efficiency,
    network_run,
    tiers,
)

# -- Efficiency of memorisation ----------------------------------------------------------------------------------------


def memorise(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {f"{f:g}": network_run(seed, at, f, labels=at.labels) for f in at.fractions}


def efficiency_slope(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    sizes = np.array([at.task.n_train(float(label)) for label in records], dtype=float)
    efficiencies = np.array([efficiency(record, at) for record in records.values()])
    for size, value in zip(sizes, efficiencies, strict=True):
        yield Measurement("efficiency", value, at=size)
    slope = np.polyfit(np.log(sizes), np.log(efficiencies), 1)[0]
    yield Measurement("slope of log efficiency against log size", float(slope))
    yield from convergence(records)


memorisation_efficiency = Prediction(
    id="varma2023.memorisation_efficiency",
    claim="Memorising more examples needs more weight norm: the efficiency of memorisation falls with the size of the "
    "training set.",
    source=VARMA_2023,
    where="section 5.1, figure 3",
    theory=THEORY,
    runs=memorise,
    measure=efficiency_slope,
    gates=SETTLED,
    criteria=(
        Criterion(
            quantity="slope of log efficiency against log size",
            rule=Below(-0.4),
            threshold_from="half of the slope near -0.8 that pilot runs with random labels showed; 0 is no dependence",
            expected=Expected(-0.81, 0.0075, "0-9"),
        ),
    ),
    controls=(
        Control(
            "generalising networks",
            {"labels": "true", "fractions": (0.6, 0.75, 0.9)},
            "a network that found the rule pays nothing for another example of it",
        ),
    ),
    curves=(
        Curve(
            quantities=("efficiency",),
            x="training examples",
            y="margin / norm²",
            log_x=True,
            log_y=True,
            title="What a unit of norm buys",
        ),
    ),
    tiers=tiers(quick={"labels": "random", "fractions": (0.08, 0.15, 0.25, 0.4, 0.6, 0.9)}),
    calibration_seeds=CALIBRATION,
)


def twins(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {
        f"{labels} {f:g}": network_run(seed, at, f, labels=labels)
        for f in at.fractions
        for labels in ("true", "random")
    }


def twin_ratio(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    ratios = [efficiency(records[f"true {f:g}"], at) / efficiency(records[f"random {f:g}"], at) for f in at.fractions]
    for fraction, ratio in zip(at.fractions, ratios, strict=True):
        yield Measurement("efficiency with true labels over random labels", ratio, at=fraction)
    yield Measurement("geometric mean of the ratios", float(np.exp(np.mean(np.log(ratios)))))
    yield from convergence(records)


random_label_twin = Prediction(
    id="varma2023.random_label_twin",
    claim="On few data, where true labels can only be memorised, a network with random labels is as efficient as one "
    "with true labels: the random-label twin stands for the memorising circuit.",
    source=VARMA_2023,
    where="section 5.1 (the method behind figure 3)",
    theory=THEORY,
    runs=twins,
    measure=twin_ratio,
    gates=SETTLED,
    criteria=(
        Criterion(
            quantity="geometric mean of the ratios",
            rule=Within(1 / 1.1, 1.1),
            threshold_from="ten per cent: small against the factor of two that separates the circuits on much data",
            expected=Expected(0.965, 0.01, "0-9"),
        ),
    ),
    controls=(
        Control("much data", {"fractions": (0.9,)}, "with most of the data the network generalises, which is cheaper"),
    ),
    curves=(
        Curve(
            quantities=("efficiency with true labels over random labels",),
            x="share of the data trained on",
            y="ratio of efficiencies",
            title="True against random labels",
        ),
    ),
    tiers=tiers(quick={"fractions": (0.08, 0.15)}),
    calibration_seeds=CALIBRATION,
)
