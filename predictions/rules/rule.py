"""What every decision rule offers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

import numpy as np

#: Confidence at which a criterion is decided: the whole interval must lie on one side of the threshold.
LEVEL = 0.95


class Decision(StrEnum):
    """What the evidence says about one criterion."""

    CORROBORATED = "corroborated"
    FALSIFIED = "falsified"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Sample:
    """Measurements over seeds.

    Attributes
    ----------
    values : array of float, shape (seeds,) or (seeds, columns)
    censored : array of bool, same shape
        True where the event had not happened by `values`.
    levels : array of float, shape (columns,)
        What the columns stand for, ascending; empty for a plain sample.
    """

    values: np.ndarray
    censored: np.ndarray
    levels: np.ndarray

    @classmethod
    def of(cls, values: object, censored: object = None, levels: object = ()) -> Sample:
        """Build a sample from anything array-like; nothing is censored by default.

        Raises
        ------
        ValueError
            If a value is not a number.
        """
        array = np.asarray(values, dtype=float)
        if np.isnan(array).any():
            raise ValueError("a measurement is not a number")
        mask = np.zeros(array.shape, bool) if censored is None else np.asarray(censored, bool)
        return cls(array, mask, np.asarray(levels, dtype=float))


@dataclass(frozen=True)
class Finding:
    """What a rule found.

    Attributes
    ----------
    outcome : Decision
    estimate, low, high : float
        The quantity decided on, and its interval at `LEVEL`; infinite where the seeds are too few for one.
    p : float
        Two-sided p-value against the threshold: the interval excludes the threshold where p < 1 - LEVEL.
    n : int
        Seeds.
    """

    outcome: Decision
    estimate: float
    low: float
    high: float
    p: float
    n: int


@dataclass(frozen=True)
class Contributions:
    """What each seed contributes to an estimate, on the scale of the estimate.

    Attributes
    ----------
    values : array of float, shape (seeds,)
    low, high : array of float, shape (seeds,)
        Between which the true value lies: equal to it where nothing is censored.
    """

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def exact(cls, values: np.ndarray) -> Self:
        """Return contributions of which nothing is censored."""
        return cls(values, values, values)


@dataclass(frozen=True)
class Requirement:
    """What must hold of an estimate: a verb in the infinitive ("exceed", "be", "lie"), and what follows it."""

    verb: str
    rest: str

    @property
    def statement(self) -> str:
        """What holds: "exceeds 3"."""
        return f"{'is' if self.verb == 'be' else f'{self.verb}s'} {self.rest}"

    @property
    def demand(self) -> str:
        """What has to: "must exceed 3"."""
        return f"must {self.verb} {self.rest}"


class Rule(ABC):
    """A decision rule: a frozen dataclass with its thresholds, and two separate criteria.

    `decide` corroborates if the whole interval lies where the claim says, falsifies if it lies entirely elsewhere,
    and leaves it undecided otherwise.

    Attributes
    ----------
    kind : str
        What its estimate is: "value", "share", "rank correlation", "ratio" (which belongs on a logarithmic axis, and
        for which the columns of a sample are two events), "spread", or another word.
    """

    kind: ClassVar[str] = "value"

    @abstractmethod
    def decide(self, sample: Sample, level: float = LEVEL) -> Finding:
        """Decide on a sample at a confidence level.

        Raises
        ------
        ValueError
            If the sample has the wrong shape for this rule.
        """

    @property
    @abstractmethod
    def region(self) -> tuple[float, float]:
        """Between which two numbers the estimate must lie; infinite where there is no bound."""

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The number or numbers that the estimate is held against."""
        return tuple(bound for bound in self.region if math.isfinite(bound))

    @abstractmethod
    def requirement(self) -> Requirement:
        """Return what must hold, in words, to follow the subject."""

    def subject(self, quantity: str) -> str:
        """Return what the estimate is, in words: the quantity itself unless the rule makes something else of it."""
        return quantity

    def axis(self, quantity: str) -> str:
        """Return what a seed contributes, in words."""
        return quantity

    def contributions(self, sample: Sample) -> Contributions:
        """Return what each seed contributes to the estimate: its value, unless the rule makes something else of it.

        Raises
        ------
        ValueError
            If the sample has the wrong shape for this rule.
        """
        return Contributions.exact(plain(sample))

    @abstractmethod
    def draw(self, rng: np.random.Generator, seeds: int, centre: float, spread: float) -> Sample:
        """Simulate a sample whose true value is `centre`, with `spread` between seeds."""

    def typical(self, sample: Sample) -> tuple[float, float]:
        """Return centre and spread of a sample, such that `draw` simulates others like it: what calibration finds.

        Here the median (or mean, where a rule decides on that) and the standard deviation of what seeds have.

        Raises
        ------
        ValueError
            If the sample has the wrong shape for this rule, or something in it is censored.
        """
        values = plain(sample)
        nothing_censored(sample)
        centre = np.mean(values) if getattr(self, "centre", "median") == "mean" else np.median(values)
        return float(centre), standard_deviation(values)

    @property
    def null(self) -> tuple[float, ...]:
        """True values at the edge of what the claim denies, for which a PASS would be false."""
        return self.thresholds


def plain(sample: Sample) -> np.ndarray:
    """Return the values of a sample of shape (seeds,)."""
    if sample.values.ndim != 1 or len(sample.values) == 0:
        raise ValueError(f"expected one value per seed, found shape {sample.values.shape}")
    return sample.values


def standard_deviation(values: np.ndarray) -> float:
    """Return the standard deviation between seeds; 0 for a single one, of which nothing is known."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def nothing_censored(sample: Sample) -> None:
    """Refuse censored values where a rule would take them at face value."""
    if sample.censored.any():
        raise ValueError("this rule cannot use censored values; Precedes and Monotone can")
