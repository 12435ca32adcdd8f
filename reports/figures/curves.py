"""What the figure of a curve shows: a quantity over its level, for the claim and its controls."""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from grokscape.predictions.evidence import CLAIM
from grokscape.reports.numbers import capital, number

#: Above this number of levels of a seed a line is drawn as a median with a band, and below it seed by seed.
MANY_LEVELS = 20
#: No line is drawn with more levels than this.
MOST_LEVELS = 100


@dataclass(frozen=True)
class Line:
    """One quantity in one arm.

    Attributes
    ----------
    arm, quantity : str
    levels : array, shape (levels,)
    values : array, shape (seeds, levels)
        NaN where a seed was not measured at a level.
    censored : array of bool, same shape
    seeds : tuple of int
    each_seed : bool
        Whether every seed is drawn, however many levels there are.
    log_x : bool
        Whether lines are straight against the logarithm of the level.
    """

    arm: str
    quantity: str
    levels: np.ndarray
    values: np.ndarray
    censored: np.ndarray
    seeds: tuple[int, ...]
    each_seed: bool = False
    log_x: bool = False

    @property
    def is_band(self) -> bool:
        """Whether to draw the median and the range of the seeds rather than every seed."""
        return self._most > MANY_LEVELS and not self.each_seed

    @functools.cached_property
    def filled(self) -> np.ndarray:
        """The values, and straight lines between them at levels where only other seeds were measured.

        Where claims choose levels seed by seed, a median of what happens to be there would jump from level to level.
        """
        filled = np.full(self.values.shape, np.nan)
        at = np.log(self.levels) if self.log_x else self.levels
        for row, values in zip(filled, self.values, strict=True):
            seen = ~np.isnan(values)
            row[:] = np.interp(at, at[seen], values[seen], left=np.nan, right=np.nan)
        return filled

    @property
    def has_markers(self) -> bool:
        """Whether all seeds were measured at the same few levels, so that the levels are worth a marker."""
        return self._most <= MANY_LEVELS and not np.isnan(self.values).any()

    @property
    def _most(self) -> int:
        """How many levels the seed with most levels has."""
        return int((~np.isnan(self.values)).sum(axis=1).max())

    @property
    def drawn(self) -> np.ndarray:
        """Places of the levels at which medians and ranges are drawn: where half of the seeds have values.

        Where seeds end early, the median of those that go on would be one of chosen seeds.
        """
        present = np.sum(~np.isnan(self.filled), axis=0)
        places = np.flatnonzero(2 * present >= min(len(self.seeds), 2 * int(present.max())))
        levels = self.levels[places]
        return np.asarray(places[_even(np.log(levels) if self.log_x else levels)])

    @property
    def median(self) -> np.ndarray:
        return np.asarray(np.nanmedian(self.filled, axis=0))

    @property
    def range(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and the highest seed at each level."""
        return np.nanmin(self.filled, axis=0), np.nanmax(self.filled, axis=0)

    @property
    def mostly_censored(self) -> np.ndarray:
        """Where the median is a lower bound: half of the seeds or more had not seen the event."""
        return np.asarray(np.mean(np.where(np.isnan(self.values), 0.0, self.censored), axis=0) >= 0.5)

    @property
    def n(self) -> str:
        """How many seeds there are, at the level that has fewest and at the one that has most."""
        present = np.sum(~np.isnan(self.filled[:, self.drawn]), axis=0)
        fewest, most = int(present.min()), int(present.max())
        return str(most) if fewest == most else f"{fewest} to {most}"


@dataclass(frozen=True)
class Panel:
    """Lines in one pair of axes; `title` is empty where there is only one panel."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Curves:
    """A figure: one panel for all arms, or one for each arm where several quantities are compared.

    Attributes
    ----------
    title, x, y : str
    log_x, log_y : bool
    panels : tuple of Panel
    marks : tuple of (level, threshold)
        Thresholds of criteria that hold one of the quantities at one level to them.
    figure : str
        The paper's figure that it redraws; "" for none.
    """

    title: str
    x: str
    y: str
    log_x: bool
    log_y: bool
    panels: tuple[Panel, ...]
    marks: tuple[tuple[float, float], ...] = ()
    figure: str = ""

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for panel in self.panels for line in panel.lines)

    @property
    def note(self) -> str:
        """What the lines stand for."""
        kinds = {line.is_band for line in self.lines}
        parts = ["Strong lines are medians over seeds"]
        parts += ["thin lines single seeds"] if False in kinds else []
        parts += ["bands reach from the lowest to the highest seed"] if True in kinds else []
        parts += ["hollow triangles are lower bounds"] if any(line.censored.any() for line in self.lines) else []
        parts += ["short bars are thresholds"] if self.marks else []
        return ", ".join(parts) + "."

    def words(self, panel: Panel) -> str:
        """A panel in words, for those who do not see it."""
        lines = "; ".join(
            f"{'claim' if line.arm == CLAIM else f'control {line.arm}'}, {line.quantity}: from "
            + " to ".join(f"{number(line.median[end])} at {number(line.levels[end])}" for end in line.drawn[[0, -1]])
            for line in panel.lines
        )
        return f"{self.title}: {self.y} against {self.x}. Medians over seeds: {lines}."


