"""Gauss quadrature of spectra by the Lanczos iteration, and confidence intervals for averages over a spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import special
from torch import Tensor

from grokscape.landscape.measures.curvature.lanczos import lanczos_step
from grokscape.landscape.measures.curvature.operator import Operator
from grokscape.landscape.measures.curvature.trace_estimators import Draw, Tick
from grokscape.landscape.measures.several import eigh


def tridiagonal(operator: Operator, start: Tensor, steps: int, tick: Tick) -> tuple[Tensor, Tensor]:
    """Return the tridiagonal matrices ``V^T A V`` of a Krylov basis V, orthogonalised in full at every step.

    Parameters
    ----------
    operator : Operator
    start : Tensor, shape (networks, P)
        Unit vectors.
    steps : int
        Products of each matrix, at most P.

    Returns
    -------
    diagonal : Tensor, float64, shape (networks, steps)
    off_diagonal : Tensor, float64, shape (networks, steps - 1)
        0 from where a Krylov space is complete: what follows has no weight.
    """
    vectors = start.new_zeros(len(start), steps + 1, start.shape[1])
    vectors[:, 0] = start
    diagonal, off_diagonal, image = [], [], None
    for last in range(steps):
        step = lanczos_step(operator, vectors, last, largest_image=image)
        tick()
        image = step.image
        diagonal.append(step.along[:, -1])
        off_diagonal.append(step.length)
    return torch.stack(diagonal, 1), torch.stack(off_diagonal, 1)[:, :-1]


@dataclass(frozen=True)
class Quadrature:
    """Nodes and weights, each (networks, probes, steps), and those of fewer steps where there are any."""

    nodes: np.ndarray
    weights: np.ndarray
    fewer: Quadrature | None = None


def quadrature(operator: Operator, draw: Draw, probes: int, steps: int, tick: Tick) -> Quadrature:
    """Return the quadratures of several random directions, with those of three quarters of the steps."""
    steps = min(steps, operator.size)
    found = []
    for number in range(probes):
        vector = draw(number)
        found.append(tridiagonal(operator, vector / vector.norm(dim=1, keepdim=True), steps, tick))
    diagonal, off_diagonal = (torch.stack(parts, 1) for parts in zip(*found, strict=True))
    most = max(steps * 3 // 4, 1)
    fewer = Quadrature(*nodes_and_weights(diagonal[..., :most], off_diagonal[..., : most - 1]))
    return Quadrature(*nodes_and_weights(diagonal, off_diagonal), fewer)


def nodes_and_weights(diagonal: Tensor, off_diagonal: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return Ritz values and their weights, each (..., steps): ``v^T f(A) v`` is about ``sum w f(theta)``.

    Exact for polynomials of degree up to ``2 steps - 1`` (Golub and Welsch 1969).
    """
    matrix = torch.diag_embed(diagonal) + torch.diag_embed(off_diagonal, 1) + torch.diag_embed(off_diagonal, -1)
    values, vectors = eigh(matrix.cpu())
    return values.numpy(), vectors[..., 0, :].square().numpy()


def spectral_mean_interval(
    first: np.ndarray, second: np.ndarray, probes: int, size: int, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return an interval for ``tr g(A) / P``, with g not negative, from probes uniform on the sphere.

    Probes are few and their quadratic forms skewed: that of a single eigenvalue is a squared normal, of which the
    mean over eight probes lies outside a t interval far too often. But the distribution is known. If g is 1 on a share
    f of the eigenvalues and 0 elsewhere, ``v^T g v`` is Beta distributed with mean f and variance
    ``2 f (1 - f) / (P + 2)``; any g has the variance ``2 (m2 - m1^2) / (P + 2)``, m1 and m2 being the means of g and
    g^2 over the spectrum. So the mean over probes is taken as ``rho = m2 / m1`` times a Beta variable with mean
    ``f = m1 / rho`` (two moments matched, as Satterthwaite does with chi squares), and the ends are those f for which
    the value found would be its outer quantiles.

    Parameters
    ----------
    first, second : array, the same shape
        Means over probes of the quadratic forms of g and of g^2.
    probes, size : int
        Number of probes, and P.
    level : float
    """
    ratio = np.divide(second, first, out=np.zeros_like(first), where=(first > 0) & (second > 0))
    found = np.clip(np.divide(first, ratio, out=np.zeros_like(first), where=ratio > 0), 0.0, 1.0)
    total = probes * (size + 2) / 2 - 1
    ends = []
    for quantile in (0.5 + level / 2, 0.5 - level / 2):
        low, high = np.zeros_like(found), np.ones_like(found)
        for _ in range(60):
            middle = (low + high) / 2
            below = special.betainc(total * middle, total * (1 - middle), found) < quantile
            low, high = np.where(below, low, middle), np.where(below, middle, high)
        ends.append(ratio * (low + high) / 2)
    return np.minimum(ends[0], first), np.maximum(ends[1], first)
