"""Adam in float64, for the learners that descend to a handful of hyper-parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

import numpy as np


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
