"""The toy model of two fixed circuits that compete for weight (Varma et al. 2023, arXiv:2309.02390, section 3).

Both circuits put logit 1 on the correct class of every training example. On a test example the generalising circuit
does the same and the memorising circuit puts 1 on a wrong class. Their outputs are added with weights
``w_g = g1 g2`` and ``w_m = m1 m2``; each product is learnt by gradient descent on its two factors, so that a small
second factor makes a circuit slow. With q classes::

    train loss = ln(e^(w_g + w_m) + q - 1) - (w_g + w_m)
    test loss  = ln(e^w_g + e^w_m + q - 2) - w_g
    penalty    = c * sum_i (P_i w_i^(1 / kappa))^2

``P_i`` is the parameter norm that circuit i needs for unit weight: the smaller, the more efficient. The paper's text
allows two readings of c, ``alpha`` and ``alpha / 2``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from grokscape.landscape.experiment import COLUMNS, ROW, Experiment, Outcome, Session
from grokscape.landscape.training.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class TwoCircuits(Experiment, kind="two_circuits"):
    """Gradient descent on the two-circuit toy model.

    Parameters
    ----------
    norm_gen, norm_mem : float
        P_g and P_m.
    start_gen, start_mem : float
        Second factors g2 and m2 at the start; the first factors start at 0.
    kappa : float
        Homogeneity of the circuits, in (0, 2): below 2 every circuit keeps weight at the optimum.
    alpha : float
        Strength of the penalty.
    reading : {"alpha/2", "alpha"}
        Which coefficient c is meant.
    classes : int
        q.
    lr : float
    steps : int
    record : Schedule
    """

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **dict.fromkeys(("train", "test"), ("loss",)),
        "": ("weight_gen", "weight_mem"),
    }

    norm_gen: float = 1.0
    norm_mem: float = 2.0
    start_gen: float = 0.005
    start_mem: float = 1.0
    kappa: float = 1.2
    alpha: float = 0.005
    reading: Literal["alpha/2", "alpha"] = "alpha/2"
    classes: int = 113
    lr: float = 0.01
    steps: int = 40_000
    record: Schedule = field(default_factory=lambda: Schedule(per_decade=60, every=500))

    #: Four numbers an experiment: arrays of this length cost no more than arrays of eight.
    largest_batch: ClassVar[int | None] = 512

    def validate(self) -> None:
        if not 0 < self.kappa < 2:
            self.refuse("kappa", "a number in (0, 2)", "from 2 on all weight goes to one circuit")
        for name in ("norm_gen", "norm_mem", "start_gen", "start_mem", "lr"):
            if getattr(self, name) <= 0:
                self.refuse(name, "a positive number")
        self.refuse_extremes("norm_gen", "norm_mem", "start_gen", "start_mem", "lr", "alpha")
        if self.alpha < 0:
            self.refuse("alpha", "a number that is not negative")
        for name, least in (("classes", 3), ("steps", 1)):
            if getattr(self, name) < least:
                self.refuse(name, f"at least {least}")

    @property
    def batch_key(self) -> str:
        return self.record.canonical

    @property
    def work(self) -> float:
        # That of the usual records is in the steps.
        return 1.6e4 * self.steps + 3e5 * max(0, self.record.count(self.steps) - 1000)

    def memory(self, batch_size: int) -> float:
        return 4.0 * ROW * batch_size * self.record.count(self.steps)

    @property
    def predicted_ratio(self) -> float:
        """``w_g / w_m`` at the global minimum: ``(P_m / P_g)^(2 kappa / (2 - kappa))`` (theorem D.4)."""
        return float((self.norm_mem / self.norm_gen) ** (2 * self.kappa / (2 - self.kappa)))

    @classmethod
    def train(cls, batch: Sequence[TwoCircuits], session: Session) -> Iterator[tuple[TwoCircuits, Outcome]]:
        began = time.perf_counter()
        experiments = sorted(batch, key=lambda experiment: experiment.steps)
        state = _State(experiments)
        rows: list[list[tuple[int, str, str, float]]] = [[] for _ in experiments]
        last = experiments[-1].steps
        due = [set(experiment.record.steps(experiment.steps)) for experiment in experiments]
        steps = set().union(*due)
        gone = 0
        for step in range(last + 1):
            if step in steps:
                measured = state.measure()
                for index in range(gone, len(experiments)):
                    if step in due[index]:
                        rows[index] += [(step, *key, float(values[index - gone])) for key, values in measured.items()]
                finished = sum(experiment.steps == step for experiment in experiments[gone:])
                for index in range(gone, gone + finished):
                    info = {"last_step": step, "stopped_by": "steps", "ensemble": len(experiments)}
                    info["seconds"] = (time.perf_counter() - began) / len(experiments)
                    yield experiments[index], Outcome(pd.DataFrame(rows[index], columns=list(COLUMNS)), {}, info)
                if finished:
                    gone += finished
                    state.drop(finished)
                session.report(step / last)
            state.advance()


class _State:
    """All experiments as arrays of shape (2 circuits, experiments); generalising first."""

    def __init__(self, experiments: Sequence[TwoCircuits]) -> None:
        self.first = np.zeros((2, len(experiments)))
        self.second = np.array([[e.start_gen for e in experiments], [e.start_mem for e in experiments]])
        norms = np.array([[e.norm_gen for e in experiments], [e.norm_mem for e in experiments]])
        self.exponent = np.array([2 / e.kappa for e in experiments])
        strength = np.array([e.alpha / 2 if e.reading == "alpha/2" else e.alpha for e in experiments])
        self.slope = strength * self.exponent * norms**2
        self.classes = np.array([float(e.classes) for e in experiments])
        self.lr = np.array([e.lr for e in experiments])

    def advance(self) -> None:
        weights = self.first * self.second
        error = -(self.classes - 1) / (np.exp(weights.sum(0)) + self.classes - 1)
        push = error + self.slope * np.sign(weights) * np.abs(weights) ** (self.exponent - 1)
        push *= self.lr
        self.first, self.second = self.first - push * self.second, self.second - push * self.first

    def measure(self) -> dict[tuple[str, str], np.ndarray]:
        """Return (split, quantity) -> values, shape (experiments,)."""
        gen, mem = self.first * self.second
        train = np.logaddexp(gen + mem, np.log(self.classes - 1)) - (gen + mem)
        other = np.log(np.maximum(self.classes - 2, math.ulp(0.0)))
        test = np.logaddexp(np.logaddexp(gen, mem), other) - gen
        return {("train", "loss"): train, ("test", "loss"): test, ("", "weight_gen"): gen, ("", "weight_mem"): mem}

    def drop(self, count: int) -> None:
        """Let the first `count` experiments leave."""
        for name, values in vars(self).items():
            setattr(self, name, values[..., count:])
