"""The effective theory of representation learning, by itself: its gradient flow and its critical size.

A training set D asks of an embedding E (one number a symbol) that its parallelograms hold, the q rows of ``A E = 0``
(see `parallelograms`). The effective loss of Liu et al. 2022 (arXiv:2205.10343) is how far they are from it, in units
of the embedding's own spread, so that nothing is gained by shrinking::

    l(E) = |A E|^2 / (q Z),    Z = sum_k (E_k - mean E)^2,    dE/dt = -grad l

The flow conserves ``sum E`` and ``sum E^2``: l changes neither by a shift nor by a factor. (With ``Z = sum E^2``, the
other reading, only the latter holds, unless the mean is 0.) Near its end A E falls as ``exp(-lambda_3 t)``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from scipy.integrate import solve_ivp

from grokscape.landscape import randomness
from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome, Session
from grokscape.landscape.theory import parallelograms

#: The rank of all that a training set asks for is found when a flow is described; with more symbols that takes seconds.
MOST_SYMBOLS_IN_A_FLOW = 48


@dataclass(frozen=True, kw_only=True)
class EffectiveFlow(Experiment, kind="effective_flow"):
    """The gradient flow of the effective loss, integrated to 12 digits.

    Step s stands for the time ``s / (10 lambda_3)``. It records "sum", "sum of squares", "loss" and "residual",
    ``|A E| / sqrt(q Z)`` with the Z of the start.

    Parameters
    ----------
    symbols : int
    n_train : int
        Pairs in the training set, which must leave a single line (nullity 2).
    seed : int
        Decides the embedding at the start, from U(-1/2, 1/2), and the training set, each independently.
    draw : int
        Which of the training sets of a seed.
    scale : {"spread", "norm", "none"}
        Z: ``sum (E - mean)^2``, ``sum E^2``, or its value at the start for ever.
    span : float
        Duration in units of ``1 / lambda_3``.
    """

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {"": ("sum", "sum of squares", "loss", "residual")}

    symbols: int = 10
    n_train: int = 45
    seed: int
    draw: int = 0
    scale: Literal["spread", "norm", "none"] = "spread"
    span: float = 20.0

    def validate(self) -> None:
        if not 3 <= self.symbols <= MOST_SYMBOLS_IN_A_FLOW:
            self.refuse("symbols", f"between 3 and {MOST_SYMBOLS_IN_A_FLOW}")
        number = parallelograms.number_of_pairs(self.symbols)
        if not 1 <= self.n_train <= number:
            self.refuse("n_train", f"between 1 and {number}")
        for name in ("seed", "draw"):
            if getattr(self, name) < 0:
                self.refuse(name, "not negative")
        if self.span <= 0:
            self.refuse("span", "a positive number")
        if self.span > 1e6:
            self.refuse("span", "at most 1e6", "there are ten records in each unit")
        if parallelograms.grokking_rate(self.symbols, self.train_pairs) == 0:
            self.refuse("n_train", "a size whose training set has nullity 2", "a larger one leaves fewer embeddings")

    @property
    def train_pairs(self) -> np.ndarray:
        """Indices of the pairs in the training set, shape (n_train,)."""
        number = len(parallelograms.pairs(self.symbols))
        return randomness.permutation(number, self.seed, f"pairs/{self.draw}")[: self.n_train]

    @property
    def start(self) -> np.ndarray:
        """The embedding at the start, shape (p,)."""
        return randomness.generator(self.seed, "embedding").uniform(-0.5, 0.5, self.symbols)

    @property
    def rate(self) -> float:
        """``lambda_3`` at the spread of the start, which the flow of the effective loss conserves."""
        spread = float(np.square(self.start - self.start.mean()).sum())
        return parallelograms.grokking_rate(self.symbols, self.train_pairs, spread)

    @property
    def work(self) -> float:
        return 1e7 * self.span

    def memory(self, batch_size: int) -> float:  # noqa: ARG002 - one after the other
        return 8.0 * self.symbols**4 + 80.0 * self.span * (2 * self.symbols + 8)

    @classmethod
    def train(cls, batch: Sequence[EffectiveFlow], session: Session) -> Iterator[tuple[EffectiveFlow, Outcome]]:  # noqa: ARG003
        for experiment in batch:
            yield experiment, experiment.integrated()

    def effective_loss(self, places: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss at an embedding (p,), and its gradient (p,)."""
        asked = parallelograms.rows(self.symbols, parallelograms.asked(self.symbols, self.train_pairs))
        return _loss(asked.T @ asked / len(asked), self.scale, self.start, places)

    def integrated(self) -> Outcome:
        """Integrate from the start."""
        began = time.perf_counter()
        asked = parallelograms.rows(self.symbols, parallelograms.asked(self.symbols, self.train_pairs))
        form, start = asked.T @ asked / len(asked), self.start
        steps = np.arange(round(10 * self.span) + 1)
        found = solve_ivp(
            lambda _, places: -_loss(form, self.scale, start, places)[1],
            (0.0, steps[-1] / (10 * self.rate)),
            start,
            method="DOP853",
            t_eval=steps / (10 * self.rate),
            rtol=1e-12,
            atol=1e-15,
        )
        path, spread = found.y.T, np.square(start - start.mean()).sum()
        values = {
            "sum": path.sum(1),
            "sum of squares": np.square(path).sum(1),
            "loss": np.array([_loss(form, self.scale, start, places)[0] for places in path]),
            "residual": np.sqrt(np.square(path @ asked.T).sum(1) / (len(asked) * spread)),
        }
        tables = [pd.DataFrame({"step": steps, "split": "", "quantity": k, "value": v}) for k, v in values.items()]
        info = {"last_step": int(steps[-1]), "stopped_by": "steps", "seconds": time.perf_counter() - began}
        return Outcome(pd.concat(tables, ignore_index=True)[list(COLUMNS)], {}, info | {"ensemble": 1})