def curves(verdict: Mapping[str, Any]) -> list[Curves]:
    """Return the curves that a claim asks for, and those that its criteria decide on; none without evidence.

    Raises
    ------
    ValueError
        If a curve names nothing that was measured, which no check lets pass.
    """
    arms = [CLAIM, *(control["name"] for control in verdict["controls"])]
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for o in verdict["evidence"]:
        if o["at"] is not None and o["value"] is not None:
            rows[(o["arm"], o["quantity"])].append(o)
    if not rows:
        return []
    asked = [*verdict["about"]["curves"], *_decided(verdict, {quantity for _, quantity in rows})]
    return [_curves(curve, arms, rows, verdict["criteria"]) for curve in asked]


def _decided(verdict: Mapping[str, Any], levelled: Set[str]) -> Iterator[Mapping[str, Any]]:
    """Yield curves of what criteria decide on over all levels, as far as the claim asks for none."""
    drawn = {quantity for curve in verdict["about"]["curves"] for quantity in curve["quantities"]}
    for criterion in verdict["criteria"]:
        quantity = criterion["quantity"]
        # Of two events the ratio is all that matters.
        if quantity in levelled - drawn and criterion["at"] is None and criterion["kind"] != "ratio":
            drawn.add(quantity)
            yield {"quantities": [quantity], "x": "level", "y": quantity, "title": capital(quantity)}


def _curves(
    curve: Mapping[str, Any],
    arms: Sequence[str],
    rows: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
    criteria: Sequence[Mapping[str, Any]],
) -> Curves:
    wanted = list(dict.fromkeys(curve["quantities"]))
    lines = [
        line_of(arm, quantity, rows[(arm, quantity)], bool(curve.get("each_seed")))
        for arm in arms
        for quantity in wanted
        if (arm, quantity) in rows
    ]
    if not lines:
        raise ValueError(f"the curve {curve['title']!r} names {', '.join(map(repr, wanted))}, which was not measured")
    log_x = bool(curve.get("log_x")) and all((line.levels > 0).all() for line in lines)
    log_y = bool(curve.get("log_y")) and any((line.values > 0).any() for line in lines)
    lines = [_thinned(dataclasses.replace(line, log_x=log_x)) for line in lines]
    if len({line.quantity for line in lines}) == 1:
        panels = [Panel("", tuple(lines))]
    else:
        panels = [Panel(arm, tuple(mine)) for arm in arms if (mine := [line for line in lines if line.arm == arm])]
    marks = [
        (float(criterion["at"]), float(threshold))
        for criterion in criteria
        if criterion["quantity"] in wanted and criterion["at"] is not None
        for threshold in criterion["thresholds"]
    ]
    figure = str(curve.get("figure", ""))
    return Curves(curve["title"], curve["x"], curve["y"], log_x, log_y, tuple(panels), tuple(marks), figure)


def line_of(
    arm: str, quantity: str, observations: Sequence[Mapping[str, Any]], each_seed: bool = False, *, log_x: bool = False
) -> Line:
    """Return what was observed of a quantity in an arm, by seed and level."""
    levels = sorted({float(o["at"]) for o in observations})
    seeds = sorted({o["seed"] for o in observations})
    values = np.full((len(seeds), len(levels)), np.nan)
    censored = np.zeros(values.shape, bool)
    row = {seed: index for index, seed in enumerate(seeds)}
    column = {level: index for index, level in enumerate(levels)}
    for o in observations:
        place = row[o["seed"]], column[float(o["at"])]
        values[place] = o["value"]
        censored[place] = o["censored"]
    return Line(arm, quantity, np.array(levels), values, censored, tuple(seeds), each_seed, log_x)


def _thinned(line: Line) -> Line:
    """Leave out levels, seed by seed, of which no reader would see that there are so many."""
    at = np.log(line.levels) if line.log_x else line.levels
    values = np.full(line.values.shape, np.nan)
    for row, measured in zip(values, line.values, strict=True):
        seen = np.flatnonzero(~np.isnan(measured))
        kept = seen[_even(at[seen])]
        row[kept] = measured[kept]
    used = ~np.isnan(values).all(axis=0)
    return dataclasses.replace(line, levels=line.levels[used], values=values[:, used], censored=line.censored[:, used])


def _even(at: np.ndarray) -> np.ndarray:
    """Places in an ascending array that lie about evenly, both ends among them, at most so many as a line may have."""
    if len(at) <= MOST_LEVELS:
        return np.arange(len(at))
    even = np.linspace(at[0], at[-1], MOST_LEVELS)
    return np.unique([int(np.argmin(np.abs(at - place))) for place in even])
