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


def paired(data: Tensor) -> Tensor:
    """Return what one run has, shape (1, ...), twice; what several have as it is.

    PyTorch lays out what a single run has otherwise than what two or more have: a dimension of size one needs no copy
    where others do. Matrix products round by layout (MKL's do on some processors, whatever ``MKL_CBWR`` is), so a run
    that is alone is computed beside a copy of itself, and its numbers are those that it has in any batch.
    """
    return torch.cat([data, data]) if len(data) == 1 else data


def pieces(runs: int, most: int) -> int:
    """Return into how many pieces of about `most` runs to cut an ensemble, none of them a single run unless all are."""
    if most == 1:
        return runs
    return max(1, min(math.ceil(runs / most), runs // 2))


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
        self.data = list(zip(*(data.tensor_split(pieces(runs, most)) for data in (inputs, labels)), strict=True))
        self.sizes = [len(own) for own, _ in self.data]
        # Runs that are large enough to be stepped one by one are so in any batch; nobody else is stepped alone.
        self.gradients = [self._of(*piece, alone=most == 1) for piece in self.data]
        self.steps = 0

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the gradients at rows (runs, P), in their shape."""
        parts = rows.split(self.sizes)
        if self.steps == RECORD_AFTER:
            self.gradients = [replayed(one, part) for one, part in zip(self.gradients, parts, strict=True)]
        self.steps += 1
        found = [one(part) for one, part in zip(self.gradients, parts, strict=True)]
        return found[0] if len(found) == 1 else torch.cat(found)

    def _of(self, inputs: Tensor, labels: Tensor, *, alone: bool) -> Callable[[Tensor], Tensor]:
        if len(inputs) == 1 and not alone:
            inputs, labels = paired(inputs), paired(labels)
            beside_itself = self._of(inputs, labels, alone=alone)
            return lambda rows: beside_itself(paired(rows))[:1]

        def gradient(rows: Tensor) -> Tensor:
            # Runs share nothing, so the gradient of the summed losses holds the gradient of each.
            leaf = rows.detach().requires_grad_(True)
            losses = self.loss(self.stack.outputs(leaf, inputs), labels).mean(1)
            return torch.autograd.grad(losses.sum(), leaf)[0]

        return gradient
