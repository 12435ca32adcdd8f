"""The gradients of an ensemble: every run's own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from grokscape.landscape.graph_capture import captured, fold_constants
from grokscape.landscape.objectives import OBJECTIVES
from grokscape.landscape.stack import Stack
from grokscape.landscape.training.arithmetic import plain_gradient

#: Gradients after which it pays to record how they are computed (which takes a tenth of a second, about 200 of them).
RECORD_AFTER = 200


class OneByOne:
    """``dL_r / d theta_r`` of one run r after another: by the same operations, on memory laid out alike.

    So a run's numbers do not depend on who else is there. After some gradients how they are computed is recorded and
    from then on replayed (`captured`): the same numbers, sooner.

    Parameters
    ----------
    stack : Stack
    loss : str
        A name in `OBJECTIVES`.
    inputs, labels : Tensor
        Shapes (runs, n_train, ...).
    """

    def __init__(self, stack: Stack, loss: str, inputs: Tensor, labels: Tensor) -> None:
        # Each run's data in memory of its own, which PyTorch begins at a multiple of 64 bytes.
        self.data = [(own.clone(), its.clone()) for own, its in zip(inputs, labels, strict=True)]
        self.gradient = plain_gradient(stack, loss)
        self.taken = 0
        self.slopes: Tensor | None = None

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the gradients at rows (runs, P), in their shape; the next call overwrites them."""
        if self.slopes is None:
            self.slopes = torch.zeros_like(rows)
        for row, slope, data in zip(rows, self.slopes, self.data, strict=True):
            if self.taken == RECORD_AFTER:
                self.gradient = captured(self.gradient, row, *data, simplify=fold_constants)
            self.taken += 1
            slope.copy_(self.gradient(row, *data))
        return self.slopes


def together(stack: Stack, loss: str, inputs: Tensor, labels: Tensor) -> Callable[[Tensor], Tensor]:
    """Return the function from rows (runs, P) to the gradients of all runs at once, for devices that have room."""
    objective = OBJECTIVES[loss]

    def gradient(rows: Tensor) -> Tensor:
        # Runs share nothing, so the gradient of the summed losses holds the gradient of each.
        leaf = rows.detach().requires_grad_(True)
        losses = objective(stack.outputs(leaf, inputs), labels).mean(1)
        return torch.autograd.grad(losses.sum(), leaf)[0]

    return gradient
