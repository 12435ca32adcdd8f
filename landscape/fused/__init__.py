"""Training steps as compiled code, for the networks whose trainings make up most of what is asked for.

A model offers this or does not (`Fused`); without, and wherever the compiler (numba) is missing, PyTorch computes the
same, slower. What compiled code computes is what PyTorch does up to rounding; the tests hold one against the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from grokscape.landscape.fused.steps import Steps
    from grokscape.landscape.layout import Layout

#: From parameters, shape (runs, P), to what is computed of them, one row after another.
OfRows = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Gradient:
    """A gradient, and where that is faster a training of many steps.

    Parameters
    ----------
    of : callable
        From parameters (runs, P) to gradients.
    train : callable
        Takes steps (a `grokscape.landscape.fused.steps.Steps`), norms to which runs are scaled after each (empty if
        they are not), the number of the first step and how many; changes the rows of the steps as so many single steps
        would.
    """

    of: OfRows
    train: Callable[[Steps, np.ndarray, int, int], None]

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the gradients at rows."""
        return self.of(rows)


class Fused(ABC):
    """How compiled code computes a network; what a model returns that offers it.

    Both methods may raise `ImportError` where there is no compiler, and return None for what they cannot compute.
    """

    @abstractmethod
    def gradient(self, layout: Layout, dtype: torch.dtype, loss: str, inputs: Tensor, labels: Tensor) -> OfRows | None:
        """Return a function from parameters (runs, P) to each run's gradient of its mean loss, of the same shape.

        A `Gradient` where many steps are faster taken at once.

        Parameters
        ----------
        layout : Layout
            Where each parameter stands in a row.
        dtype : torch.dtype
            Of the parameters.
        loss : str
            A name in `grokscape.landscape.objectives.OBJECTIVES`.
        inputs, labels : Tensor, shape (runs, examples, ...)
            What each run is trained on.
        """

    @abstractmethod
    def outputs(self, layout: Layout, dtype: torch.dtype, inputs: Tensor) -> OfRows | None:
        """Return a function from parameters (P,) of one run to its outputs on inputs (examples, ...)."""
