"""The density of a curvature matrix's eigenvalues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.curvature.curvature import Curvature, Kind
from grokscape.landscape.measures.curvature.operator import Operator
from grokscape.landscape.measures.curvature.quadrature import Quadrature, quadrature, spectral_mean_interval
from grokscape.landscape.measures.curvature.smoothing import Axis, Smoothing, smoothing
from grokscape.landscape.measures.curvature.trace_estimators import draws
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.measures.several import Networks, eigh, of_networks
from grokscape.landscape.problem import Problem

#: Up to this order, all eigenvalues may be computed in place of a quadrature that would cost more matvecs.
SMALL = 2048

#: Fields of the result that have an entry for each network.
ARRAYS = (
    "grid", "density", "standard_error", "squared", "quadrature_error", "near_zero", "width", "nodes", "weights"
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SpectralDensity(Result):
    """Smoothed densities of the eigenvalues of one or several networks' curvature matrices.

    ``p(t) = (1 / P) sum_i N(t; x_i, width^2)`` with ``x_i = lambda_i`` on the linear axis, and with
    ``x_i = log10 |lambda_i|`` on the logarithmic one, for positive and for negative eigenvalues apart.

    Attributes
    ----------
    grid : array, shape (networks, points)
        Eigenvalues, or their decades.
    sides : tuple of str
        ``("all",)``, or ``("positive", "negative")`` on the logarithmic axis.
    density : array, shape (networks, sides, points)
        Per unit of the grid; the sides integrate to 1 together, less `near_zero`.
    standard_error : array, shape (networks, sides, points)
        Of the mean over probes; 0 if `exact`. Densities are skewed: use `interval` rather than multiples of this.
    squared : array, shape (networks, sides, points)
        Mean of the squared kernel over the spectrum, from which the interval is made.
    quadrature_error : array, shape (networks, sides, points)
        How much the density changes if a quarter of the Lanczos steps is left out: an upper estimate of the bias
        that the quadrature itself has. Tiny on the linear axis at the default width; not on the logarithmic axis near
        zero.
    near_zero : array, shape (networks,)
        Share of eigenvalues too small for the logarithmic axis; 0 on the linear one.
    width : array, shape (networks,)
        Standard deviation of the smoothing kernel, in units of the grid.
    nodes, weights : array, shape (networks, probes, steps)
        Ritz values and their weights, which sum to 1 over steps. If `exact`, shape (networks, 1, P): the eigenvalues.
    size : int
        P.
    axis, exact, kind, split, seed
        How it was measured.
    cost : Cost
        All networks together.
    """

    grid: np.ndarray
    sides: tuple[str, ...]
    density: np.ndarray
    standard_error: np.ndarray
    squared: np.ndarray
    quadrature_error: np.ndarray
    near_zero: np.ndarray
    width: np.ndarray
    nodes: np.ndarray
    weights: np.ndarray
    size: int
    axis: Axis
    exact: bool
    kind: Kind
    split: str
    seed: int
    cost: Cost

    @property
    def converged(self) -> np.ndarray:
        """Whether the density is finite, shape (networks,); no iteration has a tolerance, see `quadrature_error`."""
        return np.isfinite(self.density).all((1, 2))

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return a confidence interval of the smoothed density at every point, widened by the quadrature's error.

        See `grokscape.landscape.measures.curvature.quadrature.spectral_mean_interval`. Both ends have the shape of
        `density`; the level holds point by point, not for the whole curve.
        """
        _refuse_level(level)
        if self.exact:
            return self.density, self.density
        low, high = spectral_mean_interval(self.density, self.squared, self.nodes.shape[1], self.size, level)
        return np.maximum(low - self.quadrature_error, 0.0), high + self.quadrature_error

    def moment(self, order: int = 1) -> np.ndarray:
        """Return the mean of ``lambda^order`` over the spectrum, ``tr A^order / P``, shape (networks,)."""
        return self._mean(self.nodes**order)

    def mean_interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return a confidence interval of the mean eigenvalue, ``tr A / P``, both ends of shape (networks,)."""
        _refuse_level(level)
        if self.exact:
            return self.moment(), self.moment()
        lowest = np.where(self.weights > 0, self.nodes, np.inf).min((1, 2))
        above = self.nodes - lowest[:, None, None]
        low, high = spectral_mean_interval(
            self._mean(above), self._mean(above**2), self.nodes.shape[1], self.size, level
        )
        return lowest + low, lowest + high

    def _mean(self, values: np.ndarray) -> np.ndarray:
        return (self.weights * values).sum(2).mean(1)

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each network, side and point of the grid, with the 95 % interval."""
        networks, sides, points = self.density.shape
        low, high = self.interval()
        return pd.DataFrame(
            {
                "network": np.repeat(np.arange(networks), sides * points),
                "side": np.tile(np.repeat(self.sides, points), networks),
                "eigenvalue" if self.axis == "linear" else "log10_magnitude": np.repeat(self.grid, sides, 0).ravel(),
                "density": self.density.ravel(),
                "standard_error": self.standard_error.ravel(),
                "lower": low.ravel(),
                "upper": high.ravel(),
            }
        )


