"""Networks that are the sum of a known rule and a known table, with the truth about each neuron."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from grokscape.landscape.measures.circuits import Neurons
from grokscape.landscape.problem import Problem

NEURONS = Neurons([("first.weight", 0), ("first.bias", 0)], ("second.weight", 1))


class TwoLayers(nn.Module):
    """One hidden layer; some of its units square, the others rectify."""

    def __init__(self, inward: Tensor, bias: Tensor, outward: Tensor, squares: Tensor) -> None:
        super().__init__()
        self.first = nn.Linear(inward.shape[1], len(inward), dtype=inward.dtype)
        self.second = nn.Linear(len(inward), len(outward), bias=False, dtype=inward.dtype)
        self.register_buffer("squares", squares)
        with torch.no_grad():
            self.first.weight.copy_(inward)
            self.first.bias.copy_(bias)
            self.second.weight.copy_(outward)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        return self.second(torch.where(self.squares, hidden.square(), hidden.relu()))


class Planted(NamedTuple):
    problem: Problem
    model: TwoLayers
    inputs: Tensor  # (N, 2 G), one-hot
    labels: Tensor  # (N,), the rule's
    train: Tensor  # (D,), numbers of the training inputs
    rule: Tensor  # (N, G), logits of the planted rule alone
    table: Tensor  # (N, G), logits of the planted table alone
    is_rule: np.ndarray  # (H,)


def rotations(p: int, frequency: int = 1) -> tuple[Tensor, Tensor]:
    """Return the multiplication table of Z_p, and rotation matrices (p, 2, 2)."""
    tokens = torch.arange(p)
    angle = 2 * math.pi * frequency * tokens.double() / p
    matrices = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).reshape(p, 2, 2)
    return (tokens[:, None] + tokens) % p, matrices


def standard(n: int) -> tuple[Tensor, Tensor]:
    """Return the multiplication table of S_n, and the matrices of its standard representation (n!, n-1, n-1)."""
    elements = torch.tensor(list(itertools.permutations(range(n))))
    number = {tuple(element): index for index, element in enumerate(elements.tolist())}
    table = torch.tensor([[number[tuple(x[y].tolist())] for y in elements] for x in elements])
    whole = torch.nn.functional.one_hot(elements, n).double().mT  # column i has its 1 in row x(i)
    ones = torch.ones(n, 1, dtype=torch.float64)
    basis = torch.linalg.qr(torch.cat([ones, torch.eye(n, dtype=torch.float64)[:, 1:]], 1)).Q[:, 1:]
    return table, basis.T @ whole @ basis


def rule_neurons(matrices: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Return weights of squaring units that compute ``strength tr(rho(a) rho(b) rho(c)^T)`` exactly.

    By ``xy = ((x + y)^2 - (x - y)^2) / 4`` for every product of matrix elements: 2 d^3 units. The two elements on the
    diagonal of a rotation are the same, so that one of them does, twice as strong: 8 units, none of which is idle.
    """
    inward, outward = [], []
    size = matrices.shape[1]
    rotates = torch.allclose(matrices[:, 0, 0], matrices[:, 1, 1])
    scale = (2 * strength if rotates else strength) ** (1 / 3)
    for i, j, k in itertools.product(range(1 if rotates else size), range(size), range(size)):
        for sign in (1, -1):
            inward.append(scale * torch.cat([matrices[:, i, j], sign * matrices[:, j, k]]))
            outward.append(scale * sign * matrices[:, i, k] / 4)
    return torch.stack(inward), torch.stack(outward, 1)


def plant(
    table: Tensor,
    matrices: Tensor,
    *,
    share: float = 0.4,
    rule: float = 8.0,
    memory: float = 1.5,
    labels: str = "true",
    dense: bool = False,
    dtype: torch.dtype = torch.float64,
    seed: int = 0,
) -> Planted:
    """Return a network with a rule and a table of its training examples, its neurons in random order.

    Labels of the training examples are "true", or "balanced": random ones with every difference from the truth equally
    often, so that the table has no part at all in the rule's direction. A dense table is no unit an example but random
    rectifying units, read out by least squares.
    """
    draw = torch.Generator().manual_seed(seed)
    order = len(table)
    tokens = torch.cartesian_prod(torch.arange(order), torch.arange(order))
    inputs = torch.nn.functional.one_hot(tokens, order).flatten(1).double()
    truth = table[tokens[:, 0], tokens[:, 1]]
    count = round(share * order) * order
    train, test = torch.randperm(len(tokens), generator=draw).split([count, len(tokens) - count])
    targets = truth[train]
    if labels == "balanced":
        shift = (torch.arange(count) % order)[torch.randperm(count, generator=draw)]
        inverse = (table == 0).int().argmax(1)
        targets = table[targets, inverse[shift]]  # c^-1 y = shift
    one_hot = torch.nn.functional.one_hot(targets, order).double()
    inward, outward = rule_neurons(matrices, rule)
    if dense:
        features = torch.randn(2 * count, 2 * order, generator=draw, dtype=torch.float64)
        bias = torch.zeros(len(features), dtype=torch.float64)
        hidden = (inputs[train] @ features.T).relu()
        read = memory * torch.linalg.lstsq(hidden, one_hot, driver="gelsd").solution.T
    else:
        scale = memory**0.5
        features, bias = scale * inputs[train], torch.full((count,), -1.5 * scale, dtype=torch.float64)
        read = 2 * scale * one_hot.T  # the unit's activity is scale / 2
    mixed = torch.randperm(len(inward) + len(features), generator=draw)
    squares = (torch.arange(len(mixed)) < len(inward))[mixed]
    whole_bias = torch.cat([torch.zeros(len(inward), dtype=torch.float64), bias])[mixed]
    model = TwoLayers(
        torch.cat([inward, features])[mixed], whole_bias, torch.cat([outward, read], 1)[:, mixed], squares
    )
    problem = Problem(
        model.to(dtype),
        nn.functional.cross_entropy,
        (inputs[train], targets),
        (inputs[test], truth[test]),
    )
    logits_of_rule = (inputs @ inward.T).square() @ outward.T
    logits_of_table = (inputs @ features.T + bias).relu() @ read.T
    return Planted(problem, model, inputs, truth, train, logits_of_rule, logits_of_table, squares.numpy())
