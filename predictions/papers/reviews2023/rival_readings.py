"""Other readings of the experiments on circuit efficiency, each where it predicts something else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from grokscape.landscape import SGD, Experiment, Record, Run, randomness
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Exceeds,
    Gate,
    Measurement,
    Setting,
    Within,
    by_step,
    training_curve,
)
from grokscape.predictions.papers.reviews2023 import claim
from grokscape.predictions.papers.varma2023.logit_setup import logits_of
from grokscape.predictions.papers.varma2023.setup import CONVERGED, convergence, network_run, retraining_run, tiers

# -- Plain data size ---------------------------------------------------------------------------------------------------


def networks_of_two_histories(seed: int, at: Setting) -> Mapping[str, Experiment]:
    def run(start: str, fraction: float) -> Run:
        if start == "generalised":
            return retraining_run(seed, at, fraction)
        return network_run(seed, at, fraction, steps=at.scratch_steps)

    return {"first": run(*at.first), "second": run(*at.second)}


def difference_in_accuracy(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    first, second = (records[name].final("accuracy", "test") for name in ("first", "second"))
    yield Measurement("difference in test accuracy", first - second)
    for name, record in records.items():
        yield Measurement(f"test accuracy, {name}", record.final("accuracy", "test"))
        yield from by_step(record.series("accuracy", "test"), f"{name} history")
    yield from convergence(records)


data_size_alone = claim(
    id="reviews2023.data_size_alone",
    claim="More data generalise better, and that is all: on equally many examples, a network that had generalised "
    "before and a fresh one end at the same test accuracy.",
    where="second review: the same follows from more data helping generalisation",
    theory="plain data size",
    runs=networks_of_two_histories,
    measure=difference_in_accuracy,
    gates=CONVERGED,
    criteria=(
        Criterion(
            quantity="difference in test accuracy",
            rule=Within(-0.1, 0.1, centre="mean"),
            threshold_from="a tenth, which is small against the whole range from chance to 1",
            calibrated=Calibrated(0.81, 0.042, "0-9"),
        ),
    ),
    controls=(
        Control(
            "unequal sizes",
            {"first": ("generalised", 0.6), "second": ("generalised", 0.2)},
            "a difference that every reading expects: three times as many examples",
        ),
    ),
    curves=(
        training_curve(
            "first history", "second history", y="test accuracy", title="Equally many examples, two histories"
        ),
    ),
    tiers=tiers(
        {"first": ("generalised", 0.335), "second": ("scratch", 0.335), "scratch_steps": 4000},
        standard={"scratch_steps": 30_000},
        paper={"first": ("generalised", 0.1), "second": ("scratch", 0.1), "scratch_steps": 200_000},
    ),
    disputes=("grokscape2026.coexistence",),
    notes="The size lies between that where generalisation is lost and that where a fresh network finds it. Circuit "
    "efficiency alone compares two circuits that are there already and would have both networks agree in the end; with "
    "the difficulty of finding the generalising circuit, which the paper adds, the history matters. Plain data size "
    "has no room for it. That the fresh network would find the rule after many times the steps cannot be excluded. "
    "The review has it that larger training sets generally help generalisation; that nothing else matters is this "
    "reading's addition.",
)

# -- Forgetting --------------------------------------------------------------------------------------------------------


def network_before_and_after_removal(seed: int, at: Setting) -> Mapping[str, Experiment]:
    start = network_run(seed, at, at.seen)
    return {"start": start, "retrained": network_run(seed, at, at.kept, start=start)}


def removed_and_unseen(start: Run, retrained: Run, groups: str) -> tuple[Tensor, Tensor]:
    """The examples that only the start was trained on, and those that neither was; or two halves of the latter."""
    unseen = start.task.split(start.n_train, seed=start.seed).test
    if groups == "halves of the unseen":
        order = torch.from_numpy(randomness.permutation(len(unseen), start.seed, "reviews2023/halves"))
        half = len(unseen) // 2
        return unseen[order[:half]], unseen[order[half:]]
    held_out = retrained.task.split(retrained.n_train, seed=retrained.seed).test
    return held_out[~torch.isin(held_out, unseen)], unseen


def accuracy_by_past(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    start, retrained = records["start"], records["retrained"]
    run = retrained.experiment
    assert isinstance(run, Run)
    assert run.start is not None
    correct = (logits_of(retrained).argmax(1) == run.task.labels).double()
    removed, unseen = (float(correct[group].mean()) for group in removed_and_unseen(run.start, run, at.groups))
    yield Measurement("accuracy on removed less that on never seen examples", removed - unseen)
    yield Measurement("accuracy on removed examples", removed)
    yield Measurement("accuracy on never seen examples", unseen)
    yield Measurement("test accuracy before", start.final("accuracy", "test"))
    yield Measurement("accuracy on all that is held out", float(retrained.final("accuracy", "test")))
    yield from convergence(records)


forgetting_by_example = claim(
    id="reviews2023.forgetting_by_example",
    claim="What is lost on fewer examples is forgotten example by example: the network still answers those that it was "
    "once trained on better than those that it never saw.",
    where="first and second review: ungrokking as catastrophic forgetting",
    theory="forgetting",
    runs=network_before_and_after_removal,
    measure=accuracy_by_past,
    gates=(
        *CONVERGED,
        Gate(quantity="test accuracy before", above=0.95),
        Gate(quantity="accuracy on all that is held out", above=0.1),
        Gate(quantity="accuracy on all that is held out", below=0.9),
    ),
    criteria=(
        Criterion(
            quantity="accuracy on removed less that on never seen examples",
            rule=Exceeds(0.1, centre="mean"),
            threshold_from="a tenth, which is small against what is lost; where all is lost or nothing, none could be "
            "seen, which the gates exclude",
            calibrated=Calibrated(0.038, 0.031, "0-9"),
        ),
    ),
    controls=(
        Control(
            "halves of the unseen",
            {"groups": "halves of the unseen"},
            "examples that the network never saw have no past to differ in",
        ),
    ),
    tiers=tiers({"seen": 0.75, "kept": 0.28, "groups": "by past"}, paper={"seen": 0.4, "kept": 0.065}),
    disputes=("varma2023.ungrokking_sharpness",),
    notes="To circuit efficiency an example that is no longer trained on is as any other: both kinds are answered as "
    "well as the rule survives. In calibration a trace was left, a difference of 0.04 where two fifths were lost, too "
    "small to be what is lost. Answers are those of the last weights. The size is one at which about three fifths of "
    "the generalisation are left. Forgetting would not need weight decay; that it does is a control of "
    "varma2023.ungrokking. "
    "The second review asks whether the excluded part is still answered; that it is, better than the rest, is "
    "this reading's addition, and the paper itself calls ungrokking a special case of forgetting.",
)

# -- Entropy -----------------------------------------------------------------------------------------------------------


def network_retrained_on_few(seed: int, at: Setting) -> Mapping[str, Experiment]:
    optimiser = {
        # Gradients vanish, and AdamW makes steps of full length of what is left of them.
        "noise": dataclasses.replace(at.optimiser, weight_decay=0.0, eps=1e-8),
        # Steps vanish with the gradients.
        "neither": dataclasses.replace(at.optimiser, weight_decay=0.0, eps=1e-4),
        # Steps follow the gradient of loss and squared norm, and nothing else.
        "pressure": SGD(lr=0.5, momentum=0.9, weight_decay=5e-4),
    }[at.mover]
    return {"retrained": retraining_run(seed, at, at.fraction, optimiser=optimiser)}


def accuracy_and_norm(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    record = records["retrained"]
    accuracy = record.final("accuracy", "test")
    norm = record.series("weight_norm")
    yield Measurement("test accuracy", accuracy)
    yield Measurement("test accuracy as a multiple of chance", accuracy * at.task.n_classes)
    yield Measurement("weight norm at the end over that at the start", float(norm.iloc[-1] / norm.iloc[0]))
    yield from by_step(record.series("accuracy", "test"), "test accuracy in time")
    yield from convergence(records)


FITTED = (Gate(quantity="lowest training accuracy", above=0.99),)
IN_TIME = (training_curve("test accuracy in time", y="test accuracy", title="Noise and pressure, one at a time"),)

noise_suffices = claim(
    id="reviews2023.noise_suffices",
    claim="Memorising solutions are more, not better: noise in the optimiser, without any pressure on the norm, takes "
    "a network from the generalising solution on few data.",
    where="third review: equal efficiency but more memorising circuits",
    theory="entropy",
    runs=network_retrained_on_few,
    measure=accuracy_and_norm,
    gates=FITTED,
    criteria=(
        Criterion(
            quantity="test accuracy as a multiple of chance",
            rule=Below(5.0, centre="mean"),
            threshold_from="near chance; as for ungrokking",
            calibrated=Calibrated(0.039, 0.055, "0-9"),
        ),
    ),
    controls=(
        Control("neither noise nor pressure", {"mover": "neither"}, "nothing moves the network to another solution"),
    ),
    curves=IN_TIME,
    tiers=tiers({"mover": "noise", "fraction": 0.1}, paper={"fraction": 0.03}),
    disputes=("varma2023.ungrokking",),
    notes="The noise is that of AdamW with vanishing gradients (no weight decay, eps = 1e-8). It is no clean one: the "
    "norm grows sevenfold meanwhile, and on three fifths of the data the same noise costs more than half of the test "
    "accuracy too, as two calibration runs showed. Entropy reads that as the way to where memorising solutions abound; "
    "circuit efficiency, which without decay predicts nothing, as damage that an optimiser does to any circuit. A PASS "
    "says that loss of generalisation alone is no evidence for a preference; which of the two it takes, "
    "reviews2023.pressure_needs_noise asks. "
    "The review has both kinds of circuit equally efficient and the memorising ones more numerous, and allows "
    "that both factors contribute.",
)

pressure_needs_noise = claim(
    id="reviews2023.pressure_needs_noise",
    claim="Without noise nothing explores: under the pressure of weight decay alone, by plain gradient descent, a "
    "network keeps its generalisation on few data.",
    where="third review: equal efficiency but more memorising circuits",
    theory="entropy",
    runs=network_retrained_on_few,
    measure=accuracy_and_norm,
    gates=FITTED,
    criteria=(
        Criterion(
            quantity="test accuracy",
            rule=Exceeds(0.95, centre="mean"),
            threshold_from="nearly all of the generalisation is kept; as for ungrokking",
            calibrated=Calibrated(0.0004, 0.0006, "0-9"),
        ),
    ),
    controls=(Control("noise", {"mover": "noise"}, "with noise the more numerous solutions are found"),),
    curves=IN_TIME,
    tiers=tiers({"mover": "pressure", "fraction": 0.1}, paper={"fraction": 0.03}),
    disputes=("varma2023.ungrokking",),
    notes="Full-batch gradient descent with momentum and L2 decay has no noise but rounding. Circuit efficiency "
    "predicts that it ungroks all the same, as the balance of loss and norm moves. "
    "It is inferred from the third review, by which a circuit wanders at random; the review allows that "
    "efficiency contributes too.",
)
