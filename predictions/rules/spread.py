"""A rule about how much seeds differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import stats

from grokscape.predictions.numbers import number
from grokscape.predictions.rules.rule import (
    LEVEL,
    Contributions,
    Decision,
    Finding,
    Requirement,
    Rule,
    Sample,
    nothing_censored,
    plain,
    standard_deviation,
)


@dataclass(frozen=True)
class Spread(Rule):
    """The standard deviation between seeds exceeds a threshold.

    Decided by the chi-square interval, which is exact for normal values and for nothing else: more seeds do not make up
    for another shape. With 10 seeds, a PASS is false in 2.5 % of cases where values are normal, and in about 7 % where
    they follow Student's t with 5 degrees of freedom or Laplace's distribution (8 % with 20 seeds); flatter shapes err
    less. So it is for quantities that are nearly normal, such as logarithms of efficiencies, and for effects well
    beyond the threshold.

    Parameters
    ----------
    threshold : float
        Greater than 0.
    """

    threshold: float

    kind: ClassVar[str] = "spread"

    def decide(self, sample: Sample, level: float = LEVEL) -> Finding:
        values = plain(sample)
        nothing_censored(sample)
        freedom = len(values) - 1
        if freedom < 1:
            return Finding(Decision.UNDECIDED, 0.0, 0.0, np.inf, 1.0, len(values))
        estimate = float(np.std(values, ddof=1))
        quantiles = stats.chi2.ppf([(1 + level) / 2, (1 - level) / 2], freedom)
        low, high = (float(bound) for bound in estimate * np.sqrt(freedom / quantiles))
        outcome = Decision.UNDECIDED
        if low > self.threshold:
            outcome = Decision.CORROBORATED
        elif high < self.threshold:
            outcome = Decision.FALSIFIED
        statistic = freedom * (estimate / self.threshold) ** 2
        p = 2 * min(stats.chi2.cdf(statistic, freedom), stats.chi2.sf(statistic, freedom))
        return Finding(outcome, estimate, low, high, float(p), len(values))

    @property
    def region(self) -> tuple[float, float]:
        return self.threshold, math.inf

    def requirement(self) -> Requirement:
        return Requirement("exceed", number(self.threshold))

    def subject(self, quantity: str) -> str:
        return f"standard deviation between seeds of {quantity}"

    def axis(self, quantity: str) -> str:
        return f"distance from the mean over seeds of {quantity}"

    def contributions(self, sample: Sample) -> Contributions:
        """Distances from the mean, scaled so that their root mean square is the standard deviation."""
        values = plain(sample)
        scale = math.sqrt(len(values) / max(len(values) - 1, 1))
        return Contributions.exact(scale * np.abs(values - values.mean()))

    def draw(self, rng: np.random.Generator, seeds: int, centre: float, spread: float = 0.0) -> Sample:  # noqa: ARG002
        """Simulate normal values whose standard deviation is `centre`; their spread is what is decided on."""
        return Sample.of(rng.normal(0, centre, seeds))

    def typical(self, sample: Sample) -> tuple[float, float]:
        """Return the standard deviation between seeds; of that there is one, which has no spread."""
        nothing_censored(sample)
        return standard_deviation(plain(sample)), 0.0
