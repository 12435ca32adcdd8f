"""The data size at which accuracy turns from low to high, and which size to try next to find it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import isotonic_regression, least_squares
from scipy.special import expit, logit

from grokscape.landscape.errors import InvalidInput

#: Tried sizes on the slope of the curve (5 to 95 % of its rise) below which the interval is not taken from the fit:
#: two parameters need more than two of them before residuals say anything.
FEWEST_ON_SLOPE = 4

#: From 10 to 90 % of a logistic's rise, in units of its scale.
RISE = 2 * float(logit(0.9))


@dataclass(frozen=True, kw_only=True)
class CriticalSize:
    """The data size at which one seed's accuracy reaches a level.

    Attributes
    ----------
    estimate : float
        In examples; where no two tried sizes bracket the level, the tried size next to it.
    lower, upper : float
        The 95 % interval. From the fit's residuals (delta method, Student's t over the sizes on the slope, and never
        narrower than half the distance between the two neighbouring sizes that bracket the level) where at least
        `FEWEST_ON_SLOPE` sizes lie on the slope; else those two sizes themselves, because a jump between them tells
        nothing about where. Not bracketed: 0 to the smallest size tried, or the largest to infinity.
    width : float
        log10(D90 / D10), from a tenth to nine tenths of the rise. With fewer than two sizes on the slope it is an
        upper bound: the distance of the two sizes that bracket it. NaN where not bracketed.
    bracketed : bool
        Whether the level lies between two tried sizes. False is censoring: `estimate` is then only a bound.
    residual : float
        Root mean square of the fit's residuals, in accuracy; NaN where not bracketed.
    """

    estimate: float
    lower: float
    upper: float
    width: float
    bracketed: bool
    residual: float


def critical_size(
    sizes: Sequence[float] | np.ndarray,
    accuracies: Sequence[float] | np.ndarray,
    *,
    level: float = 0.5,
    chance: float = 0.0,
) -> CriticalSize:
    """Return the data size at which accuracy reaches a level.

    A logistic in log size from `chance` to 1 is fitted by least squares to one seed's accuracies. With fewer than two
    sizes on its slope the fit is not determined, and accuracy is interpolated linearly in log size between the two
    sizes that bracket the level: for a clean jump from 0 to 1 at level 0.5, their geometric mean. Which two sizes
    bracket the level is read from the accuracies' isotonic regression, so that a dip or two do no harm.

    Parameters
    ----------
    sizes : sequence
        Numbers of examples, positive and distinct, in any order.
    accuracies : sequence
        Of one seed, one for each size, from 0 to 1.
    level : float
        Between `chance` and 1.
    chance : float
        Accuracy of a network that learnt nothing.

    Raises
    ------
    InvalidInput
        If the numbers are not as described.
    """
    sizes, heights = _ordered(sizes, accuracies)
    if not 0 <= chance < level < 1:
        raise InvalidInput(f"level is {level} and chance {chance}, expected 0 <= chance < level < 1")
    bracket = _bracket(heights, level)
    if bracket is None:
        low_end = heights.mean() >= level
        edge = float(sizes[0] if low_end else sizes[-1])
        bounds = (0.0, edge) if low_end else (edge, math.inf)
        return CriticalSize(
            estimate=edge, lower=bounds[0], upper=bounds[1], width=math.nan, bracketed=False, residual=math.nan
        )
    x, y, target = np.log10(sizes), (heights - chance) / (1 - chance), (level - chance) / (1 - chance)
    low, high = x[bracket], x[bracket + 1]
    middle, scale = _fit(x, y)
    curve = expit((x - middle) / scale)
    on_slope = (curve > 0.05) & (curve < 0.95)
    if on_slope.sum() >= 2:
        estimate, width = middle + scale * logit(target), RISE * scale
    else:
        rise = isotonic_regression(y).x[bracket : bracket + 2]
        estimate, width = low + (high - low) * (target - rise[0]) / (rise[1] - rise[0]), high - low
    if on_slope.sum() >= FEWEST_ON_SLOPE:
        half = max(_half_interval(x, y, middle, scale, target, on_slope), (high - low) / 4)
        lower, upper = 10 ** (estimate - half), 10 ** min(estimate + half, 300.0)
    else:
        lower, upper = min(sizes[bracket], 10**estimate), max(sizes[bracket + 1], 10**estimate)
    return CriticalSize(
        estimate=float(10**estimate),
        lower=float(lower),
        upper=float(upper),
        width=float(width),
        bracketed=True,
        residual=float((1 - chance) * np.sqrt(np.mean((curve - y) ** 2))),
    )


def next_size(
    sizes: Sequence[float] | np.ndarray,
    accuracies: Sequence[float] | np.ndarray,
    grid: Sequence[int],
    *,
    level: float = 0.5,
    chance: float = 0.0,
    resolution: float = 0.02,
) -> int | None:
    """Return the size to try next in search of the critical one; None when it is known well enough.

    Bisection guided by the fit: of the untried grid sizes strictly between the two tried ones that bracket the level,
    the nearest (in log size) to the estimate. Without a bracket, the middle (in log size) of the untried grid on the
    side where the level must be. Every answer is an untried size, so asking again comes to an end.

    Parameters
    ----------
    sizes, accuracies, level, chance
        See `critical_size`.
    grid : sequence of int
        Sizes that may be tried, such as `size_grid`.
    resolution : float
        No further size is needed once the interval is narrower than this, in log10 of the size.
    """
    found = critical_size(sizes, accuracies, level=level, chance=chance)
    if found.bracketed:
        if math.log10(found.upper / found.lower) < resolution:
            return None
        tried, heights = _ordered(sizes, accuracies)
        bracket = _bracket(heights, level)
        assert bracket is not None
        low, high, near = tried[bracket], tried[bracket + 1], found.estimate
    else:
        low, high = found.lower, found.upper
    inside = [size for size in grid if low < size < high]
    if inside and not found.bracketed:
        near = math.sqrt(inside[0] * inside[-1])
    return min(inside, key=lambda size: abs(math.log(size / near)), default=None)


def size_grid(lowest: int, highest: int, ratio: float) -> tuple[int, ...]:
    """Return sizes from `lowest` to `highest`, both included, in geometric progression, each once.

    Parameters
    ----------
    lowest, highest : int
        Positive.
    ratio : float
        Of neighbours, at most and before rounding; above 1.
    """
    if not (1 <= lowest <= highest and ratio > 1):
        raise InvalidInput(f"a grid from {lowest} to {highest} by {ratio}: expected 1 <= lowest <= highest, ratio > 1")
    gaps = math.ceil(math.log(highest / lowest) / math.log(ratio) - 1e-9)
    return tuple(sorted({round(float(size)) for size in np.geomspace(lowest, highest, gaps + 1)}))


def _ordered(
    sizes: Sequence[float] | np.ndarray, accuracies: Sequence[float] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return sizes, ascending, with their accuracies."""
    x, y = np.asarray(sizes, dtype=float), np.asarray(accuracies, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or not len(x) or not (x > 0).all() or len(set(x)) < len(x):
        raise InvalidInput(f"sizes are {x.tolist()}, expected distinct positive numbers, one for each accuracy")
    if not ((y >= 0) & (y <= 1)).all():
        raise InvalidInput(f"accuracies are {y.tolist()}, expected numbers from 0 to 1")
    order = np.argsort(x)
    return x[order], y[order]


def _bracket(heights: np.ndarray, level: float) -> int | None:
    """Return the index of the last size whose accuracy, made monotone, is below the level; None without a bracket."""
    below = int((isotonic_regression(heights).x < level).sum())
    return below - 1 if 0 < below < len(heights) else None


def _fit(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return middle and scale of the logistic nearest to y: the best of a coarse grid, polished."""
    span, gap = x[-1] - x[0], np.diff(x).min()
    middles = np.linspace(x[0], x[-1], max(64, 2 * len(x)))
    # A curve steeper than any gap can tell is all one; one flatter than all the data is a straight line.
    logs = np.linspace(math.log(gap / 50), math.log(4 * span), 24)
    curves = expit((x - middles[:, None, None]) / np.exp(logs)[:, None])
    at = np.unravel_index(((curves - y) ** 2).sum(-1).argmin(), curves.shape[:2])
    bounds = ([x[0] - span, logs[0] - 1e-9], [x[-1] + span, logs[-1] + 1e-9])
    polished = least_squares(
        lambda p: expit((x - p[0]) / math.exp(p[1])) - y, [middles[at[0]], logs[at[1]]], bounds=bounds
    )
    return float(polished.x[0]), float(math.exp(polished.x[1]))


def _half_interval(
    x: np.ndarray, y: np.ndarray, middle: float, scale: float, target: float, on_slope: np.ndarray
) -> float:
    """Return half the 95 % interval of the log size at the target, by the delta method.

    Only sizes on the slope count, for the noise and for its degrees of freedom: where the curve is flat accuracies
    hardly scatter, and would make the noise on the slope look smaller than it is.
    """
    x, y = x[on_slope], y[on_slope]
    curve = expit((x - middle) / scale)
    steep = curve * (1 - curve) / scale
    slopes = -np.stack([steep, steep * (x - middle) / scale], axis=1)  # by the middle, and by the scale
    freedom = len(x) - 2
    noise = ((curve - y) ** 2).sum() / freedom
    weights = np.array([1.0, logit(target)])
    spread = math.sqrt(max(noise * float(weights @ np.linalg.pinv(slopes.T @ slopes) @ weights), 0.0))
    return float(stats.t.ppf(0.975, freedom)) * spread
