"""What a map shows: a quantity over two variables, point by point, and the boundaries across it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.rules import LEVEL
from grokscape.predictions.rules.intervals import median_interval
from grokscape.reports.numbers import number

#: Edges of the classes of a value between 0 and 1. Few, so that each can be told from its neighbours in the legend.
EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
#: Rows of a map up to which each is a band with a line of points for every seed.
MOST_BANDS = 8


@dataclass(frozen=True)
class Point:
    """One measurement of one seed."""

    x: float
    y: float
    seed: int
    value: float


@dataclass(frozen=True)
class Boundary:
    """Where something changes: the median over seeds at each row, with its 95 % interval as far as there is one."""

    name: str
    y: tuple[float, ...]
    estimate: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Plane:
    """One panel of a map."""

    title: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Chart:
    """A map as the page draws it.

    Attributes
    ----------
    title, x, y, value : str
    log_x : bool
    rows : tuple of float
        The values of y, ascending.
    planes : tuple of Plane
    boundaries : tuple of Boundary
        The same in every plane.
    figure : str
        The paper's figure that it redraws; "" for none.
    categories : tuple of (str, float)
        Names of the values, ascending, where they are kinds; empty where they are shares.
    """

    title: str
    x: str
    y: str
    value: str
    log_x: bool
    rows: tuple[float, ...]
    planes: tuple[Plane, ...]
    boundaries: tuple[Boundary, ...]
    figure: str
    categories: tuple[tuple[str, float], ...] = ()

    @property
    def tiled(self) -> bool:
        """Whether there are so many rows that a row has no room for a line of points for every seed."""
        return len(self.rows) > MOST_BANDS

    @property
    def names(self) -> tuple[str, ...]:
        """What the colours stand for: each kind, or each range of shares."""
        ranges = (f"{number(low)} to {number(high)}" for low, high in itertools.pairwise(EDGES))
        return tuple(name for name, _ in self.categories) or tuple(ranges)

    def classes(self, plane: Plane) -> np.ndarray:
        """Say of each point which of `names` its value is, or is nearest to: int64 of shape (points,)."""
        values = [point.value for point in plane.points]
        kinds = [value for _, value in self.categories]
        between = (np.array(kinds[1:]) + kinds[:-1]) / 2 if kinds else EDGES[1:-1]
        return np.digitize(values, between)

    @property
    def note(self) -> str:
        """What the marks stand for."""
        points = "One point is one training; the seeds of a row lie above each other in the order of their numbers."
        if self.tiled:
            points = "A tile is divided among the seeds trained at its place, in the legend's order from its bottom up."
        if not self.boundaries:
            return points
        return (
            f"{points} Lines across the rows are medians over seeds, as far as they were measured, and bars their 95 % "
            "intervals."
        )

    def words(self, plane: Plane) -> str:
        """A panel in words, for those who do not see it."""
        lines = "; ".join(
            f"{b.name}: " + ", ".join(f"{number(e)} at {number(y)}" for y, e in zip(b.y, b.estimate, strict=True))
            for b in self.boundaries
        )
        points = f"{self.value} of {len(plane.points)} trainings by {self.x} and {self.y}."
        if self.categories:
            kinds = self.classes(plane).tolist()
            counts = (f"{name} {kinds.count(index)}" for index, name in enumerate(self.names))
            points += f" {', '.join(counts)}."
        return f"{self.title}, {plane.title}: {points}" + (f" {lines}." if lines else "")


def charts(verdict: Mapping[str, Any]) -> list[Chart]:
    """Return the maps that a claim asks for, as far as they were measured."""
    found: dict[str, list[tuple[float, int, float]]] = defaultdict(list)
    for o in verdict["evidence"]:
        if o["arm"] == CLAIM and o["at"] is not None and o["value"] is not None:
            found[o["quantity"]].append((float(o["at"]), int(o["seed"]), float(o["value"])))
    drawn = []
    for asked in verdict["about"]["maps"]:
        planes = [
            Plane(title, tuple(Point(x, float(y), seed, v) for y, name in rows for x, seed, v in found[name]))
            for title, rows in asked["panels"]
        ]
        planes = [plane for plane in planes if plane.points]
        if planes:
            rows = tuple(sorted({point.y for plane in planes for point in plane.points}))
            boundaries = [_boundary(name, found[name]) for name in asked["boundaries"] if found[name]]
            log_x = bool(asked["log_x"]) and all(point.x > 0 for plane in planes for point in plane.points)
            drawn.append(
                Chart(
                    asked["title"],
                    asked["x"],
                    asked["y"],
                    asked["value"],
                    log_x,
                    rows,
                    tuple(planes),
                    tuple(boundaries),
                    str(asked["figure"]),
                    # Verdicts from before there were kinds do not say so.
                    tuple((str(name), float(value)) for name, value in asked.get("categories", ())),
                )
            )
    return drawn


def _boundary(name: str, observations: list[tuple[float, int, float]]) -> Boundary:
    rows = sorted({y for y, _, _ in observations})
    values = [np.array([x for at, _, x in observations if at == y]) for y in rows]
    low, high = zip(*(median_interval(v, LEVEL) for v in values), strict=True)
    return Boundary(name, tuple(rows), tuple(float(np.median(v)) for v in values), low, high)
