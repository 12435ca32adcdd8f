"""What the figure of a criterion shows: each seed, the interval and the threshold, with the controls beside the claim.

A verdict says what had to hold in words and not by which rule; the words and the levels together tell what one seed
contributes. Where they do not (a rule of a user's own), the estimate and its interval are drawn without seeds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from grokscape.predictions.evidence import CLAIM
from grokscape.reports.numbers import capital, estimate, number

#: Where the true value of a point lies: at it, or somewhere above, below, or on an unknown side of it.
Bound = Literal["exact", "above", "below", "unknown"]
#: Positive values that span more than this factor are drawn on a logarithmic axis.
WIDE = 30.0
#: Rule -> what one seed contributes to it. Of a rule of the user's own only the estimate is drawn.
KINDS = {
    "Exceeds": "value",
    "Below": "value",
    "Within": "value",
    "Proportion": "share",
    "Monotone": "rank",
    "Precedes": "ratio",
}


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
class Strip:
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


def strips(verdict: Mapping[str, Any]) -> list[Strip]:
    """Return a strip for each criterion of a verdict."""
    return [_strip(verdict, index, criterion) for index, criterion in enumerate(verdict["criteria"])]


def _strip(verdict: Mapping[str, Any], index: int, criterion: Mapping[str, Any]) -> Strip:
    judged = [(CLAIM, criterion)]
    judged += [(c["name"], c["criteria"][index]) for c in verdict["controls"] if index < len(c["criteria"])]
    rows = tuple(
        Row(
            arm,
            found["outcome"],
            _points(verdict["evidence"], arm, found),
            *(found[k] for k in ("estimate", "low", "high")),
        )
        for arm, found in judged
    )
    thresholds = tuple(float(value) for value in criterion["thresholds"] if value is not None)
    shown = [*thresholds, *(point.value for row in rows for point in row.points)]
    shown += [value for row in rows for value in (row.estimate, row.low, row.high) if value is not None]
    kind = _kind(criterion)
    # A ratio of times that is only known to lie below some value has 0 as its lower bound: no reason to go linear.
    positive = [value for value in shown if value > 0] if kind == "ratio" else shown
    log = bool(positive) and min(positive) > 0 and (kind == "ratio" or max(positive) / min(positive) > WIDE)
    where = "" if criterion["at"] is None else f" at {number(criterion['at'])}"
    label = {
        "ratio": "later time / earlier time",
        "rank": "rank correlation, in the direction claimed",
        "share": "share of seeds",
    }.get(kind, f"{criterion['quantity']}{where}")
    return Strip(
        title=f"{capital(criterion['subject'])}{where} {criterion['requirement']}",
        label=label,
        rows=rows,
        thresholds=thresholds,
        region=_region(criterion["rule"], thresholds),
        log=log,
        limits=_limits(positive if log else shown, log),
    )


def _kind(criterion: Mapping[str, Any]) -> str:
    """What one seed contributes: its value, a ratio of two times, a rank correlation, a yes or no, or unknown."""
    return KINDS.get(criterion["rule"], "unknown")


def _points(evidence: Sequence[Mapping[str, Any]], arm: str, found: Mapping[str, Any]) -> tuple[Point, ...]:
    by_seed: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for o in evidence:
        if o["arm"] == arm and o["quantity"] == found["quantity"] and found["at"] in (None, o["at"]):
            by_seed[o["seed"]].append(o)
    kind = _kind(found)
    points = []
    for seed, observations in sorted(by_seed.items()):
        observations.sort(key=lambda o: o["at"] or 0.0)
        if any(o["value"] is None for o in observations) or kind == "unknown":
            return ()
        points.append(_point(seed, observations, kind, found["requirement"]))
    # Seeds that do not surround the estimate are not what it was made from: show none rather than wrong ones.
    values = [0.0 if point.bound in ("below", "unknown") else point.value for point in points]
    centre = found["estimate"]
    slack = 1e-9 * max(1.0, abs(centre or 0.0))
    if kind != "share" and centre is not None and values and not min(values) - slack <= centre <= max(values) + slack:
        return ()
    return tuple(points)


def _point(seed: int, observations: Sequence[Mapping[str, Any]], kind: str, requirement: str) -> Point:
    values = [float(o["value"]) for o in observations]
    censored = [bool(o["censored"]) for o in observations]
    if kind == "ratio":
        bounds: dict[tuple[bool, ...], Bound] = {
            (False, True): "above",
            (True, False): "below",
            (True, True): "unknown",
        }
        return Point(seed, max(values[-1], 1.0) / max(values[0], 1.0), bounds.get((censored[0], censored[-1]), "exact"))
    if kind == "rank":
        ordered = [math.inf if unseen else value for value, unseen in zip(values, censored, strict=True)]
        sign = -1 if "falling" in requirement else 1
        return Point(seed, sign * _rank_correlation(ordered))
    if kind == "share":
        return Point(seed, float(values[0] > 0.5))
    return Point(seed, values[0], "above" if censored[0] else "exact")


def _rank_correlation(values: Sequence[float]) -> float:
    """Spearman's, of values in the order of their levels."""
    array = np.asarray(values)
    # The mean rank of ties: how many are smaller, and half of how many are as large.
    ranks = np.array([np.sum(array < value) + (np.sum(array == value) - 1) / 2 for value in array])
    if len(ranks) < 2 or np.ptp(ranks) == 0:
        return 0.0
    return float(np.corrcoef(np.arange(len(ranks)), ranks)[0, 1])


def _region(rule: str, thresholds: Sequence[float]) -> tuple[float, float] | None:
    """Where an estimate corroborates, as far as that is known of a rule."""
    match rule, thresholds:
        case "Within", (low, high):
            return low, high
        case "Below", (threshold,):
            return -math.inf, threshold
        case (("Exceeds" | "Proportion" | "Monotone" | "Precedes"), (threshold,)):
            return threshold, math.inf
    return None


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
