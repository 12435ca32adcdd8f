"""Laplace's approximation to a Gaussian process classifier: the mode of the latent function, and the evidence there.

Rasmussen and Williams 2006, sections 3.4 and 5.5.1, algorithms 3.1, 3.2 and 5.1; the kernel has a length for each
dimension. Own lines rather than scikit-learn's, whose classifier keeps the mode to itself (the tests hold one against
the other): the data fit and the complexity are needed apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.special import expit

from grokscape.landscape.errors import NotPositiveDefinite

#: Newton's method ends when the objective changes by less.
TOLERANCE = 1e-10
ITERATIONS = 100


@dataclass(frozen=True)
class Mode:
    """The latent function that a kernel and labels make most probable, at the training inputs.

    Attributes
    ----------
    latent : array, shape (n,)
        ``f``.
    dual : array, shape (n,)
        ``K^-1 f``, which at the mode is the gradient of the log likelihood.
    root : array, shape (n,)
        ``W^1/2``, with W the curvature of the negative log likelihood.
    factor : array, shape (n, n)
        Lower Cholesky factor of ``B = I + W^1/2 K W^1/2``.
    """

    latent: np.ndarray
    dual: np.ndarray
    root: np.ndarray
    factor: np.ndarray

    @property
    def complexity(self) -> float:
        """``f' K^-1 f / 2 + log|B| / 2``, in nats."""
        return float(self.dual @ self.latent / 2 + np.log(np.diag(self.factor)).sum())

    def predict(self, cross: np.ndarray, variance: float) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of the latent function elsewhere, given its covariance (m, n) with that here."""
        shrunk = solve_triangular(self.factor, self.root[:, None] * cross.T, lower=True, check_finite=False)
        return cross @ self.dual, variance - np.square(shrunk).sum(0)


def kernel(inputs: np.ndarray, others: np.ndarray, log_lengthscales: np.ndarray, log_outputscale: float) -> np.ndarray:
    """Return ``s exp(-sum_k (x_k - x'_k)^2 / (2 l_k^2))``, shape (n, m), for inputs (n, d) and (m, d)."""
    here, there = inputs * np.exp(-log_lengthscales), others * np.exp(-log_lengthscales)
    squares = np.square(here).sum(1)[:, None] + np.square(there).sum(1) - 2 * here @ there.T
    with np.errstate(over="ignore"):  # an infinite covariance is refused where it is factorised
        return np.exp(log_outputscale - np.maximum(squares, 0) / 2)


def log_likelihood(labels: np.ndarray, latent: np.ndarray) -> np.ndarray:
    """Return ``log sigmoid(y f)`` for labels -1 and 1, one value for each example."""
    return -np.logaddexp(0, -labels * latent)


def find_mode(covariance: np.ndarray, labels: np.ndarray, latent: np.ndarray) -> Mode:
    """Find the mode by Newton's method, with steps halved until they do not lose.

    The covariance (n, n) itself is never inverted, so that it may be singular.

    Raises
    ------
    NotPositiveDefinite
        If B is not positive definite, as it is for every covariance.
    """
    dual, score = np.zeros_like(latent), -np.inf
    for _ in range(ITERATIONS):
        chance = expit(latent)
        weight = chance * (1 - chance)
        root, slope = np.sqrt(weight), (labels + 1) / 2 - chance
        factor = _factor(covariance, root)
        target = weight * latent + slope
        inner = _solve(factor, root * (covariance @ target))
        step = target - root * inner - dual
        for _ in range(20):
            trial = dual + step
            found = covariance @ trial
            reached = float(log_likelihood(labels, found).sum() - trial @ found / 2)
            if reached >= score - TOLERANCE:
                break
            step = step / 2
        gain, dual, latent, score = reached - score, trial, found, reached
        if gain < TOLERANCE:
            break
    chance = expit(latent)
    root = np.sqrt(chance * (1 - chance))
    return Mode(latent, dual, root, _factor(covariance, root))


def slope_by_covariance(mode: Mode, covariance: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the derivative of the log evidence by the covariance, symmetric, shape (n, n).

    The evidence is ``sum log p(y | f) - f' K^-1 f / 2 - log|B| / 2``; a parameter's own derivative is the inner product
    of this with that of the covariance. It holds both the explicit part and that by way of the mode.
    """
    chance = expit(mode.latent)
    inverse = _solve(mode.factor, np.diag(mode.root))
    shrunk = mode.root[:, None] * inverse  # (K + W^-1)^-1
    third = -chance * (1 - chance) * (1 - 2 * chance)
    spread = np.diag(covariance) - np.einsum("ij,ij->j", covariance, shrunk @ covariance)
    by_mode = spread / 2 * third
    moved = by_mode - shrunk @ (covariance @ by_mode)
    slope = (labels + 1) / 2 - chance
    cross = np.outer(moved, slope)
    return np.outer(mode.dual, mode.dual) / 2 - shrunk / 2 + (cross + cross.T) / 2


def _factor(covariance: np.ndarray, root: np.ndarray) -> np.ndarray:
    matrix = root[:, None] * covariance * root
    matrix[np.diag_indices_from(matrix)] += 1
    try:
        return cholesky(matrix, lower=True)
    except (np.linalg.LinAlgError, ValueError):  # the latter if it is not finite
        raise NotPositiveDefinite(
            f"the covariance of {len(root)} examples is not positive definite in double precision (its largest element "
            f"is {np.abs(covariance).max():.4g}); lower the learning rate or the number of steps"
        ) from None


def _solve(factor: np.ndarray, right: np.ndarray) -> np.ndarray:
    half = solve_triangular(factor, right, lower=True, check_finite=False)
    return solve_triangular(factor, half, lower=True, trans=1, check_finite=False)
