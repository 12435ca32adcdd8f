"""A rule about how often something happens."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grokscape.predictions.numbers import share
from grokscape.predictions.rules.intervals import proportion_interval, proportion_p
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
)


@dataclass(frozen=True)
class Proportion(Rule):
    """The share of seeds in which something happens (value above 1/2) exceeds a threshold; exact binomial interval."""

    threshold: float

    kind: ClassVar[str] = "share"

    def decide(self, sample: Sample, level: float = LEVEL) -> Finding:
        happened = self.contributions(sample).values
        nothing_censored(sample)
        n, successes = len(happened), int(happened.sum())
        low, high = proportion_interval(successes, n, level)
        outcome = Decision.UNDECIDED
        if low > self.threshold:
            outcome = Decision.CORROBORATED
        elif high < self.threshold:
            outcome = Decision.FALSIFIED
        return Finding(outcome, successes / n, low, high, proportion_p(successes, n, self.threshold), n)

    @property
    def region(self) -> tuple[float, float]:
        return self.threshold, math.inf

    def requirement(self) -> Requirement:
        return Requirement("happen", f"in more than {share(self.threshold)} of seeds")

    def axis(self, quantity: str) -> str:  # noqa: ARG002
        return "share of seeds"

    def contributions(self, sample: Sample) -> Contributions:
        """Whether it happened: 1 or 0."""
        return Contributions.exact((plain(sample) > 0.5).astype(float))

    def draw(self, rng: np.random.Generator, seeds: int, centre: float, spread: float = 0.0) -> Sample:  # noqa: ARG002
        """Simulate a coin; its spread follows from `centre`."""
        return Sample.of((rng.random(seeds) < centre).astype(float))

    def typical(self, sample: Sample) -> tuple[float, float]:
        """Return the share of seeds in which it happened, which says how much seeds differ."""
        nothing_censored(sample)
        return float(np.mean(plain(sample) > 0.5)), 0.0
