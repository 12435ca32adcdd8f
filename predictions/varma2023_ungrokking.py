"""Varma, Shah, Kenton, Kramar and Kumar 2023: ungrokking, what becomes of generalisation when data are taken away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from landscape.experiment import Experiment
from landscape.optimisers import AdamW
from landscape.training.record import Record
from predictions.evidence import Measurement
from predictions.prediction import Control, Criterion, Curve, Expected, Prediction, Setting
from predictions.rules import Below, Exceeds
from predictions.varma2023_networks import (
    CALIBRATION,
    CONVERGED,
    THEORY,
    VARMA_2023,
    convergence,
    retraining_run,
    tiers,
)

# -- Ungrokking --------------------------------------------------------------------------------------------------------


def retrain_on_less(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {f"{f:g}": retraining_run(seed, at, f) for f in at.fractions}


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
    theory=THEORY,
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
    tiers=tiers(quick={"fractions": (0.1, 0.2, 0.3, 0.4, 0.6)}),
    calibration_seeds=CALIBRATION,
    notes="Started from networks trained on every input there is, so the test examples are the removed ones: they were "
    "trained on before.",
)
