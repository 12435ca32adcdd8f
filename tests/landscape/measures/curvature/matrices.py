"""One given matrix as many, and a small trained network: what the stochastic estimators are tested on."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.problem import Problem


class Plain:
    """One given matrix, as often as there are seeds, so that all seeds are measured side by side."""

    def __init__(self, matrix: Tensor, count: int) -> None:
        self.matrix, self.count, self.size = matrix, count, len(matrix)
        self.rows = matrix.new_zeros(count, len(matrix))
        self.products = 0

    def matvec(self, vectors: Tensor) -> Tensor:
        self.products += 1
        return vectors @ self.matrix


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