@plain_arguments
@of_networks(*ARRAYS)
@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def spectral_density(
    problem: Problem,
    *,
    probes: int = 8,
    steps: int = 64,
    params: Networks | None = None,
    kind: Kind = "hessian",
    split: str = "train",
    method: Literal["auto", "lanczos", "dense"] = "auto",
    axis: Axis = "linear",
    points: int = 512,
    width: float | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> SpectralDensity:
    """Measure the density of the eigenvalues of the Hessian or Gauss-Newton matrix.

    Stochastic Lanczos quadrature, orthogonalised in full (Ghorbani, Krishnan and Xiao 2019; the logarithmic
    axis as in Papyan 2020).

    Parameters
    ----------
    problem : Problem
    probes : int
        Random directions, at least 2.
    steps : int
        Lanczos steps of each, at least 2.
    params : Tensor of shape (networks, P), or sequence of networks, optional
        Checkpoints of one architecture, measured side by side; by default the problem's own parameters. Modules and
        state dicts are measured with their own buffers and frozen parameters, one by one. A network whose curvature is
        not finite has NaN for every value.
    kind : {"hessian", "gauss_newton"}
    split : {"train", "test"}
    method : {"auto", "lanczos", "dense"}
        "dense" computes all eigenvalues, by P matvecs; "auto" does so where that costs no more, up to P = 2048.
    axis : {"linear", "log"}
    points : int
        Size of the grid.
    width : float, optional
        Standard deviation of the smoothing kernel: in units of the eigenvalue, by default 1.25 / steps of the
        spectrum's range, which is as much as the steps resolve; or in decades, by default 0.15.
    seed : int
        Draws the directions, the same for every network.
    progress : callable, optional
        Receives the share of the matvecs that is done.

    Returns
    -------
    SpectralDensity
        Costs ``probes * steps`` matvecs for each network, or P. Keeps ``steps * P`` numbers for each network.

    Raises
    ------
    InvalidInput
        If a number is out of range, or a dense matrix would be too large.

    Examples
    --------
    >>> from grokscape.landscape import spectral_density
    >>> from grokscape.landscape.measures.examples import bowl  # L = (3 a^2 + b^2) / 2
    >>> found = spectral_density(bowl())
    >>> print(found.nodes.round(6), found.moment().round(6))  # the eigenvalues, and their mean
    [[[1. 3.]]] [2.]
    """
    for name, value, least in (("probes", probes, 2), ("steps", steps, 2), ("points", points, 2)):
        if value < least:
            raise InvalidInput(f"{name} is {value}, expected at least {least}")
    if method not in ("auto", "lanczos", "dense"):
        raise InvalidInput(f"method is {method!r}, expected 'auto', 'lanczos' or 'dense'")
    smooth = smoothing(axis, width, steps, points)
    curvature = Curvature(problem, params, kind=kind, split=split)
    exact = method == "dense" or (method == "auto" and problem.size <= min(probes * steps, SMALL))
    total = problem.size if exact else probes * min(steps, problem.size)

    def tick() -> None:
        if progress is not None:
            progress(min(curvature.matvecs / (total * curvature.count), 1.0))

    if exact:
        nodes = eigh(curvature.dense().double())[0].cpu().numpy()[:, None]
        tick()
        found = Quadrature(nodes, np.full_like(nodes, 1 / problem.size))
    else:
        found = quadrature(curvature, draws(curvature, seed), probes, steps, tick)
    return density_of(found, smooth, curvature, exact=exact, kind=kind, split=split, seed=seed)


def density_of(
    found: Quadrature, smooth: Smoothing, operator: Operator, *, exact: bool, kind: Kind, split: str, seed: int
) -> SpectralDensity:
    """Smooth a quadrature into a density."""
    lost = ~np.isfinite(found.nodes).all((1, 2))
    if lost.any():
        return _with_lost(found, lost, smooth, operator, exact=exact, kind=kind, split=split, seed=seed)
    placed = smooth.place(found.nodes, found.weights, torch.finfo(operator.dtype).eps, operator.size)
    each, squared = placed.evaluate(found.nodes, found.weights)
    density = each.mean(1)
    probes = each.shape[1]
    error = np.zeros_like(density) if exact else each.std(1, ddof=1) / probes**0.5
    bias = np.zeros_like(density)
    if found.fewer is not None:
        bias = np.abs(density - placed.evaluate(found.fewer.nodes, found.fewer.weights)[0].mean(1))
    return SpectralDensity(
        grid=placed.grid,
        sides=placed.sides,
        density=density,
        standard_error=error,
        squared=squared.mean(1),
        quadrature_error=bias,
        near_zero=(found.weights * (np.abs(found.nodes) < placed.floor[:, None, None])).sum(2).mean(1),
        width=placed.width,
        nodes=found.nodes,
        weights=found.weights,
        size=operator.size,
        axis=smooth.axis,
        exact=exact,
        kind=kind,
        split=split,
        seed=seed,
        cost=getattr(operator, "cost", Cost()),
    )


def _with_lost(
    found: Quadrature, lost: np.ndarray, smooth: Smoothing, operator: Operator, **options: Any
) -> SpectralDensity:
    """Return densities in which some networks, whose spectra are not finite, are NaN throughout."""
    parts = [found] if found.fewer is None else [found, found.fewer]
    mended = [
        (np.where(lost[:, None, None], 0.0, part.nodes), np.where(lost[:, None, None], 1.0, part.weights))
        for part in parts
    ]
    fewer = Quadrature(*mended[1]) if len(mended) > 1 else None
    density = density_of(Quadrature(*mended[0], fewer), smooth, operator, **options)
    for name in ARRAYS:
        getattr(density, name)[lost] = np.nan
    return density


def _refuse_level(level: float) -> None:
    if not 0 < level < 1:
        raise InvalidInput(f"level is {level}, expected a number between 0 and 1 such as 0.95")
