"""Rules about order: of levels, and of events in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from grokscape.predictions.rules.intervals import median_interval, sign_p
from grokscape.predictions.rules.location import Exceeds
from grokscape.predictions.rules.rule import LEVEL, Decision, Finding, Rule, Sample, standard_deviation


@dataclass(frozen=True)
class Monotone(Rule):
    """The quantity rises (or falls) with the level, within each seed.

    Each seed gives Spearman's rank correlation between level and value, times -1 for "falling"; their median must
    exceed `least`. A censored value counts as larger than every value seen: it is a time longer than the budget.

    Parameters
    ----------
    direction : {"rising", "falling"}
    least : float
        How nearly perfect the order must be; 1 is perfect.
    """

    direction: Literal["rising", "falling"]
    least: float = 0.8

    def decide(self, sample: Sample, level: float = LEVEL) -> Finding:
        if sample.values.ndim != 2 or sample.values.shape[1] < 3:
            raise ValueError(f"expected values at three or more levels per seed, found shape {sample.values.shape}")
        values = np.where(sample.censored, np.inf, sample.values)
        sign = 1 if self.direction == "rising" else -1
        correlations = sign * _spearman(sample.levels, values)
        return Exceeds(self.least).decide(Sample.of(correlations), level)

    @property
    def thresholds(self) -> tuple[float, ...]:
        return (self.least,)

    def sentence(self) -> str:
        return f"exceeds {self.least:.4g} in the {self.direction} direction"

    def subject(self, quantity: str) -> str:
        return f"rank correlation of {quantity} with its level"

    def draw(self, rng: np.random.Generator, seeds: int, centre: float, spread: float) -> Sample:
        """Simulate six levels that differ by `centre` each (in the claimed direction), with noise `spread`."""
        levels = np.arange(6.0)
        sign = 1 if self.direction == "rising" else -1
        return Sample.of(sign * centre * levels + rng.normal(0, spread, (seeds, 6)), levels=levels)

    def typical(self, sample: Sample) -> tuple[float, float]:
        """Return the median step from one level to the next, in the claimed direction, and the noise about the steps.

        A time that had not come when the budget ended counts as the budget.
        """
        if sample.values.ndim != 2 or sample.values.shape[1] < 3:
            raise ValueError(f"expected values at three or more levels per seed, found shape {sample.values.shape}")
        sign = 1 if self.direction == "rising" else -1
        steps = sign * np.diff(sample.values, axis=1).mean(1)
        apart = sample.values - np.median(sample.values, axis=0)
        return float(np.median(steps)), standard_deviation(apart.ravel())

    @property
    def null(self) -> tuple[float, ...]:
        """No order at all, which is what a claim of order denies."""
        return (0.0,)


def _spearman(levels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return Spearman's rank correlation of each row of values with the levels; 0 for a row that is constant."""
    x, y = stats.rankdata(levels), stats.rankdata(values, axis=1)
    x, y = x - x.mean(), y - y.mean(axis=1, keepdims=True)
    scale = np.sqrt((x @ x) * (y * y).sum(1))
    return np.divide(y @ x, scale, out=np.zeros(len(values)), where=scale > 0)


@dataclass(frozen=True)
class Precedes(Rule):
    """One event comes before another, by a factor: the median ratio late / early exceeds `factor`.

    Decided by the exact sign test over seeds. The sample has two columns, early and late. A late event that never
    came within a budget of more than ``factor * early`` did come later; where censoring hides the order, the seed
    counts against whatever would be concluded.

    Parameters
    ----------
    factor : float
        At least 1.
    """

    factor: float = 1.0

    def decide(self, sample: Sample, level: float = LEVEL) -> Finding:
        if sample.values.ndim != 2 or sample.values.shape[1] != 2:
            raise ValueError(f"expected two times per seed, found shape {sample.values.shape}")
        early, late = sample.values.T
        early_unseen, late_unseen = sample.censored.T
        # A step at 0 is before the first step; counting it as step 1 keeps ratios finite.
        ratio = np.maximum(late, 1) / np.maximum(early, 1)
        # Bounds of each true ratio: a censored late time only grows, a censored early time only shrinks it.
        least = np.where(early_unseen, 0.0, ratio)
        most = np.where(late_unseen, np.inf, ratio)
        low, _ = median_interval(least, level)
        _, high = median_interval(most, level)
        n = len(ratio)
        outcome = Decision.UNDECIDED
        if low > self.factor:
            outcome = Decision.CORROBORATED
        elif high < self.factor:
            outcome = Decision.FALSIFIED
        p = sign_p(int(max(np.sum(least > self.factor), np.sum(most < self.factor))), n)
        return Finding(outcome, float(np.median(least)), low, high, p, n)

    @property
    def thresholds(self) -> tuple[float, ...]:
        return (self.factor,)

    def sentence(self) -> str:
        return f"exceeds {self.factor:.4g}"

    def subject(self, quantity: str) -> str:
        return f"{quantity} (ratio of times)"

    def draw(self, rng: np.random.Generator, seeds: int, centre: float, spread: float) -> Sample:
        """Simulate ratios with median `centre`, log-normal with standard deviation `spread` of the logarithm."""
        early = np.full(seeds, 100.0)
        return Sample.of(np.column_stack([early, early * centre * np.exp(rng.normal(0, spread, seeds))]))

    def typical(self, sample: Sample) -> tuple[float, float]:
        """Return the median ratio of times, and the standard deviation of its logarithm.

        A late time that had not come when the budget ended counts as the budget, an early one as no order at all.
        """
        if sample.values.ndim != 2 or sample.values.shape[1] != 2:
            raise ValueError(f"expected two times per seed, found shape {sample.values.shape}")
        early, late = np.maximum(sample.values, 1).T
        ratios = np.where(sample.censored[:, 0], 1.0, late / early)
        return float(np.median(ratios)), standard_deviation(np.log(ratios))
