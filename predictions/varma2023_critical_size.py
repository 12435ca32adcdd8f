"""Varma, Shah, Kenton, Kramar and Kumar 2023: the critical data size, where it lies and what it depends on."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from landscape.experiment import Experiment
from landscape.measures.critical_size import CriticalSize, critical_size, next_size, size_grid
from landscape.models import Model
from landscape.tasks import Task
from landscape.training.record import Record
from landscape.training.run import Run
from predictions.evidence import Measurement
from predictions.prediction import Control, Criterion, Curve, Expected, Gate, Prediction, Setting
from predictions.rules import Below, Exceeds, Within
from predictions.varma2023_networks import (
    CALIBRATION,
    CONVERGED,
    THEORY,
    VARMA_2023,
    convergence,
    network_run,
    retraining_run,
    tiers,
)

# -- Sweeps over the size of the training set --------------------------------------------------------------------------


@dataclass(frozen=True)
class Sweep:
    """Networks that differ in nothing but how many examples they are trained on.

    Attributes
    ----------
    start : {"generalised", "scratch"}
        The network that learnt from all the data, or a fresh one.
    weight_decay : float
        Of the training on the part; the generalised start is the same for all.
    """

    start: Literal["generalised", "scratch"]
    weight_decay: float = 1.0

    @property
    def name(self) -> str:
        start = "generalised start" if self.start == "generalised" else "from scratch"
        return f"{start}, weight decay {self.weight_decay:g}"

    def run(self, seed: int, at: Setting, n_train: int) -> Run:
        optimiser = dataclasses.replace(at.optimiser, weight_decay=self.weight_decay)
        fraction = n_train / at.task.size
        if self.start == "generalised":
            return retraining_run(seed, at, fraction, optimiser=optimiser)
        return network_run(seed, at, fraction, optimiser=optimiser, steps=at.scratch_steps)

    def first_sizes(self, at: Setting) -> list[int]:
        fractions = at.fractions if self.start == "generalised" else at.scratch_fractions
        return [at.task.n_train(f) for f in fractions]

    def grid(self, at: Setting) -> tuple[int, ...]:
        """Return the sizes that may be tried: neighbours differ by 4 %."""
        first = self.first_sizes(at)
        return size_grid(min(first), max(first), 1.04)

    def tried(self, records: Mapping[str, Record]) -> tuple[np.ndarray, np.ndarray]:
        """Return the sizes that were trained, ascending, with their test accuracies."""
        prefix = f"{self.name}/"
        sizes = sorted(int(label.removeprefix(prefix)) for label in records if label.startswith(prefix))
        accuracies = [records[f"{prefix}{n}"].final("accuracy", "test") for n in sizes]
        return np.array(sizes, dtype=float), np.array(accuracies)

    def critical_size(self, records: Mapping[str, Record], at: Setting) -> CriticalSize:
        return critical_size(*self.tried(records), chance=1 / at.task.n_classes)


def first_runs(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {f"{sweep.name}/{n}": sweep.run(seed, at, n) for sweep in at.sweeps for n in sweep.first_sizes(at)}


def more_runs(seed: int, at: Setting, records: Mapping[str, Record]) -> Mapping[str, Experiment]:
    """For each sweep the size to try next: bisection, guided by the logistic through what is known."""
    wanted = {}
    for sweep in at.sweeps:
        sizes, accuracies = sweep.tried(records)
        size = next_size(sizes, accuracies, sweep.grid(at), chance=1 / at.task.n_classes)
        if size is not None and len(sizes) < len(sweep.first_sizes(at)) + ROUNDS:
            wanted[f"{sweep.name}/{size}"] = sweep.run(seed, at, size)
    return wanted


#: Sizes that a sweep may try after its first; in calibration two were enough for nearly all.
ROUNDS = 3


def sweep_curves(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    """Every sweep's accuracies and critical size, and the runs that trying the whole grid would have cost besides."""
    saved, lost = 0, 0
    for sweep in at.sweeps:
        sizes, accuracies = sweep.tried(records)
        for size, accuracy in zip(sizes, accuracies, strict=True):
            yield Measurement(f"test accuracy, {sweep.name}", float(accuracy), at=float(size) / at.task.size)
        found = sweep.critical_size(records, at)
        yield Measurement(f"critical size, {sweep.name}", found.estimate)
        saved += len(sweep.grid(at)) - len(sizes)
        lost += not found.bracketed
    yield Measurement("critical sizes out of range", lost)
    yield Measurement("runs saved by adaptive sampling", saved)
    yield from convergence(records)


