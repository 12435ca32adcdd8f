"""Networks that differ in the size of their training set: how they are called, and which sizes are tried."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from grokscape.landscape import Record, Run
from grokscape.predictions import Gate, Measurement, Setting, SizeSearch
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


def run_of_sweep(seed: int, at: Setting, n_train: int, sweep: Sweep) -> Run:
    return sweep.run(seed, at, n_train)


def first_sizes_of_sweep(at: Setting, sweep: Sweep) -> Sequence[float]:
    return at.fractions if sweep.start == "generalised" else at.scratch_fractions


#: What the setting's ``sweeps`` lists, each searched for its critical size. In calibration two sizes after the first
#: were enough for nearly all.
SEARCH = SizeSearch(
    run=run_of_sweep,
    curves="sweeps",
    name=operator.attrgetter("name"),
    first_sizes=first_sizes_of_sweep,
    ratio=1.04,
    most=3,
)


def sweep_curves(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    """Every sweep's accuracies and critical size, and the runs that trying the whole grid would have cost besides."""
    lost = 0
    for sweep in at.sweeps:
        for size, accuracy in SEARCH.tried(records, sweep).items():
            yield Measurement(f"test accuracy, {sweep.name}", float(accuracy), at=size / at.task.size)
        found = SEARCH.critical_size(records, at, sweep)
        yield Measurement(f"critical size, {sweep.name}", found.estimate)
        lost += not found.bracketed
    yield Measurement("critical sizes out of range", lost)
    yield Measurement("runs saved by adaptive sampling", SEARCH.runs_saved(records, at))
    yield from convergence(records)


#: A critical size that no two tried sizes enclose is unknown, and nothing can be said about it.
ENCLOSED = Gate(quantity="critical sizes out of range", below=0.5)
#: The sizes tried first, whatever they show; those between them follow.
SIZES: Mapping[str, Any] = {
    "fractions": (0.1, 0.2, 0.335, 0.4),
    "scratch_fractions": (0.25, 0.335, 0.45, 0.5),
    "scratch_steps": 4000,
    "most": SEARCH.most,
}
STANDARD: Mapping[str, Any] = {"scratch_steps": 30_000}
PAPER: Mapping[str, Any] = {
    "fractions": (0.03, 0.05, 0.08, 0.12),
    "scratch_fractions": (0.08, 0.12, 0.16, 0.25),
    "scratch_steps": 200_000,
}