def _loss(form: np.ndarray, scale: str, start: np.ndarray, places: np.ndarray) -> tuple[float, np.ndarray]:
    measured = {"spread": places - places.mean(), "norm": places, "none": start - start.mean()}[scale]
    size, energy = float(measured @ measured), float(places @ form @ places)
    slope = 2 * form @ places / size
    if scale != "none":
        slope -= 2 * energy / size**2 * measured
    return energy / size, slope


@dataclass(frozen=True, kw_only=True)
class ParallelogramCriticalSize(Experiment, kind="parallelogram_critical_size"):
    """How often a random training set leaves a single line (nullity 2), by its size.

    Step n stands for n training pairs; "determined" is the share of random orders of all pairs whose first n do so.

    Parameters
    ----------
    symbols : int
    draws : int
        Random orders.
    seed : int
    labels : {"true", "shuffled"}
        Shuffled labels deal the sums out at random, anew for each seed.
    """

    quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {"": ("determined",)}

    symbols: int = 10
    draws: int = 200
    seed: int
    labels: Literal["true", "shuffled"] = "true"

    def validate(self) -> None:
        for name, least in (("symbols", 3), ("draws", 1), ("seed", 0)):
            if getattr(self, name) < least:
                self.refuse(name, f"at least {least}")
        if self.symbols > parallelograms.MOST_SYMBOLS:
            self.refuse("symbols", f"at most {parallelograms.MOST_SYMBOLS}")

    @property
    def work(self) -> float:
        return 2e4 * self.draws * self.symbols**2

    def memory(self, batch_size: int) -> float:  # noqa: ARG002 - one after the other
        return 8.0 * self.draws * self.symbols**2 + 100.0 * self.symbols**3

    @classmethod
    def train(
        cls,
        batch: Sequence[ParallelogramCriticalSize],
        session: Session,  # noqa: ARG003
    ) -> Iterator[tuple[ParallelogramCriticalSize, Outcome]]:
        for experiment in batch:
            began = time.perf_counter()
            total = parallelograms.sums(experiment.symbols)
            if experiment.labels == "shuffled":
                total = total[randomness.permutation(len(total), experiment.seed, "labels")]
            sizes = parallelograms.critical_sizes(experiment.symbols, experiment.draws, experiment.seed, labels=total)
            steps = np.arange(len(total) + 1)
            share = (sizes[None] <= steps[:, None]).mean(1)
            table = pd.DataFrame({"step": steps, "split": "", "quantity": "determined", "value": share})
            info = {"last_step": int(steps[-1]), "stopped_by": "steps", "seconds": time.perf_counter() - began}
            yield experiment, Outcome(table[list(COLUMNS)], {}, info | {"ensemble": 1})
