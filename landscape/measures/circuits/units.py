"""A split of the weights themselves: some neurons (or weights) in one circuit, all others in the other."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.circuits.circuit import Circuit, need_classes, scored
from grokscape.landscape.measures.circuits.split import Split, checks, residual
from grokscape.landscape.measures.neurons import Neurons
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.problem import Problem
from grokscape.landscape.randomness import generator


def spread(problem: Problem, neurons: Neurons | None, kept: Tensor) -> Tensor:
    """Spread one factor a unit over the parameters, (..., units) -> (..., P); without neurons each weight is a unit."""
    return kept if neurons is None else neurons.mask(problem.layout, kept)


def split_units(
    problem: Problem,
    neurons: Neurons | None,
    members: Tensor,
    *,
    method: str,
    evidence: Mapping[str, Tensor],
    cost: Cost,
    nulls: int,
    seed: int,
    converged: bool = True,
) -> Split:
    """Return the split into the circuit of some units and the circuit of all others.

    Weights that belong to no unit run in both circuits. Norms are those of the weights that a circuit keeps.

    Parameters
    ----------
    members : Tensor of bool, shape (units,)
        The generalising circuit's.
    """
    if nulls < 1:
        raise InvalidInput(f"nulls is {nulls}, expected at least 1 random circuit to compare with")
    classes = need_classes(problem, method)

    def circuit(name: str, kept: Tensor) -> Circuit:
        vector = problem.start * spread(problem, neurons, kept.to(problem.start))
        norm = float(vector.double().norm())
        return scored(problem, name, functools.partial(problem.outputs, vector), norm)

    none = torch.zeros_like(members)
    whole = circuit("whole", ~none)
    generalising, memorising = circuit("generalising", members), circuit("memorising", ~members)
    rivals = []
    for number in range(nulls):
        drawn = generator(seed, f"null circuit {number}").permutation(len(members))[: int(members.sum())]
        chosen = none.clone()
        chosen[torch.from_numpy(drawn).to(members.device)] = True
        rivals.append(circuit("null", chosen))
    left_over = problem.start * spread(problem, neurons, none.to(problem.start))
    return Split(
        method=method,
        whole=whole,
        generalising=generalising,
        memorising=memorising,
        nulls=tuple(rivals),
        checks=checks(problem, whole, generalising, memorising, rivals, classes=classes, converged=converged),
        members=members.cpu().numpy(),
        residual=residual(problem, whole, [generalising, memorising]),
        shared_norm=float(left_over.double().norm()),
        evidence={name: np.asarray(values.cpu()) for name, values in evidence.items()},
        converged=converged,
        seed=seed,
        cost=cost + Cost(evaluations=2 * (3 + nulls) + 8),
    )
