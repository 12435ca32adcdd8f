"""Small networks of many kinds, in float64, with data and a loss: what every curvature estimate is held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.problem import Problem


@dataclass(frozen=True)
class Case:
    """A module, a loss and data."""

    module: nn.Module
    loss: Callable
    inputs: Tensor
    targets: Tensor

    def problem(self, **options) -> Problem:
        return Problem(self.module, self.loss, (self.inputs, self.targets), **options)

    def flat_loss(self, problem: Problem) -> Callable[[Tensor], Tensor]:
        """Return the mean loss of a vector, written with ``functional_call`` alone."""

        def mean(vector: Tensor) -> Tensor:
            tensors, first = {}, 0
            for name, shape in problem.layout.shapes.items():
                tensors[name] = vector[first : first + shape.numel()].view(shape)
                first += shape.numel()
            outputs = torch.func.functional_call(self.module.eval(), tensors, (self.inputs,))
            return self.loss(outputs, self.targets).mean()

        return mean


class Tied(nn.Module):
    """An autoencoder whose decoder is the encoder's transpose, and a weight used twice under two names."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(6, 4)
        self.middle = nn.Linear(4, 4)
        self.again = nn.Linear(4, 4)
        self.again.weight = self.middle.weight

    def forward(self, x):
        hidden = torch.tanh(self.again(torch.tanh(self.middle(torch.tanh(self.encoder(x))))))
        return hidden @ self.encoder.weight


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.attention(x, x, x, need_weights=False)[0].mean(1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class EmbeddingOnly(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(7, 4)

    def forward(self, x):
        return self.tokens(x).prod(1) @ self.tokens.weight.T


class Unused(nn.Module):
    """Some parameters have no part in the output, one has no elements, and one is frozen."""

    def __init__(self):
        super().__init__()
        self.used = nn.Linear(4, 3)
        self.unused = nn.Linear(2, 2)
        self.empty = nn.Parameter(torch.zeros(0, 3))
        self.frozen = nn.Parameter(torch.full((3,), 0.3), requires_grad=False)

    def forward(self, x):
        return torch.tanh(self.used(x)) * self.frozen


def case(name: str, dtype: torch.dtype = torch.float64) -> Case:
    """Return a case by name, the same at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(sum(map(ord, name)))
        real = torch.randn(12, 4, dtype=torch.float64)
        classes = torch.randint(3, (12,))
        made = {
            "mlp": lambda: (nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)), F.cross_entropy, real, classes),
            "tied": lambda: (Tied(), F.mse_loss, *[torch.randn(12, 6, dtype=torch.float64)] * 2),
            "conv": lambda: (
                nn.Sequential(nn.Conv1d(2, 3, 3), nn.Softplus(), nn.Flatten(), nn.Linear(9, 3)),
                F.cross_entropy,
                torch.randn(12, 2, 5, dtype=torch.float64),
                classes,
            ),
            "attention": lambda: (Attention(), F.cross_entropy, torch.randn(12, 4, 6, dtype=torch.float64), classes),
            "lstm": lambda: (Recurrent(), F.cross_entropy, torch.randn(12, 5, 3, dtype=torch.float64), classes),
            "embedding": lambda: (EmbeddingOnly(), F.cross_entropy, torch.randint(7, (12, 2)), torch.randint(7, (12,))),
            "batch norm": lambda: (
                nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 3)),
                F.cross_entropy,
                real,
                classes,
            ),
            "unused": lambda: (Unused(), F.mse_loss, real, torch.randn(12, 3, dtype=torch.float64)),
        }
        torch.set_default_dtype(torch.float64)  # so that both precisions draw the same numbers
        try:
            module, loss, inputs, targets = made[name]()
        finally:
            torch.set_default_dtype(torch.float32)
        return Case(module.to(dtype), loss, *(t.to(dtype) if t.is_floating_point() else t for t in (inputs, targets)))


CASES = ("mlp", "tied", "conv", "attention", "lstm", "embedding", "batch norm", "unused")
