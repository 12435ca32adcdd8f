"""Small networks and data in float64 for tests of what a problem reads, and references written as plain loops."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.problem import Problem


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


INPUTS = draw(12, 4)
LABELS = torch.arange(12) % 3
TARGETS = draw(12, 1, seed=1)


def network(outputs: int = 3, seed: int = 0) -> nn.Module:
    """Return a smooth perceptron with four inputs."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, outputs)).double()


class Wrapped(nn.Module):
    """A module whose inputs or outputs are changed by functions."""

    def __init__(self, module: nn.Module, after: Callable = lambda z: z, before: Callable = lambda x: x):
        super().__init__()
        self.module, self.before, self.after = module, before, after

    def forward(self, *x):
        return self.after(self.module(self.before(*x)))


def loss_of(problem: Problem, split: str = "train") -> float:
    return float(problem.evaluate(problem.start[None], split)["loss"])


def accuracy_of(problem: Problem, split: str = "train") -> float:
    return float(problem.evaluate(problem.start[None], split)["accuracy"])


def summed_cross_entropy(
    module: nn.Module, batches: Iterable, weight: Tensor | None = None, ignored: int = -100
) -> float:
    """Return ``sum w_y loss / sum w_y`` over every single label that is not ignored, classes along axis 1."""
    total = scale = 0.0
    for inputs, labels in batches:
        outputs = module(inputs).detach().movedim(1, -1).reshape(-1, 3) if labels.ndim > 1 else module(inputs).detach()
        for z, y in zip(outputs, labels.flatten(), strict=True):
            if int(y) != ignored:
                w = 1.0 if weight is None else float(weight[y])
                total += w * float(torch.logsumexp(z, 0) - z[y])
                scale += w
    return total / scale


def dense_hessian(problem: Problem, loss: Callable, batch: tuple) -> Tensor:
    """Return the Hessian of a loss on one batch by autograd, twice."""
    return torch.autograd.functional.hessian(lambda v: loss(problem.outputs(v, batch[0]), batch[1]), problem.start)


def per_example(outputs, targets):
    return F.cross_entropy(outputs, targets, reduction="none")
