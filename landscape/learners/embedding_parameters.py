"""Stacked parameters of many runs under AdamW, laid end to end: one operation updates them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.optimisers import AdamW


class Parameters:
    """Arrays of many runs in one vector, beside their gradients and the moments of `AdamW`.

    Networks of a few thousand parameters spend their time in the fixed cost and the memory traffic of operations. So
    gradients are written where they are needed, and a step is that of `AdamW` with as few passes as can be::

        theta <- (1 - lr wd) theta - lr sqrt(c2) / c1 * m / (sqrt(v) + eps sqrt(c2)),    c = 1 - beta^step

    Parameters
    ----------
    arrays : sequence of Tensor, shape (runs, ...)
    optimisers : sequence of AdamW
        One for each run, alike in all but learning rate and weight decay.

    Attributes
    ----------
    arrays, gradients : list of Tensor, shape (runs, ...)
        Views of `values` and `slopes`.
    """

    #: What a run needs to go on, by attribute.
    KEPT = ("values", "mean", "square")

    def __init__(self, arrays: Sequence[Tensor], optimisers: Sequence[AdamW]) -> None:
        self.beta1, self.beta2, self.eps = optimisers[0].beta1, optimisers[0].beta2, optimisers[0].eps
        self.rates = arrays[0].new_tensor([optimiser.lr for optimiser in optimisers])
        self.decays = arrays[0].new_tensor([optimiser.weight_decay for optimiser in optimisers])
        nothing = [torch.zeros_like(array) for array in arrays]
        self._lay(arrays, nothing, nothing)

    def _lay(self, values: Sequence[Tensor], mean: Sequence[Tensor], square: Sequence[Tensor]) -> None:
        """Lay arrays end to end, and the rates of their runs beside them."""
        self._shapes = [array.shape for array in values]
        self.values, self.mean, self.square = (
            torch.cat([array.flatten() for array in arrays]) for arrays in (values, mean, square)
        )
        self.slopes, self._work = torch.zeros_like(self.values), torch.empty_like(self.values)
        self.arrays, self.gradients = self._views(self.values), self._views(self.slopes)
        spread = [(array.shape[0], array[0].numel()) for array in values]
        self._rate = torch.cat([self.rates[:, None].expand(*shape).flatten() for shape in spread])
        kept = 1 - self.rates * self.decays
        decays = bool((kept != 1).any())
        self._kept = torch.cat([kept[:, None].expand(*shape).flatten() for shape in spread]) if decays else None

    def hyper_parameters(self) -> Tensor:
        """Return those of each run in the order of the fields of `AdamW`, float64 of shape (runs, 5)."""
        alike = torch.tensor([self.beta1, self.beta2, self.eps], dtype=torch.float64)
        return torch.cat([self.rates[:, None], self.decays[:, None], alike.expand(len(self.rates), 3)], 1)

    def _views(self, vector: Tensor) -> list[Tensor]:
        parts = vector.split([shape.numel() for shape in self._shapes])
        return [part.view(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def step(self, number: int) -> None:
        """Update the arrays from their gradients; `number` is 1 at the first step."""
        first, second = 1 - self.beta1**number, (1 - self.beta2**number) ** 0.5
        self.mean.lerp_(self.slopes, 1 - self.beta1)
        self.square.mul_(self.beta2).addcmul_(self.slopes, self.slopes, value=1 - self.beta2)
        torch.sqrt(self.square, out=self._work).add_(self.eps * second)
        torch.div(self.mean, self._work, out=self._work)
        if self._kept is not None:
            self.values.mul_(self._kept)
        self.values.addcmul_(self._work, self._rate, value=-second / first)

    def keep(self, staying: list[int]) -> None:
        """Let all but some runs leave."""
        kept = ([array[staying] for array in self._views(getattr(self, name))] for name in self.KEPT)
        self.rates, self.decays = self.rates[staying], self.decays[staying]
        self._lay(*kept)

    def of_run(self, row: int) -> dict[str, np.ndarray]:
        """Return a copy of one run's values and moments, each end to end."""
        return {
            name: torch.cat([view[row].flatten() for view in self._views(getattr(self, name))]).cpu().numpy()
            for name in self.KEPT
        }

    def restore(self, saved: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Put every run where `of_run` found it."""
        for name in self.KEPT:
            views = self._views(getattr(self, name))
            for row, arrays in enumerate(saved):
                parts = torch.from_numpy(arrays[name]).split([view[row].numel() for view in views])
                for view, part in zip(views, parts, strict=True):
                    view[row] = part.view_as(view[row])
