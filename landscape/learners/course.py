"""What the learners that descend to their hyper-parameters have in common: Adam in float64, and a table to fill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd

from grokscape.landscape.experiment import COLUMNS, Outcome, Weights


class Evaluation(Protocol):
    """An objective at one place."""

    @property
    def gradient(self) -> np.ndarray:
        """Of the objective, shape (P,)."""


E = TypeVar("E", bound=Evaluation)


def adam(evaluate: Callable[[np.ndarray], E], start: np.ndarray, lr: float, steps: int) -> Iterator[tuple[int, E]]:
    """Yield the evaluations at steps 0, 1, ..., `steps` of Adam (Kingma and Ba 2015, arXiv:1412.6980).

    With its usual constants: 0.9, 0.999 and 1e-8. The place (P,) that an evaluation gets is its own to keep.
    """
    # In NumPy: for a handful of parameters PyTorch's calls would take longer than most evaluations.
    place, mean, square = np.array(start, dtype=np.float64), np.zeros(len(start)), np.zeros(len(start))
    for step in range(1, steps + 2):
        found = evaluate(place.copy())
        yield step - 1, found
        mean += 0.1 * (found.gradient - mean)
        square += 0.001 * (found.gradient**2 - square)
        place -= lr * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)


class Course:
    """The records of one training, as they come."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._rows: list[tuple[int, str, str, float]] = []

    def note(self, step: int, values: Mapping[tuple[str, str], float]) -> None:
        """Record values at a step, by split and quantity."""
        self._rows += [(step, split, quantity, float(value)) for (split, quantity), value in values.items()]

    def outcome(self, last: int, weights: Weights) -> Outcome:
        """Return what the training leaves behind, with the weights at its last step."""
        info = {"last_step": last, "stopped_by": "steps", "seconds": time.perf_counter() - self._began, "ensemble": 1}
        return Outcome(pd.DataFrame(self._rows, columns=list(COLUMNS)), {last: weights}, info)
