"""Matrices that are known, and a small trained network: what iterations and stochastic estimators are tested on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.problem import Problem


class Known:
    """Symmetric matrices that are known, shape (networks, P, P)."""

    def __init__(self, matrices: Tensor) -> None:
        self.matrices = matrices
        self.count, self.size = matrices.shape[:2]
        self.dtype, self.device = matrices.dtype, matrices.device

    def matvec(self, vectors: Tensor) -> Tensor:
        return (self.matrices @ vectors[:, :, None])[:, :, 0]

    def select(self, networks: Tensor) -> Known:
        return Known(self.matrices[networks])

    def dense(self) -> Tensor:
        return self.matrices


class Repeated(Known):
    """One matrix as often as there are seeds, so that all seeds are measured side by side; counts its products."""

    def __init__(self, matrix: Tensor, count: int) -> None:
        super().__init__(matrix.expand(count, -1, -1))
        self.matvecs = 0

    def matvec(self, vectors: Tensor) -> Tensor:
        self.matvecs += 1
        return vectors @ self.matrices[0]


def with_spectrum(values: Sequence[float], seed: int) -> Tensor:
    """Return a random symmetric matrix with these eigenvalues, shape (P, P)."""
    generator = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(torch.randn(len(values), len(values), dtype=torch.float64, generator=generator))
    return (basis * torch.as_tensor(values, dtype=torch.float64)) @ basis.T


def bowl(values: Sequence[float]) -> Problem:
    """Return the problem whose Hessian is diagonal with these values."""
    values = torch.as_tensor(values, dtype=torch.float64)

    def half(parameters, inputs):
        return 0.5 * (values * parameters["x"].square()).sum() * inputs

    one = torch.ones(1, dtype=torch.float64)
    return Problem(half, lambda z, _: z, (one, one), parameters={"x": torch.ones_like(values)})


def perceptron(hidden: int, classes: int, dtype: torch.dtype = torch.float64, steps: int = 0) -> Problem:
    """Return a network from six inputs, after some steps of gradient descent."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, hidden), nn.Tanh(), nn.Linear(hidden, classes)).to(dtype)
        data = torch.randn(64, 6, dtype=dtype), torch.randint(classes, (64,))
    problem = Problem(model, F.cross_entropy, data)
    row = problem.start[None].clone()
    for _ in range(steps):
        row -= 0.5 * problem.gradients(row)[1]
    with torch.no_grad():
        nn.utils.vector_to_parameters(row[0], model.parameters())
    return Problem(model, F.cross_entropy, data)
