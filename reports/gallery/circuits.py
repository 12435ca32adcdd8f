"""A network that is half rule and half table comes apart, by its logits and by its neurons.

Eight squaring units add modulo 23 by multiplying two rotations; one rectifying unit for each training example has
memorised its answer. Two independent methods find the same two parts: the generalising circuit is
right on held-out pairs, the memorising one on training pairs alone, and random parts of the same size on neither.
"""

import itertools
import math

import torch
from matplotlib import pyplot as plt
from torch.nn.functional import cross_entropy, one_hot

from grokscape.landscape.measures.circuits import Neurons, cyclic, split_by_projection, split_by_pruning
from grokscape.landscape.problem import Problem
from grokscape.reports.gallery import save

P = 23
numbers = torch.arange(P)
pairs = torch.cartesian_prod(numbers, numbers)
inputs, labels = one_hot(pairs, P).flatten(1).double(), pairs.sum(1) % P
train, test = torch.randperm(P**2, generator=torch.Generator().manual_seed(0)).split([160, P**2 - 160])

# The rule: cos(2 pi (a + b - c) / 23) is the first element of R(a) R(b) R(c)^T, with R a rotation; for each product in
# it, xy = ((x + y)^2 - (x - y)^2) / 4.
angle = 2 * math.pi * numbers.double() / P
rotation = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).reshape(P, 2, 2)
terms = list(itertools.product(range(2), range(2), (1, -1)))
into_rule = torch.stack([torch.cat([rotation[:, 0, j], sign * rotation[:, j, k]]) for j, k, sign in terms])
out_of_rule = torch.stack([sign * rotation[:, 0, k] for j, k, sign in terms], 1)

weights = {
    "into": torch.cat([2 * into_rule, 1.5 * inputs[train]]),
    "bias": torch.cat([torch.zeros(8), torch.full((160,), -2.25)]).double(),
    "out": torch.cat([2 * out_of_rule, 1.5 * one_hot(labels[train], P).T], 1),
}
squares = torch.arange(168) < 8


def network(weights: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """One hidden layer of squaring and of rectifying units."""
    hidden = x @ weights["into"].T + weights["bias"]
    return torch.where(squares, hidden**2, hidden.relu()) @ weights["out"].T


data = [(inputs[part], labels[part]) for part in (train, test)]
problem = Problem(network, cross_entropy, *data, parameters=weights)
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", sharey=True)
split_by_projection(problem, cyclic(P, inputs, labels)).plot(left)
axes = split_by_pruning(problem, Neurons([("into", 0), ("bias", 0)], ("out", 1))).plot(right)
save(axes, "circuits")
