"""Directions in the space of parameters: random and normalised, or from one network to another."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.networks import Network, as_vector
from grokscape.landscape.randomness import generator

Normalise = Literal["filter", "layer", "norm"]
Biases = Literal["zero", "norm"]


def random_direction(
    problem: Problem,
    seed: int | np.integer[Any],
    *,
    around: Network | None = None,
    normalise: Normalise | None = "filter",
    biases: Biases = "zero",
    filter_axis: int | Mapping[str, int] = 0,
) -> Tensor:
    """Return a Gaussian direction, scaled as `normalised` says, shape (P,).

    Drawn in float64 and rounded, so that float32 and float64 problems see the same direction. The random bits do not
    depend on `around` or `normalise`.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InvalidInput(f"seed is {seed!r}, expected an integer that is not negative")
    drawn = torch.from_numpy(generator(int(seed), "direction").standard_normal(problem.size)).to(problem.start)
    return normalised(problem, drawn, around=around, normalise=normalise, biases=biases, filter_axis=filter_axis)


def normalised(
    problem: Problem,
    direction: Tensor | np.ndarray,
    *,
    around: Network | None = None,
    normalise: Normalise | None = "filter",
    biases: Biases = "zero",
    filter_axis: int | Mapping[str, int] = 0,
) -> Tensor:
    """Rescale a direction d to the network theta around which it is to be used, shape (P,).

    Filter by filter: ``d_f <- d_f ||theta_f|| / ||d_f||`` (Li et al. 2018, arXiv:1712.09913, section 4). Slices then
    stay the same when a layer of a ReLU network is multiplied by c > 0 and the next divided by it. (Not so if each
    neuron has a c of its own: that changes the next layer's filters in shape.)

    Parameters
    ----------
    problem : Problem
    direction : Tensor or array, shape (P,)
    around : network, optional
        Theta; by default the network that the problem starts from.
    normalise : {"filter", "layer", "norm"} or None
        What is scaled to the norm of the network's own: every filter, every tensor, the whole vector, or nothing.
    biases : {"zero", "norm"}
        What "filter" and "layer" do with tensors of at most one dimension (biases, scales of normalisation layers),
        which have no filters. "zero" leaves them where they are, as the paper's authors do in their figures
        (``ignore='biasbn'`` in their program); "norm" scales each such tensor to the norm of the network's own. Both
        keep the invariance above. "norm" and None, as values of `normalise`, treat all numbers alike.
    filter_axis : int or mapping of str to int
        Along which axis of a tensor of two or more dimensions the filters (the neurons fed) are counted: 0 in
        ``nn.Linear`` and ``nn.Conv2d``; 1 in ``nn.ConvTranspose2d``. A mapping takes glob patterns of names, the first
        that matches; 0 where none does.

    Raises
    ------
    InvalidInput
        If an argument is unknown or does not fit, or nothing of the direction remains.
    """
    if normalise is not None and normalise not in get_args(Normalise):
        raise InvalidInput(f"normalise is {normalise!r}, expected 'filter', 'layer', 'norm' or None")
    if biases not in get_args(Biases):
        raise InvalidInput(f"biases is {biases!r}, expected 'zero' or 'norm'")
    row, own = as_vector(problem, direction, "direction"), as_vector(problem, around, "around")
    if normalise is None:
        return row
    if normalise == "norm":
        scaled = row * _ratio(own, row, (0,))
    else:
        theirs = problem.layout.tensors(own)
        parts = {}
        for name, part in problem.layout.tensors(row).items():
            axes = tuple(range(part.ndim))
            if part.ndim > 1 and normalise == "filter":
                counted = _axis(name, part, filter_axis)
                axes = tuple(axis for axis in axes if axis != counted)
            left_out = part.ndim <= 1 and biases == "zero"
            parts[name] = torch.zeros_like(part) if left_out else part * _ratio(theirs[name], part, axes)
        scaled = problem.layout.row(parts)
    if not scaled.any():
        raise InvalidInput(
            f"normalise={normalise!r} leaves nothing of the direction, because the network's own "
            "weights are zero or all of its tensors have one dimension; choose biases='norm' or normalise=None"
        )
    return scaled


def direction_between(a: Tensor | np.ndarray, b: Tensor | np.ndarray) -> Tensor:
    """Return ``b - a``, shape (P,): a slice around a along it meets a at offset 0 and b at offset 1.

    Raises
    ------
    InvalidInput
        If the shapes differ.
    """
    first, second = torch.as_tensor(a).detach(), torch.as_tensor(b).detach()
    if first.shape != second.shape or first.ndim != 1:
        raise InvalidInput(
            f"a and b have shapes {tuple(first.shape)} and {tuple(second.shape)}, expected two vectors (P,)"
        )
    return second.to(first) - first


def chosen_direction(problem: Problem, direction: Any, around: Tensor, **scaling: Any) -> tuple[Tensor, int | None]:
    """Return the direction that a seed or a vector stands for, and the seed; a vector is taken as it is."""
    if isinstance(direction, int | np.integer):
        return random_direction(problem, direction, around=around, **scaling), int(direction)
    row = as_vector(problem, direction, "direction")
    if not row.any():
        raise InvalidInput("direction is zero everywhere, so it leads nowhere; give a seed or another row")
    return row, None


def _axis(name: str, part: Tensor, filter_axis: int | Mapping[str, int]) -> int:
    axis = filter_axis
    if isinstance(filter_axis, Mapping):
        axis = next((value for pattern, value in filter_axis.items() if fnmatch.fnmatchcase(name, pattern)), 0)
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer) or not -part.ndim <= axis < part.ndim:
        raise InvalidInput(
            f"filter_axis is {axis!r} for parameter {name!r} of shape {tuple(part.shape)}, expected one of its axes"
        )
    return int(axis) % part.ndim


def _ratio(wanted: Tensor, found: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Return the quotient of norms over some axes; 0 where there is nothing to scale."""
    above = torch.linalg.vector_norm(wanted, dim=axes, keepdim=True)
    below = torch.linalg.vector_norm(found, dim=axes, keepdim=True)
    return torch.where(below > 0, above / below, 0.0)
