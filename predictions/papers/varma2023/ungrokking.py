"""Ungrokking, what becomes of generalisation when data are taken away."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from grokscape.landscape import Experiment, Optimiser, Record
from grokscape.predictions import Below, Calibrated, Control, Criterion, Curve, Exceeds, Measurement, Setting
from grokscape.predictions.papers.varma2023 import claim
from grokscape.predictions.papers.varma2023.setup import (
    CONVERGED,
    convergence,
    full_data_run,
    network_run,
    retraining_run,
    tiers,
)

#: Changes of the optimiser for arms without weight decay.
WITHOUT_DECAY = {"weight_decay": 0.0, "eps": 1e-4}

# -- Ungrokking --------------------------------------------------------------------------------------------------------


def go_on(at: Setting) -> Optimiser:
    """The optimiser of the retraining, with what an arm changes of it."""
    return dataclasses.replace(at.optimiser, **at.retraining)


def networks_retrained_on_less(seed: int, at: Setting) -> Mapping[str, Experiment]:
    fractions = sorted({at.little, *at.between, at.much})
    # What an arm changes, it changes on little data, where something is to be lost; so arms share the other runs.
    return {
        f"{f:g}": retraining_run(seed, at, f, optimiser=go_on(at) if f == at.little else at.optimiser)
        for f in fractions
    }


def accuracy_left(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    for label, record in records.items():
        fraction = float(label)
        accuracy = record.final("accuracy", "test")
        yield Measurement("test accuracy", accuracy, at=fraction)
        if fraction == at.little:
            yield Measurement("test accuracy on little data as a multiple of chance", accuracy * at.task.n_classes)
        if fraction == at.much:
            yield Measurement("test accuracy on much data", accuracy)
    yield from convergence(records)


ungrokking = claim(
    id="varma2023.ungrokking",
    claim="A network that generalised on all the data loses its generalisation when it goes on training on a small "
    "part of them, and keeps it on a large part.",
    where="section 5.2, figures 4 and 7",
    runs=networks_retrained_on_less,
    measure=accuracy_left,
    gates=CONVERGED,
    criteria=(
        Criterion(
            quantity="test accuracy on little data as a multiple of chance",
            rule=Below(5.0, centre="mean"),
            threshold_from="near chance; an accuracy of 5/p is out of reach for a network that kept its rule",
            calibrated=Calibrated(0.033, 0.039, "0-9"),
        ),
        Criterion(
            quantity="test accuracy on much data",
            rule=Exceeds(0.95, centre="mean"),
            threshold_from="nearly all of the generalisation is kept",
            calibrated=Calibrated(0.9994, 0.0009, "0-9"),
        ),
    ),
    controls=(
        Control(
            "no weight decay",
            {"retraining": WITHOUT_DECAY, "between": ()},
            "without weight decay, on the same little data, nothing favours the more efficient circuit; eps = 1e-4 "
            "keeps AdamW's normalised steps from destroying the network by themselves",
        ),
    ),
    curves=(Curve(quantities=("test accuracy",), x="share of the data kept", y="test accuracy", title="Ungrokking"),),
    tiers=tiers(
        {"little": 0.1, "between": (0.2, 0.335, 0.4), "much": 0.6, "retraining": {}},
        standard={"little": 0.05, "between": (0.1, 0.2, 0.3)},
        paper={"little": 0.03, "between": (0.05, 0.08, 0.12), "much": 0.4},
    ),
    notes="Started from networks trained on every input there is, so the test examples are the removed ones: they were "
    "trained on before.",
)


# -- Removal alone -----------------------------------------------------------------------------------------------------


def networks_retrained_on_subsets(seed: int, at: Setting) -> Mapping[str, Experiment]:
    """The seed's generalising network, going on with several subsets, each chosen independently of the others."""
    changes = {"start": full_data_run(seed, at), "optimiser": go_on(at)}
    return {f"subset {k}": network_run(seed + 1000 * k, at, at.fraction, **changes) for k in range(at.subsets)}


def accuracy_on_kept_and_removed(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    removed = [record.final("accuracy", "test") for record in records.values()]
    for subset, accuracy in enumerate(removed, start=1):
        yield Measurement("accuracy on removed examples", accuracy, at=subset)
    yield Measurement("largest accuracy on removed examples, as a multiple of chance", max(removed) * at.task.n_classes)
    kept = min(float(record.series("accuracy", "train").min()) for record in records.values())
    yield Measurement("lowest accuracy on kept examples at any time", kept)
    yield Measurement("lowest accuracy on kept examples minus largest on removed", kept - max(removed))
    yield from convergence(records)


removal_alone = claim(
    id="varma2023.removal_alone",
    claim="Generalisation is lost when examples are only removed, and nothing new is to be learnt: the kept examples "
    "are answered correctly throughout, the removed ones no longer.",
    where="section 4.2",
    runs=networks_retrained_on_subsets,
    measure=accuracy_on_kept_and_removed,
    gates=CONVERGED,
    criteria=(
        Criterion(
            quantity="largest accuracy on removed examples, as a multiple of chance",
            rule=Below(5.0, centre="mean"),
            threshold_from="near chance, as for ungrokking, and for the best of three subsets",
            calibrated=Calibrated(0.06, 0.047, "0-9"),
        ),
        Criterion(
            quantity="lowest accuracy on kept examples minus largest on removed",
            rule=Exceeds(0.85, centre="mean"),
            threshold_from="nearly all of what is kept, at any time of the training, against 5/p at its end",
            calibrated=Calibrated(0.9984, 0.0013, "0-9"),
        ),
    ),
    controls=(
        Control(
            "three fifths kept",
            {"fraction": 0.6, "subsets": 1},
            "the same number of steps on enough data: going on with training takes nothing away by itself",
        ),
        Control(
            "no weight decay",
            {"retraining": WITHOUT_DECAY, "subsets": 1},
            "the same removal where nothing favours the more efficient circuit",
        ),
    ),
    curves=(
        Curve(
            quantities=("accuracy on removed examples",),
            x="subset",
            y="accuracy",
            title="Accuracy on removed examples, subset by subset",
        ),
    ),
    tiers=tiers(
        {"fraction": 0.1, "subsets": 3, "retraining": {}}, standard={"fraction": 0.05}, paper={"fraction": 0.03}
    ),
    notes="The three subsets of a seed are drawn independently, from the network's own split and those of two others, "
    "so that no single unlucky subset can be to blame. The removed examples had been trained on before.",
)
