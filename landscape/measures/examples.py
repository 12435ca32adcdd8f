"""Small problems whose answers are known: what the examples in the instruments' documentation measure."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from grokscape.landscape.measures.neurons import Neurons
from grokscape.landscape.problem import Problem

Parameters = dict[str, Tensor]


def bowl() -> Problem:
    """Return the loss ``(3 a^2 + b^2) / 2`` of two parameters, at a = 1 and b = 2."""

    def height(weights: Parameters, inputs: Tensor) -> Tensor:
        return inputs * (3 * weights["a"] ** 2 + weights["b"] ** 2) / 2

    return _landscape(height, {"a": 1.0, "b": 2.0})


def ring() -> Problem:
    """Return the loss ``(a^2 + b^2 - 1)^2``, whose minima are a circle, at a = 1 and b = 0."""

    def height(weights: Parameters, inputs: Tensor) -> Tensor:
        return inputs * (weights["a"] ** 2 + weights["b"] ** 2 - 1) ** 2

    return _landscape(height, {"a": 1.0, "b": 0.0})


def _landscape(height: Any, start: dict[str, float]) -> Problem:
    one = torch.ones(1, dtype=torch.float64)
    parameters = {name: torch.tensor(value, dtype=torch.float64) for name, value in start.items()}
    return Problem(height, lambda outputs, _: outputs, (one, one), parameters=parameters)


def regression() -> Problem:
    """Return the loss ``|w - w*|^2 / 2`` of a linear network, ``w* = (1.2, 1.6)`` of length 2, on two equal splits."""
    inputs = torch.cat([torch.eye(2), -torch.eye(2)])
    data = inputs, inputs @ torch.tensor([[1.2], [1.6]])
    return Problem(nn.Linear(2, 1, bias=False), nn.MSELoss(), data, data)


def classifier() -> Problem:
    """Return a linear classifier with the identity for its weights, on the two examples ``(1, 0)`` and ``(0, 1)``."""
    network = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.eye(2))
    return Problem(network, nn.CrossEntropyLoss(), (torch.eye(2), torch.arange(2)))


def adder(p: int = 7, noise: float = 0.05) -> tuple[Problem, Neurons, Tensor]:
    """Return a network that adds modulo p, its 2 p neurons, and all of its inputs, shape (p^2, 2).

    Neuron j of the first p computes ``cos(w a + f) cos(w b + f)`` with ``w = 2 pi / p`` and ``f = pi j / p``; read out
    by ``cos(w c + 2 f)``, they sum to ``p / 4 cos(w (a + b - c))``. The other p are noise. Every third input is held
    out.
    """
    inputs = torch.cartesian_prod(torch.arange(p), torch.arange(p))
    angle, phase = 2 * math.pi / p * torch.arange(p), math.pi / p * torch.arange(p)[:, None]
    draw = torch.Generator().manual_seed(0)
    rest = noise * torch.randn(3, p, p, generator=draw)
    wave = torch.cat([(angle + phase).cos(), rest[0]]), torch.cat([(angle + phase).cos(), rest[1]])
    weights = {"first": wave[0], "second": wave[1], "out": torch.cat([(angle + 2 * phase).cos(), rest[2]]).T}

    def network(weights: Parameters, pairs: Tensor) -> Tensor:
        return (weights["first"].T[pairs[:, 0]] * weights["second"].T[pairs[:, 1]]) @ weights["out"].T

    held_out = torch.arange(len(inputs)) % 3 == 0
    train, test = ((inputs[some], inputs[some].sum(1) % p) for some in (~held_out, held_out))
    problem = Problem(network, nn.functional.cross_entropy, train, test, parameters=weights)
    return problem, Neurons([("first", 0), ("second", 0)], ("out", 1)), inputs


def table_and_rule(n: int = 32) -> Problem:
    """Return a linear classifier that can learn n examples by heart, or by one weak feature that they share.

    Example i is ``(e_i, +-0.35)``, the sign being its label. To learn D examples by heart takes a norm that grows as
    the root of D; the rule takes the same norm whatever their number.
    """
    labels = torch.arange(n) % 2
    inputs = torch.cat([torch.eye(n), 0.35 * (2.0 * labels[:, None] - 1)], 1)
    return Problem(nn.Linear(n + 1, 2, bias=False), nn.CrossEntropyLoss(), (inputs, labels))
