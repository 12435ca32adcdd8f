"""What the figure of a criterion shows: each seed, the interval and the threshold, with the controls beside the claim.

All of it stands in the verdict as data: what each seed contributes, on which axis, and where the estimate has to lie.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.wording import states, subject
from grokscape.reports.numbers import capital, estimate, number

#: Where the true value of a point lies: at it, or somewhere above, below, or on an unknown side of it.
Bound = Literal["exact", "above", "below", "unknown"]
#: Positive values that span more than this factor are drawn on a logarithmic axis.
WIDE = 30.0


@dataclass(frozen=True)
class Point:
    """What one seed contributes to a criterion."""

    seed: int
    value: float
    bound: Bound = "exact"


@dataclass(frozen=True)
class Row:
    """One arm: its seeds, and what was concluded from them.

    Attributes
    ----------
    arm, outcome : str
    points : tuple of Point
    estimate, low, high : float or None
        None for a bound that is infinite.
    """

    arm: str
    outcome: str
    points: tuple[Point, ...]
    estimate: float | None
    low: float | None
    high: float | None

    @property
    def is_claim(self) -> bool:
        return self.arm == CLAIM


@dataclass(frozen=True)
class CriterionPlot:
    """One criterion, for the claim and for each control.

    Attributes
    ----------
    title, label : str
        What had to hold; what the axis measures.
    rows : tuple of Row
        The claim first.
    thresholds : tuple of float
    region : tuple of float or None
        Where the estimate has to lie, if that is known.
    log : bool
    limits : tuple of float
        The ends of the axis.
    """

    title: str
    label: str
    rows: tuple[Row, ...]
    thresholds: tuple[float, ...]
    region: tuple[float, float] | None
    log: bool
    limits: tuple[float, float]

    def position(self, value: float) -> float:
        """Return where on the axis a value is drawn, from 0 to 1; what lies beyond an end is drawn at it."""
        low, high = self.limits
        if self.log:
            if value <= 0:
                return 0.0
            value, low, high = math.log(value), math.log(low), math.log(high)
        return min(1.0, max(0.0, (value - low) / (high - low)))

    @property
    def words(self) -> str:
        """The figure in words, for those who do not see it."""
        rows = [
            f"{'claim' if row.is_claim else f'control {row.arm}'}: {estimate(row.estimate, row.low, row.high)}"
            + (f" over {len(row.points)} seeds" if row.points else "")
            for row in self.rows
        ]
        limits = " and ".join(number(value) for value in self.thresholds)
        return f"{self.title}. Threshold {limits}. {'; '.join(rows)}."


def criterion_plots(verdict: Mapping[str, Any]) -> list[CriterionPlot]:
    """Return a plot for each criterion of a verdict."""
    return [_plot(verdict, index, criterion) for index, criterion in enumerate(verdict["criteria"])]


def _plot(verdict: Mapping[str, Any], index: int, criterion: Mapping[str, Any]) -> CriterionPlot:
    judged = [(CLAIM, criterion)]
    judged += [(c["name"], c["criteria"][index]) for c in verdict["controls"] if index < len(c["criteria"])]
    rows = tuple(_row(arm, found) for arm, found in judged)
    thresholds = tuple(float(value) for value in criterion["thresholds"] if value is not None)
    shown = [*thresholds, *(point.value for row in rows for point in row.points)]
    shown += [value for row in rows for value in (row.estimate, row.low, row.high) if value is not None]
    is_ratio = criterion["kind"] == "ratio"
    # A ratio of times that is only known to lie below some value has 0 as its lower bound: no reason to go linear.
    positive = [value for value in shown if value > 0] if is_ratio else shown
    log = bool(positive) and min(positive) > 0 and (is_ratio or max(positive) / min(positive) > WIDE)
    at_level = criterion["axis"] == criterion["quantity"] and criterion["at"] is not None
    return CriterionPlot(
        title=f"{capital(subject(criterion))} {states(criterion['requirement'])}",
        label=criterion["axis"] + (f" at {number(criterion['at'])}" if at_level else ""),
        rows=rows,
        thresholds=thresholds,
        region=_region(criterion["region"]),
        log=log,
        limits=_limits(positive if log else shown, log),
    )


def _row(arm: str, found: Mapping[str, Any]) -> Row:
    points = tuple(_point(one) for one in found["contributions"])
    return Row(arm, found["outcome"], points, *(found[bound] for bound in ("estimate", "low", "high")))


def _point(contribution: Mapping[str, Any]) -> Point:
    value = float(contribution["value"])
    bounds: dict[tuple[bool, bool], Bound] = {(True, True): "exact", (True, False): "above", (False, True): "below"}
    known = (contribution["low"] == value, contribution["high"] == value)
    return Point(int(contribution["seed"]), value, bounds.get(known, "unknown"))


def _region(bounds: Sequence[float | None]) -> tuple[float, float] | None:
    low, high = bounds
    if low is None and high is None:
        return None
    return -math.inf if low is None else low, math.inf if high is None else high


def _limits(values: Sequence[float], log: bool) -> tuple[float, float]:
    """The ends of an axis that shows all values, with some room."""
    if not values:
        return 0.0, 1.0
    if log:
        low, high = math.log(min(values)), math.log(max(values))
        room = 0.06 * (high - low) or 0.5
        return math.exp(low - room), math.exp(high + room)
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 0.5 * abs(low) or 0.5
    return low - room, high + room