#: A critical size that no two tried sizes enclose is unknown, and nothing can be said about it.
ENCLOSED = Gate(quantity="critical sizes out of range", below=0.5)
#: The sizes tried first, whatever they show; those between them follow.
SIZES = {"fractions": (0.1, 0.2, 0.335, 0.4), "scratch_fractions": (0.25, 0.335, 0.45, 0.5), "scratch_steps": 4000}
STANDARD = {"scratch_steps": 30_000}
PAPER = {
    "fractions": (0.03, 0.05, 0.08, 0.12),
    "scratch_fractions": (0.08, 0.12, 0.16, 0.25),
    "scratch_steps": 200_000,
}


def comparison(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    """How far two sweeps differ: in their critical sizes, and in accuracy at the sizes where both were tried."""
    first, second = at.sweeps
    ratio = first.critical_size(records, at).estimate / second.critical_size(records, at).estimate
    yield Measurement("log ratio of the critical sizes", math.log(ratio))
    here, there = (dict(zip(*sweep.tried(records), strict=True)) for sweep in at.sweeps)
    differences = [abs(here[size] - there[size]) for size in here.keys() & there.keys()]
    yield Measurement("mean absolute difference of accuracy", float(np.mean(differences)))
    yield Measurement("largest share of the norm that AdamW allows", max(map(share_of_bound, records.values())))
    yield from sweep_curves(records, at)


def share_of_bound(record: Record) -> float:
    """The final norm as a share of the largest that AdamW allows, which keeps every |weight| below 1 / weight decay."""
    run = record.experiment
    assert isinstance(run, Run)
    bound = math.sqrt(_parameters(run.model, run.task)) / run.optimiser.weight_decay  # type: ignore[attr-defined]
    return record.final("weight_norm") / bound


@functools.cache
def _parameters(model: Model, task: Task) -> int:
    return sum(p.numel() for p in model.build(task).parameters())


# -- How sharp the fall is ---------------------------------------------------------------------------------------------


def fall(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    (sweep,) = at.sweeps
    sizes, accuracies = sweep.tried(records)
    if at.forgetting == "in proportion":
        accuracies = sizes / sizes.max()
    found = critical_size(sizes, accuracies, chance=1 / at.task.n_classes)
    line = np.polyval(np.polyfit(np.log(sizes), accuracies, 1), np.log(sizes))
    misfit = float(np.sqrt(np.mean((line - accuracies) ** 2)))
    # Both curves have two parameters, so that the difference of the criteria is that of the fits alone. A critical size
    # that is not enclosed, which a gate tells of, is no evidence for anything.
    evidence = 2 * len(sizes) * math.log(misfit / found.residual) if found.bracketed else 0.0
    widest = math.log10(sizes.max() / sizes.min())
    yield Measurement("log10 of the size with 90 % over that with 10 %", found.width if found.bracketed else widest)
    yield Measurement("evidence (ΔBIC) for a sigmoid", evidence)
    yield from sweep_curves(records, at)


GENERALISED = Sweep("generalised")

ungrokking_sharpness = Prediction(
    id="varma2023.ungrokking_sharpness",
    claim="Generalisation is lost within a narrow range of sizes: the accuracy kept is a steep sigmoid of the size of "
    "the remaining training set.",
    source=VARMA_2023,
    where="section 5.2, figures 4, 7 and 10(b)",
    theory=THEORY,
    runs=first_runs,
    refine=more_runs,
    rounds=ROUNDS,
    measure=fall,
    gates=(*CONVERGED, ENCLOSED),
    criteria=(
        Criterion(
            quantity="log10 of the size with 90 % over that with 10 %",
            rule=Below(0.35, centre="mean"),
            threshold_from="a factor of 2.2 in size; forgetting in proportion takes one of 4 or more",
            expected=Expected(0.26, 0.02, "0-9"),
        ),
        Criterion(
            quantity="evidence (ΔBIC) for a sigmoid",
            rule=Exceeds(10.0, centre="mean"),
            threshold_from="the usual mark of very strong evidence (Kass and Raftery 1995)",
            expected=Expected(30.0, 5.0, "0-9"),
        ),
    ),
    controls=(
        Control(
            "forgetting in proportion",
            {"forgetting": "in proportion"},
            "a network that lost each removed example for itself would keep accuracy in proportion to what is left",
        ),
    ),
    curves=(
        Curve(
            quantities=(f"test accuracy, {GENERALISED.name}",),
            x="share of the data kept",
            y="test accuracy",
            log_x=True,
            title="How sharp the fall is",
            figure="figure 7",
        ),
    ),
    tiers=tiers(quick={**SIZES, "sweeps": (GENERALISED,), "forgetting": "as trained"}, standard=STANDARD, paper=PAPER),
    calibration_seeds=CALIBRATION,
    notes="The curve is smooth, and no phase transition is established by one modulus: a narrow sigmoid is all that is "
    "claimed and tested. Sizes are chosen seed by seed, by bisection; how many runs of the whole grid that saved is "
    "measured with the rest.",
)

# -- Weight decay ------------------------------------------------------------------------------------------------------

HALF = Sweep("generalised", 0.5)
EQUAL = math.log(1.15)

weight_decay_invariance = Prediction(
    id="varma2023.weight_decay_invariance",
    claim="What a network keeps when it goes on training on less data does not depend on weight decay, and neither "
    "does the critical size.",
    source=VARMA_2023,
    where="sections 4.1 and 5.2, figures 4 and 8",
    theory=THEORY,
    runs=first_runs,
    refine=more_runs,
    rounds=ROUNDS,
    measure=comparison,
    gates=(
        *(dataclasses.replace(gate, controls=False) for gate in CONVERGED),
        Gate(quantity="largest share of the norm that AdamW allows", below=0.7, controls=False),
        ENCLOSED,
    ),
    criteria=(
        Criterion(
            quantity="log ratio of the critical sizes",
            rule=Within(-EQUAL, EQUAL, centre="mean"),
            threshold_from="15 %, less than half of the shift that saturated weights cause",
            expected=Expected(0.03, 0.03, "0-9"),
        ),
        Criterion(
            quantity="mean absolute difference of accuracy",
            rule=Below(0.08, centre="mean"),
            threshold_from="small against the fall from 1 to 0; about what 15 % of the critical size make",
            expected=Expected(0.03, 0.01, "0-9"),
        ),
    ),
    controls=(
        Control(
            "saturated weights",
            {"sweeps": (Sweep("generalised", 2.0), GENERALISED)},
            "AdamW bounds every weight by 1 / weight decay; at 2 the norm stands near that bound, where it is no "
            "longer efficiency that decides",
        ),
    ),
    curves=(
        Curve(
            quantities=tuple(f"test accuracy, {Sweep('generalised', w).name}" for w in (0.5, 1.0, 2.0)),
            x="share of the data kept",
            y="test accuracy",
            log_x=True,
            title="Ungrokking at several weight decays",
            figure="figure 4",
        ),
    ),
    tiers=tiers(quick={**SIZES, "sweeps": (GENERALISED, HALF)}, standard=STANDARD, paper=PAPER),
    calibration_seeds=CALIBRATION,
    notes="Only the retraining's weight decay differs; the generalised network that it starts from is the same. The "
    "claim can hold only where AdamW's bound on the weights is far away, which is a gate.",
)

# -- Hysteresis --------------------------------------------------------------------------------------------------------

SCRATCH = Sweep("scratch")

hysteresis = Prediction(
    id="varma2023.hysteresis",
    claim="The size below which a network loses its generalisation is smaller than the size above which a fresh "
    "network finds it.",
    source=VARMA_2023,
    where="appendix A.2",
    theory=THEORY,
    runs=first_runs,
    refine=more_runs,
    rounds=ROUNDS,
    measure=comparison,
    gates=(*CONVERGED, ENCLOSED),
    criteria=(
        Criterion(
            quantity="log ratio of the critical sizes",
            rule=Below(math.log(0.85), centre="mean"),
            threshold_from="15 %: what still counts as equal where equality is claimed; the paper found less than 0.5",
            expected=Expected(-0.4, 0.05, "0-9"),
        ),
    ),
    controls=(
        Control(
            "the same past",
            {"sweeps": (HALF, GENERALISED)},
            "both sizes are those of one generalised network; half the weight decay is no other past",
        ),
    ),
    curves=(
        Curve(
            quantities=(f"test accuracy, {GENERALISED.name}", f"test accuracy, {SCRATCH.name}"),
            x="share of the data trained on",
            y="test accuracy",
            log_x=True,
            title="What is kept, and what is found",
            figure="figure 10(b)",
        ),
    ),
    tiers=tiers(quick={**SIZES, "sweeps": (GENERALISED, SCRATCH)}, standard=STANDARD, paper=PAPER),
    calibration_seeds=CALIBRATION,
    notes="",
)
