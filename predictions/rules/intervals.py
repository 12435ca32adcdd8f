"""Intervals and p-values over seeds, from numpy and scipy alone."""

from __future__ import annotations

import functools
import math

import numpy as np
from scipy import stats
from scipy.special import stdtr


def mean_interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """Return Student's interval of the mean; unbounded for fewer than two values.

    Assumes nearly normal values: with 8 skewed (exponential) ones, one of its sides errs in about 8 % of cases where
    2.5 % are promised. The median makes no such assumption.
    """
    if len(values) < 2:
        return -np.inf, np.inf
    mean, error = _mean_and_error(values)
    half = _student(len(values) - 1, level) * error
    return mean - half, mean + half


def median_interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """Return the interval of the median between two order statistics, exact for any continuous distribution.

    The narrowest symmetric pair whose coverage, ``1 - 2 P(Binomial(n, 1/2) < k)`` for the k-th smallest and largest
    values, is at least `level`; unbounded where there are too few values (fewer than 6 at 95 %).
    """
    k = _order(len(values), level)
    if k == 0:
        return -np.inf, np.inf
    ordered = np.sort(values)
    return float(ordered[k - 1]), float(ordered[-k])


def _mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """Return the mean and its standard error, of at least two values.

    In plain Python, which for a dozen numbers is several times faster than NumPy: rules are simulated by the thousand.
    """
    numbers = values.tolist()
    mean = math.fsum(numbers) / len(numbers)
    square = math.fsum((number - mean) ** 2 for number in numbers)
    return mean, math.sqrt(square / (len(numbers) - 1) / len(numbers))


@functools.cache
def _student(freedom: int, level: float) -> float:
    return float(stats.t.ppf((1 + level) / 2, freedom))


@functools.cache
def _order(n: int, level: float) -> int:
    """The largest k for which the k-th smallest and k-th largest of n values enclose the median at `level`."""
    below = stats.binom.cdf(np.arange(n // 2 + 1) - 1, n, 0.5)  # P(fewer than k), for k = 0, 1, ...
    return int(np.flatnonzero(2 * below <= 1 - level + 1e-12).max())


@functools.cache
def proportion_interval(successes: int, n: int, level: float) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) interval of a proportion."""
    if n == 0:
        return 0.0, 1.0
    interval = stats.binomtest(successes, n).proportion_ci(level, method="exact")
    return float(interval.low), float(interval.high)


def mean_p(values: np.ndarray, threshold: float) -> float:
    """Return the two-sided p-value of Student's test that the mean is `threshold`."""
    if len(values) < 2:
        return 1.0
    mean, error = _mean_and_error(values)
    if error == 0:  # differences so small that their squares underflow
        return float(mean == threshold)
    return float(2 * stdtr(len(values) - 1, -abs((mean - threshold) / error)))


@functools.cache
def sign_p(above: int, n: int) -> float:
    """Return the two-sided p-value of the sign test, `above` of `n` values on the better supported side.

    1 unless that is more than half of them: values on the threshold, or hidden by censoring, support no side.
    """
    return float(stats.binomtest(above, n, 0.5).pvalue) if 2 * above > n else 1.0


@functools.cache
def proportion_p(successes: int, n: int, threshold: float) -> float:
    """Return twice the smaller binomial tail, the test that `proportion_interval` inverts."""
    tails = stats.binom.sf(successes - 1, n, threshold), stats.binom.cdf(successes, n, threshold)
    return min(1.0, 2 * float(min(tails)))
