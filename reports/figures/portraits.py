"""What a phase portrait shows: two quantities against each other while learners are trained."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grokscape.reports.figures.curves import line_of
from grokscape.reports.numbers import number


@dataclass(frozen=True)
class Mark:
    """Something that happens on the way: its name, and the place of the media trajectory at its median step."""

    name: str
    step: float
    x: float
    y: float


@dataclass(frozen=True)
class DrawnTrajectory:
    """A learner's way.

    Attributes
    ----------
    name : str
    steps : array, shape (steps,)
    x, y : array, shape (seeds, steps)
        NaN before a seed's first record and after its last.
    seeds : tuple of int
    drawn : array of int
        Places of the steps at which half of the seeds have values: there the median is drawn.
    marks : tuple of Mark
    """

    name: str
    steps: np.ndarray
    x: np.ndarray
    y: np.ndarray
    seeds: tuple[int, ...]
    drawn: np.ndarray
    marks: tuple[Mark, ...]

    @property
    def median(self) -> tuple[np.ndarray, np.ndarray]:
        """The medians over seeds of both quantities, step by step: shape (drawn,) each."""
        return np.nanmedian(self.x[:, self.drawn], axis=0), np.nanmedian(self.y[:, self.drawn], axis=0)


@dataclass(frozen=True)
class DrawnPortrait:
    """Trajectories in one plane.

    Attributes
    ----------
    title, x, y : str
    log_x, log_y : bool
    trajectories : tuple of DrawnTrajectory
    figure : str
        The paper's figure that it redraws; "" for none.
    """

    title: str
    x: str
    y: str
    log_x: bool
    log_y: bool
    trajectories: tuple[DrawnTrajectory, ...]
    figure: str

    @property
    def events(self) -> tuple[str, ...]:
        """The names of what is marked, in order."""
        return tuple(dict.fromkeys(mark.name for trajectory in self.trajectories for mark in trajectory.marks))

    @property
    def note(self) -> str:
        """What the lines stand for."""
        return (
            "Strong lines join the medians over seeds, step by step, from the ring at the start to the arrow at the "
            "end; thin lines are single seeds. Marks lie where the median of an event's step falls. What can be "
            "compared across learners, the claim's notes say."
        )

    @property
    def words(self) -> str:
        """The portrait in words, for those who do not see it."""
        told = []
        for trajectory in self.trajectories:
            x, y = trajectory.median
            stations = [("from", x[0], y[0]), *((m.name, m.x, m.y) for m in trajectory.marks), ("to", x[-1], y[-1])]
            told.append(
                f"{trajectory.name}: " + ", ".join(f"{name} ({number(a)}, {number(b)})" for name, a, b in stations)
            )
        return f"{self.title}: {self.y} against {self.x}. " + "; ".join(told) + "."


def portraits(verdict: Mapping[str, Any]) -> list[DrawnPortrait]:
    """Return the portraits that a claim asks for, as far as they were measured."""
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for o in verdict["evidence"]:
        if o["value"] is not None:
            rows[o["arm"], o["quantity"]].append(o)
    drawn = []
    for asked in verdict["about"]["portraits"]:
        trajectories = [
            found for trajectory in asked["trajectories"] if (found := _trajectory(trajectory, rows)) is not None
        ]
        if trajectories:
            # An axis is logarithmic only where nothing would be lost by it.
            log_x = bool(asked["log_x"]) and all(np.nanmin(trajectory.x) > 0 for trajectory in trajectories)
            log_y = bool(asked["log_y"]) and all(np.nanmin(trajectory.y) > 0 for trajectory in trajectories)
            drawn.append(
                DrawnPortrait(
                    asked["title"], asked["x"], asked["y"], log_x, log_y, tuple(trajectories), str(asked["figure"])
                )
            )
    return drawn


def _trajectory(
    asked: Mapping[str, Any], rows: Mapping[tuple[str, str], list[Mapping[str, Any]]]
) -> DrawnTrajectory | None:
    arm = asked["arm"]
    levelled = [[o for o in rows[arm, asked[axis]] if o["at"] is not None] for axis in ("x", "y")]
    places = [{(o["seed"], o["at"]) for o in found} for found in levelled]
    if not places[0] & places[1]:
        return None
    both = [[o for o in found if (o["seed"], o["at"]) in places[0] & places[1]] for found in levelled]
    positive = all(o["at"] > 0 for o in both[0])
    x, y = (line_of(arm, asked[axis], found, log_x=positive) for axis, found in zip(("x", "y"), both, strict=True))
    trajectory = DrawnTrajectory(asked["name"], x.levels, x.filled, y.filled, x.seeds, x.drawn, ())
    marks = tuple(_marks(asked["marks"], {quantity: rows[arm, quantity] for _, quantity in asked["marks"]}, trajectory))
    return dataclasses.replace(trajectory, marks=marks)


def _marks(
    asked: Sequence[tuple[str, str]], rows: Mapping[str, Sequence[Mapping[str, Any]]], trajectory: DrawnTrajectory
) -> Iterator[Mark]:
    (x, y), steps = trajectory.median, trajectory.steps[trajectory.drawn]
    for name, quantity in asked:
        # What never happened did so after everything else.
        seen = [math.inf if o["censored"] else float(o["value"]) for o in rows[quantity]]
        step = float(np.median(seen)) if seen else math.inf
        if math.isfinite(step):
            yield Mark(name, step, float(np.interp(step, steps, x)), float(np.interp(step, steps, y)))
