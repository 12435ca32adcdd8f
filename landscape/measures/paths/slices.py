"""One- and two-dimensional slices through a loss landscape (Goodfellow et al. 2015; Li et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.directions import Biases, Normalise, chosen_direction
from grokscape.landscape.measures.paths.points import Progress, evaluate_at, split_frame
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.networks import Network, network_of

Extent = float | tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Slice(Result):
    """The loss along a line, ``L(theta + offset * direction)``.

    Without test data the arrays of the test split are NaN, and `to_frame` has no rows of it. So is accuracy where it is
    undefined. Losses are exact up to rounding: nothing here is sampled.

    Attributes
    ----------
    offsets : ndarray, shape (points,)
    train_loss, train_accuracy, test_loss, test_accuracy : ndarray, shape (points,)
    curvature : ndarray, shape (points,)
        Second difference of the training loss; approximates ``v^T H v`` with the Hessian H at that point and v the
        direction as stored (not of unit length), up to ``h^2 L'''' / 12``; NaN at both ends. Across a kink, as of
        ReLU, it also holds the jump of the slope, which ``v^T H v`` does not.
    curvature_error : ndarray, shape (points,)
        A third of the change when the spacing h is doubled, plus ``4 eps |L| / h^2`` for rounding. NaN near the ends.
    direction, around : ndarray, shape (P,)
        As used: given back as `direction` and `around`, they repeat the measurement bit by bit.
    seed : int or None
        None if the direction was given.
    cost : Cost
    """

    offsets: np.ndarray
    train_loss: np.ndarray
    train_accuracy: np.ndarray
    test_loss: np.ndarray
    test_accuracy: np.ndarray
    curvature: np.ndarray
    curvature_error: np.ndarray
    direction: np.ndarray
    around: np.ndarray
    seed: int | None
    cost: Cost

    @property
    def converged(self) -> np.ndarray:
        """Whether the training loss is finite at each point: nothing is iterated."""
        return np.isfinite(self.train_loss)

    def to_frame(self) -> pd.DataFrame:
        """Return the columns offset, split, loss and accuracy."""
        return split_frame(self, {"offset": self.offsets})


@dataclass(frozen=True, kw_only=True)
class Plane(Result):
    """The loss on a plane, ``L(theta + first[i] * directions[0] + second[j] * directions[1])``.

    Attributes
    ----------
    first, second : ndarray, shapes (m,) and (n,)
    train_loss, train_accuracy, test_loss, test_accuracy : ndarray, shape (m, n)
        NaN as in `Slice`.
    directions : ndarray, shape (2, P)
    around : ndarray, shape (P,)
    cosine : float
        Of the angle between the directions; they are not made orthogonal. Random ones are nearly so.
    seeds : tuple of two int or None
    cost : Cost
    """

    first: np.ndarray
    second: np.ndarray
    train_loss: np.ndarray
    train_accuracy: np.ndarray
    test_loss: np.ndarray
    test_accuracy: np.ndarray
    directions: np.ndarray
    around: np.ndarray
    cosine: float
    seeds: tuple[int | None, int | None]
    cost: Cost

    @property
    def converged(self) -> np.ndarray:
        """Whether the training loss is finite at each point: nothing is iterated."""
        return np.isfinite(self.train_loss)

    def coordinates(self, params: Tensor | np.ndarray) -> np.ndarray:
        """Project networks (k, P), such as a trajectory, onto the plane: first, second, distance from it; (k, 3)."""
        away = np.asarray(torch.as_tensor(params).detach().cpu(), dtype=np.float64) - self.around
        basis = self.directions.astype(np.float64).T
        found = np.linalg.lstsq(basis, away.T, rcond=None)[0]
        return np.column_stack([found.T, np.linalg.norm(away.T - basis @ found, axis=0)])

    def to_frame(self) -> pd.DataFrame:
        """Return the columns first, second, split, loss and accuracy."""
        first, second = np.meshgrid(self.first, self.second, indexing="ij")
        return split_frame(self, {"first": first, "second": second})


@plain_arguments
def line_slice(
    problem: Problem,
    direction: int | Tensor | np.ndarray,
    *,
    around: Network | None = None,
    extent: Extent = 1.0,
    points: int = 51,
    normalise: Normalise | None = "filter",
    biases: Biases = "zero",
    filter_axis: int | Mapping[str, int] = 0,
    chunk_size: int | None = None,
    progress: Progress | None = None,
) -> Slice:
    """Measure the loss along a line through a network; costs one evaluation a point and split.

    Parameters
    ----------
    problem : Problem
    direction : int, or Tensor or array of shape (P,)
        A seed draws a random direction, scaled as `normalise`, `biases` and `filter_axis` say (see
        `grokscape.landscape.measures.directions.normalised`). A vector (an eigenvector, `direction_between`) is taken
        as it is.
    around : network, optional
        A vector (P,), a module of the problem's architecture, or its tensors by name (``state_dict()``); a module and a
        state dict keep their own buffers and frozen parameters (see `network_of`). By default the
        one that the problem starts from.
    extent : float or pair
        Offsets run from -extent to extent, or from the first to the second; odd `points` meet the middle.
    points : int
        At least 3.
    chunk_size : int, optional
        How many networks are evaluated side by side; fewer take less memory. By default up to 16, fewer if large.
    progress : callable, optional
        Called with the share done.

    Raises
    ------
    InvalidInput
        If an argument does not fit.

    Examples
    --------
    >>> import torch
    >>> from grokscape.landscape import line_slice
    >>> from grokscape.landscape.measures.examples import bowl  # L = (3 a^2 + b^2) / 2, at a = 1 and b = 2
    >>> found = line_slice(bowl(), torch.tensor([1.0, 0.0]), points=5)
    >>> print(found.offsets, found.train_loss)
    [-1.  -0.5  0.   0.5  1. ] [2.    2.375 3.5   5.375 8.   ]
    """
    problem, theta = network_of(problem, around, "around")
    chosen, seed = chosen_direction(
        problem, direction, theta, normalise=normalise, biases=biases, filter_axis=filter_axis
    )
    offsets = _offsets(extent, points)
    found, cost = evaluate_at(
        problem, lambda c: theta + c[:, None] * chosen, offsets, chunk_size=chunk_size, progress=progress
    )
    rounding = torch.finfo(problem.dtype).eps
    curvature, error = _second_difference(found["train_loss"], offsets[1] - offsets[0], rounding)
    return Slice(
        offsets=offsets,
        **found,
        curvature=curvature,
        curvature_error=error,
        direction=chosen.cpu().numpy().copy(),
        around=theta.cpu().numpy().copy(),
        seed=seed,
        cost=cost,
    )


@plain_arguments
def plane_slice(
    problem: Problem,
    directions: Sequence[int | Tensor | np.ndarray] | Tensor | np.ndarray = (0, 1),
    *,
    around: Network | None = None,
    extent: Extent = 1.0,
    points: int = 25,
    normalise: Normalise | None = "filter",
    biases: Biases = "zero",
    filter_axis: int | Mapping[str, int] = 0,
    chunk_size: int | None = None,
    progress: Progress | None = None,
) -> Plane:
    """Measure the loss on a plane through a network, at points^2 places; arguments as in `line_slice`.

    Parameters
    ----------
    directions : two of int, Tensor or array of shape (P,)
        Seeds or vectors, also mixed.

    Examples
    --------
    >>> import torch
    >>> from grokscape.landscape import plane_slice
    >>> from grokscape.landscape.measures.examples import bowl  # L = (3 a^2 + b^2) / 2, at a = 1 and b = 2
    >>> print(plane_slice(bowl(), torch.eye(2), extent=2.0, points=3).train_loss)
    [[ 1.5  3.5  9.5]
     [ 1.5  3.5  9.5]
     [13.5 15.5 21.5]]
    """
    if len(directions) != 2:
        raise InvalidInput(f"directions has {len(directions)} entries, expected two seeds or vectors")
    problem, theta = network_of(problem, around, "around")
    scaling = {"normalise": normalise, "biases": biases, "filter_axis": filter_axis}
    chosen, seeds = zip(*(chosen_direction(problem, one, theta, **scaling) for one in directions), strict=True)
    basis = torch.stack(chosen)
    lengths = torch.linalg.vector_norm(basis, dim=1)
    offsets = _offsets(extent, points)
    grid = np.stack(np.meshgrid(offsets, offsets, indexing="ij"), -1).reshape(-1, 2)
    found, cost = evaluate_at(problem, lambda c: theta + c @ basis, grid, chunk_size=chunk_size, progress=progress)
    return Plane(
        first=offsets,
        second=offsets.copy(),
        **{name: values.reshape(points, points) for name, values in found.items()},
        directions=basis.cpu().numpy(),
        around=theta.cpu().numpy().copy(),
        cosine=float(basis[0] @ basis[1] / lengths.prod()),
        seeds=seeds,
        cost=cost,
    )


def _offsets(extent: Extent, points: int) -> np.ndarray:
    low, high = extent if isinstance(extent, tuple | list) else (-extent, extent)
    if not (np.isfinite([low, high]).all() and low < high):
        raise InvalidInput(f"extent is {extent!r}, expected a positive number or a pair (low, high)")
    if points < 3:
        raise InvalidInput(f"points is {points}, expected at least 3")
    return np.linspace(low, high, points)


def _second_difference(loss: np.ndarray, spacing: float, rounding: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the second difference and an estimate of its error, each (points,), NaN where they have no neighbours."""
    curvature, error = np.full_like(loss, np.nan), np.full_like(loss, np.nan)
    curvature[1:-1] = (loss[2:] - 2 * loss[1:-1] + loss[:-2]) / spacing**2
    wide = (loss[4:] - 2 * loss[2:-2] + loss[:-4]) / (2 * spacing) ** 2
    error[2:-2] = np.abs(wide - curvature[2:-2]) / 3 + 4 * rounding * np.abs(loss[2:-2]) / spacing**2
    return curvature, error
