"""Varma, Shah, Kenton, Kramar and Kumar 2023: networks that differ in the size of their training set."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from grokscape.landscape import CriticalSize, Experiment, Record, Run, critical_size, next_size, size_grid
from grokscape.predictions import Gate, Measurement, Setting
from grokscape.predictions.papers.varma2023.setup import convergence, retraining_run_of, scratch_run

Start = Literal["generalised", "scratch"]


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

    start: Start
    weight_decay: float = 1.0

    @property
    def name(self) -> str:
        start = "generalised start" if self.start == "generalised" else "from scratch"
        return f"{start}, weight decay {self.weight_decay:g}"

    def run(self, seed: int, at: Setting, n_train: int) -> Run:
        optimiser = dataclasses.replace(at.optimiser, weight_decay=self.weight_decay)
        train = retraining_run_of if self.start == "generalised" else scratch_run
        return train(seed, at, n_train, optimiser=optimiser)

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
        if size is not None and len(sizes) < len(sweep.first_sizes(at)) + at.most:
            wanted[f"{sweep.name}/{size}"] = sweep.run(seed, at, size)
    return wanted


#: Sizes that a sweep may try after its first (``most``, where an arm is content with fewer); in calibration two were
#: enough for nearly all.
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
SIZES: Mapping[str, Any] = {
    "fractions": (0.1, 0.2, 0.335, 0.4),
    "scratch_fractions": (0.25, 0.335, 0.45, 0.5),
    "scratch_steps": 4000,
    "most": ROUNDS,
}
STANDARD: Mapping[str, Any] = {"scratch_steps": 30_000}
PAPER: Mapping[str, Any] = {
    "fractions": (0.03, 0.05, 0.08, 0.12),
    "scratch_fractions": (0.08, 0.12, 0.16, 0.25),
    "scratch_steps": 200_000,
}
