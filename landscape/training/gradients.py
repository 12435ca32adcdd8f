"""The gradients of an ensemble: every run's own, a cache-sized piece at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from landscape.ensemble import Stack
from landscape.training.replay import replayed

#: Bytes of the widest activation that one piece of an ensemble may hold on a CPU (measured: 1.5 to 4 MB are best).
CACHE = 2_200_000

#: Steps after which it pays to record how gradients are computed (which takes a tenth of a second, about 200 steps).
RECORD_AFTER = 200


class Gradients:
    """``dL_r / d theta_r`` for every run r of an ensemble on its training data.

    After some steps each piece's gradient is recorded and from then on replayed (`replayed`): the same numbers, sooner.

    Parameters
    ----------
    stack : Stack
    loss : callable
        Per example.
    inputs, labels : Tensor
        Shapes (runs, n_train, ...).
    width : int
        Bytes of the widest activation of one run.
    """

    def __init__(
        self,
        stack: Stack,
        loss: Callable[[Tensor, Tensor], Tensor],
        inputs: Tensor,
        labels: Tensor,
        width: int,
    ) -> None:
        self.stack, self.loss = stack, loss
        runs = len(inputs)
        # Temporaries beyond the cache cost more than the calls that larger pieces save.
        most = max(1, CACHE // width) if inputs.device.type == "cpu" else runs
        self.size = math.ceil(runs / math.ceil(runs / most))  # no piece a crumb
        self.data = list(zip(inputs.split(self.size), labels.split(self.size), strict=True))
        self.steps = 0
        self.pieces = [self._of(*piece) for piece in self.data]

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the gradients at rows (runs, P), in their shape."""
        parts = rows.split(self.size)
        if self.steps == RECORD_AFTER:
            self.pieces = [replayed(piece, part) for piece, part in zip(self.pieces, parts, strict=True)]
        self.steps += 1
        found = [piece(part) for piece, part in zip(self.pieces, parts, strict=True)]
        return found[0] if len(found) == 1 else torch.cat(found)

    def _of(self, inputs: Tensor, labels: Tensor) -> Callable[[Tensor], Tensor]:
        def gradient(rows: Tensor) -> Tensor:
            # Runs share nothing, so the gradient of the summed losses holds the gradient of each.
            leaf = rows.detach().requires_grad_(True)
            losses = self.loss(self.stack.outputs(leaf, inputs), labels).mean(1)
            return torch.autograd.grad(losses.sum(), leaf)[0]

        return gradient
