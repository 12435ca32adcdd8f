"""Rules about where a quantity lies: above a threshold, below one, or inside a region."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from grokscape.predictions.numbers import number
from grokscape.predictions.rules.intervals import mean_interval, mean_p, median_interval, sign_p
from grokscape.predictions.rules.rule import (
    LEVEL,
    Decision,
    Finding,
    Requirement,
    Rule,
    Sample,
    nothing_censored,
    plain,
)

Centre = Literal["median", "mean"]


def _interval(values: np.ndarray, centre: Centre, level: float) -> tuple[float, float]:
    # Student's interval has no width where all seeds agree; the median's is honest about how few they are.
    if centre == "mean" and np.ptp(values) > 0:
        return mean_interval(values, level)
    return median_interval(values, level)


def _p(values: np.ndarray, centre: Centre, threshold: float) -> float:
    if centre == "mean" and np.ptp(values) > 0:
        return mean_p(values, threshold)
    # A value on the threshold supports neither side.
    side = max(np.sum(values > threshold), np.sum(values < threshold))
    return sign_p(int(side), len(values))


def _estimate(values: np.ndarray, centre: Centre) -> float:
    return float(np.median(values) if centre == "median" else np.mean(values))


@dataclass(frozen=True)
class Exceeds(Rule):
    """The quantity is greater than a threshold.

    Parameters
    ----------
    threshold : float
    centre : {"median", "mean"}
        What is decided on, over seeds. The median's interval is exact for any distribution, and with 6 to 8 seeds
        demands that all of them lie beyond the threshold (9 to 11: all but one); the mean's assumes nearly normal
        values and decides with fewer.
    """

    threshold: float
    centre: Centre = "median"

    def decide(self, sample: Sample, level: float = LEVEL) -> Finding:
        values = plain(sample)
        nothing_censored(sample)
        low, high = _interval(values, self.centre, level)
        outcome = Decision.UNDECIDED
        if low > self.threshold:
            outcome = Decision.CORROBORATED
        elif high < self.threshold:
            outcome = Decision.FALSIFIED
        p = _p(values, self.centre, self.threshold)
        return Finding(outcome, _estimate(values, self.centre), low, high, p, len(values))

    @property
    def region(self) -> tuple[float, float]:
        return self.threshold, math.inf

    def requirement(self) -> Requirement:
        return Requirement("exceed", number(self.threshold))

    def draw(self, rng: np.random.Generator, seeds: int, centre: float, spread: float) -> Sample:
        return Sample.of(rng.normal(centre, spread, seeds))


@dataclass(frozen=True)
class Below(Rule):
    """The quantity is less than a threshold; otherwise as `Exceeds`."""

    threshold: float
    centre: Centre = "median"

    def decide(self, sample: Sample, level: float = LEVEL) -> Finding:
        mirrored = Exceeds(-self.threshold, self.centre).decide(
            Sample(-sample.values, sample.censored, sample.levels), level
        )
        # Adding zero turns -0.0, which nobody measured, into 0.0.
        estimate, low, high = 0.0 - mirrored.estimate, 0.0 - mirrored.high, 0.0 - mirrored.low
        return Finding(mirrored.outcome, estimate, low, high, mirrored.p, mirrored.n)

    @property
    def region(self) -> tuple[float, float]:
        return -math.inf, self.threshold

    def requirement(self) -> Requirement:
        return Requirement("be", f"below {number(self.threshold)}")

    def draw(self, rng: np.random.Generator, seeds: int, centre: float, spread: float) -> Sample:
        return Sample.of(rng.normal(centre, spread, seeds))


@dataclass(frozen=True)
class Within(Rule):
    """Equivalence: the quantity lies inside a region, shown by an interval that does (never by "no difference found").

    With the 95 % interval this is two one-sided tests (TOST) at 2.5 % each. Falsified only if the whole interval lies
    outside.

    Parameters
    ----------
    low, high : float
        The region that counts as equal.
    centre : {"median", "mean"}
        See `Exceeds`.
    """

    low: float
    high: float
    centre: Centre = "median"

    def decide(self, sample: Sample, level: float = LEVEL) -> Finding:
        above = Exceeds(self.low, self.centre).decide(sample, level)
        under = Below(self.high, self.centre).decide(sample, level)
        outcomes = {above.outcome, under.outcome}
        outcome = Decision.UNDECIDED
        if outcomes == {Decision.CORROBORATED}:
            outcome = Decision.CORROBORATED
        elif Decision.FALSIFIED in outcomes:
            outcome = Decision.FALSIFIED
        return Finding(outcome, above.estimate, above.low, above.high, max(above.p, under.p), above.n)

    @property
    def region(self) -> tuple[float, float]:
        return self.low, self.high

    def requirement(self) -> Requirement:
        return Requirement("lie", f"between {number(self.low)} and {number(self.high)}")

    def draw(self, rng: np.random.Generator, seeds: int, centre: float, spread: float) -> Sample:
        return Sample.of(rng.normal(centre, spread, seeds))
