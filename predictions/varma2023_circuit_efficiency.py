"""Varma, Shah, Kenton, Kramar and Kumar 2023: networks. The toy model has a file of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from landscape.experiment import Experiment
from landscape.measures.efficiency_definitions import margin_per_norm
from landscape.models import Perceptron
from landscape.optimisers import AdamW
from landscape.tasks import BinaryOperation
from landscape.training.record import Record
from landscape.training.run import Run
from predictions.evidence import Measurement
from predictions.prediction import Control, Criterion, Curve, Expected, Gate, Prediction, Setting, Source, Tier
from predictions.rules import Below, Exceeds, Within

VARMA_2023 = Source(
    key="varma2023",
    title="Explaining grokking through circuit efficiency",
    authors="Varma, Shah, Kenton, Kramár, Kumar",
    arxiv="2309.02390",
)

NETWORK = {
    "task": BinaryOperation(operation="x+y", p=37),
    "model": Perceptron(width=128),
    "optimiser": AdamW(lr=1e-2, weight_decay=1.0),
    "steps": 3000,
}
SEEDS = tuple(range(100, 110))
CALIBRATION = tuple(range(10))
CONVERGED = (
    Gate(quantity="lowest training accuracy", above=0.99),
    Gate(quantity="highest training loss", below=0.01),
)
#: Efficiencies mean something only once the norm has settled (calibration: at most 2 % in the last quarter).
SETTLED = (*CONVERGED, Gate(quantity="largest late change of the norm", below=0.05))


def network_run(seed: int, at: Setting, fraction: float, **changes: Any) -> Run:
    """A run of the setting's network on a fraction of its task."""
    fields = {"task": at.task, "model": at.model, "optimiser": at.optimiser, "steps": at.steps} | changes
    return Run(n_train=at.task.n_train(fraction), seed=seed, **fields)


def convergence(records: Mapping[str, Record]) -> Iterable[Measurement]:
    """The worst of a seed's runs; the gates look at these."""
    yield Measurement("lowest training accuracy", min(r.final("accuracy", "train") for r in records.values()))
    yield Measurement("highest training loss", max(r.final("loss", "train") for r in records.values()))
    yield Measurement("largest late change of the norm", max(r.drift("weight_norm") for r in records.values()))


def efficiency(record: Record) -> float:
    """Mean margin per squared weight norm: what a unit of norm buys in a network homogeneous of degree 2.

    Scale-free, so that networks of different logits compare; fixed before any result was seen.
    """
    return margin_per_norm(record.final("margin", "train"), record.final("weight_norm"), kappa=2)


# -- Ungrokking --------------------------------------------------------------------------------------------------------


def retrain_on_less(seed: int, at: Setting) -> Mapping[str, Experiment]:
    start = Run(
        task=at.task,
        model=at.model,
        optimiser=at.start_optimiser,
        n_train=at.task.size,
        steps=at.start_steps,
        seed=seed,
    )
    return {f"{f:g}": network_run(seed, at, f, start=start) for f in at.fractions}


def accuracy_left(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    for label, record in records.items():
        fraction = float(label)
        accuracy = record.final("accuracy", "test")
        yield Measurement("test accuracy", accuracy, at=fraction)
        yield Measurement("test accuracy as a multiple of chance", accuracy * at.task.n_classes, at=fraction)
    yield from convergence(records)


ungrokking = Prediction(
    id="varma2023.ungrokking",
    claim="A network that generalised on all the data loses its generalisation when it goes on training on a small "
    "part of them, and keeps it on a large part.",
    source=VARMA_2023,
    where="section 5.2, figures 4 and 7",
    theory="circuit efficiency",
    runs=retrain_on_less,
    measure=accuracy_left,
    gates=CONVERGED,
    criteria=(
        Criterion(
            quantity="test accuracy as a multiple of chance",
            at=0.1,
            rule=Below(5.0),
            threshold_from="near chance; an accuracy of 5/p is out of reach for a network that kept its rule",
            expected=Expected(0.033, 0.039, "0-9"),
        ),
        Criterion(
            quantity="test accuracy",
            at=0.6,
            rule=Exceeds(0.95),
            threshold_from="nearly all of the generalisation is kept",
            expected=Expected(0.9994, 0.0009, "0-9"),
        ),
    ),
    controls=(
        Control(
            "no weight decay",
            {"optimiser": AdamW(lr=1e-2, weight_decay=0.0, eps=1e-4), "fractions": (0.1, 0.6)},
            "without weight decay nothing favours the more efficient circuit; eps = 1e-4 keeps AdamW's normalised "
            "steps from destroying the network by themselves",
        ),
    ),
    curves=(Curve(quantities=("test accuracy",), x="share of the data kept", y="test accuracy", title="Ungrokking"),),
    tiers={
        "quick": Tier(
            SEEDS,
            NETWORK
            | {
                "start_optimiser": AdamW(lr=1e-2, weight_decay=1.0),
                "start_steps": 2000,
                "fractions": (0.1, 0.2, 0.3, 0.4, 0.6),
            },
        )
    },
    calibration_seeds=CALIBRATION,
    notes="Started from networks trained on every input there is, so the test examples are the removed ones: they were "
    "trained on before.",
)


# -- Efficiency of memorisation ----------------------------------------------------------------------------------------


def memorise(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {f"{f:g}": network_run(seed, at, f, labels=at.labels) for f in at.fractions}


def efficiency_slope(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    sizes = np.array([at.task.n_train(float(label)) for label in records], dtype=float)
    efficiencies = np.array([efficiency(record) for record in records.values()])
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
    theory="circuit efficiency",
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
    tiers={
        "quick": Tier(
            SEEDS,
            NETWORK | {"labels": "random", "fractions": (0.08, 0.15, 0.25, 0.4, 0.6, 0.9)},
        )
    },
    calibration_seeds=CALIBRATION,
)


def twins(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {
        f"{labels} {f:g}": network_run(seed, at, f, labels=labels)
        for f in at.fractions
        for labels in ("true", "random")
    }


def twin_ratio(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    ratios = [efficiency(records[f"true {f:g}"]) / efficiency(records[f"random {f:g}"]) for f in at.fractions]
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
    theory="circuit efficiency",
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
    tiers={"quick": Tier(SEEDS, NETWORK | {"fractions": (0.08, 0.15)})},
    calibration_seeds=CALIBRATION,
)
