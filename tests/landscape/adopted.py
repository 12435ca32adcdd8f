"""What the tests of adopting a stranger's model share: a small network, its data, and dense Hessians of plain loops."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.problem import Problem

INPUTS = torch.randn(10, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
LABELS = torch.arange(10) % 3


def network() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()


class Body(nn.Module):
    """The network, run by a function of it and the inputs."""

    def __init__(self, function: Callable[..., Tensor], body: nn.Module | None = None) -> None:
        super().__init__()
        self.body = network() if body is None else body
        self.function = function

    def forward(self, x):
        return self.function(self, x)


def problem(model: nn.Module | None = None, loss: Callable = F.cross_entropy, **options) -> Problem:
    return Problem(network() if model is None else model, loss, (INPUTS, LABELS), **options)


def trace(problem: Problem) -> float:
    """Return the exact trace of the Hessian as the instruments have it."""
    return float(Curvature(problem).dense()[0].trace())


def true_trace(model: nn.Module, loss: Callable[[dict[str, Tensor]], Tensor]) -> float:
    """Return the trace of the dense Hessian of a loss of a model's named parameters, by torch alone."""
    start = {name: p.detach() for name, p in model.named_parameters()}

    def flat(vector: Tensor) -> Tensor:
        parts = vector.split([p.numel() for p in start.values()])
        return loss({n: part.view(p.shape) for (n, p), part in zip(start.items(), parts, strict=True)})

    vector = torch.cat([p.flatten() for p in start.values()])
    return float(torch.autograd.functional.hessian(flat, vector).trace())


def plain_loss(model: nn.Module) -> Callable[[dict[str, Tensor]], Tensor]:
    return lambda parameters: F.cross_entropy(functional_call(model, parameters, (INPUTS,)), LABELS)


PLAIN = true_trace(network(), plain_loss(network()))
