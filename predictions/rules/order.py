"""Rules about order: of levels, and of events in time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy import stats

from grokscape.predictions.numbers import number
from grokscape.predictions.rules.intervals import median_interval, sign_p
from grokscape.predictions.rules.location import Exceeds
from grokscape.predictions.rules.rule import (
    LEVEL,
    Contributions,
    Decision,
    Finding,
    Requirement,
    Rule,
    Sample,
    standard_deviation,
)


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

    kind: ClassVar[str] = "rank correlation"

    def decide(self, sample: Sample, level: float = LEVEL) -> Finding:
        return Exceeds(self.least).decide(Sample.of(self.contributions(sample).values), level)

    @property
    def region(self) -> tuple[float, float]:
        return self.least, math.inf

    def requirement(self) -> Requirement:
        return Requirement("exceed", f"{number(self.least)} in the {self.direction} direction")

    def subject(self, quantity: str) -> str:
        return f"rank correlation of {quantity} with its level"

    def axis(self, quantity: str) -> str:  # noqa: ARG002
        return "rank correlation, in the direction claimed"

    def contributions(self, sample: Sample) -> Contributions:
        """Spearman's rank correlations, times -1 for "falling"."""
        if sample.values.ndim != 2 or sample.values.shape[1] < 3:
            raise ValueError(f"expected values at three or more levels per seed, found shape {sample.values.shape}")
        values = np.where(sample.censored, np.inf, sample.values)
        sign = 1 if self.direction == "rising" else -1
        return Contributions.exact(sign * _spearman(sample.levels, values))

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

    kind: ClassVar[str] = "ratio"

    def decide(self, sample: Sample, level: float = LEVEL) -> Finding:
        found = self.contributions(sample)
        least, most = found.low, found.high
        low, _ = median_interval(least, level)
        _, high = median_interval(most, level)
        n = len(least)
        outcome = Decision.UNDECIDED
        if low > self.factor:
            outcome = Decision.CORROBORATED
        elif high < self.factor:
            outcome = Decision.FALSIFIED
        p = sign_p(int(max(np.sum(least > self.factor), np.sum(most < self.factor))), n)
        return Finding(outcome, float(np.median(least)), low, high, p, n)

    @property
    def region(self) -> tuple[float, float]:
        return self.factor, math.inf

    def requirement(self) -> Requirement:
        return Requirement("exceed", number(self.factor))

    def subject(self, quantity: str) -> str:
        return f"{quantity} (ratio of times)"

    def axis(self, quantity: str) -> str:  # noqa: ARG002
        return "later time / earlier time"

    def contributions(self, sample: Sample) -> Contributions:
        """Ratios late / early: a censored late time only grows, a censored early time only shrinks the true one."""
        if sample.values.ndim != 2 or sample.values.shape[1] != 2:
            raise ValueError(f"expected two times per seed, found shape {sample.values.shape}")
        # A step at 0 is before the first step; counting it as step 1 keeps ratios finite.
        early, late = np.maximum(sample.values, 1).T
        early_unseen, late_unseen = sample.censored.T
        ratio = late / early
        return Contributions(ratio, np.where(early_unseen, 0.0, ratio), np.where(late_unseen, np.inf, ratio))

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
