"""Training steps as compiled code, for the networks whose trainings make up most of what is asked for.

A model offers this or does not (`Fused`); without, and wherever the compiler (numba) is missing, PyTorch computes the
same, slower. What compiled code computes is what PyTorch does up to rounding; the tests hold one against the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from landscape.layout import Layout

#: From parameters, shape (runs, P), to what is computed of them, one row after another.
OfRows = Callable[[Tensor], Tensor]


class Fused(ABC):
    """How compiled code computes a network; what a model returns that offers it.

    Both methods may raise `ImportError` where there is no compiler, and return None for what they cannot compute.
    """

    @abstractmethod
    def gradient(self, layout: Layout, dtype: torch.dtype, loss: str, inputs: Tensor, labels: Tensor) -> OfRows | None:
        """Return a function from parameters (runs, P) to each run's gradient of its mean loss, of the same shape.

        Parameters
        ----------
        layout : Layout
            Where each parameter stands in a row.
        dtype : torch.dtype
            Of the parameters.
        loss : str
            A name in `landscape.objectives.OBJECTIVES`.
        inputs, labels : Tensor, shape (runs, examples, ...)
            What each run is trained on.
        """

    @abstractmethod
    def outputs(self, layout: Layout, dtype: torch.dtype, inputs: Tensor) -> OfRows | None:
        """Return a function from parameters (P,) of one run to its outputs on inputs (examples, ...)."""
