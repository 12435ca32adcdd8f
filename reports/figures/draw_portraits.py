"""Drawing what `grokscape.reports.figures.portraits` says."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from grokscape.reports.figures.canvas import (
    COLOURS,
    GRID,
    INK,
    NORMAL,
    PAPER,
    SMALL,
    around,
    axes,
    canvas,
    colour,
    scale,
    style,
)
from grokscape.reports.figures.portraits import DrawnPortrait, DrawnTrajectory
from grokscape.reports.figures.svg import clipped, inline

_LINE = 15.0
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 2)))
_MARKERS = "sD^v"


def draw_portrait(portrait: DrawnPortrait, *, key: str) -> Markup:
    """Draw all trajectories into one plane."""
    with style():
        events = portrait.events
        top = 12 + _LINE * (len(portrait.trajectories) + len(events))
        figure = canvas(top + 240 + 42)
        ax = axes(figure, left=56, right=12, top=top, bottom=42)
        for axis, log in (("x", portrait.log_x), ("y", portrait.log_y)):
            values = np.concatenate([getattr(trajectory, axis).ravel() for trajectory in portrait.trajectories])
            scale(getattr(ax, f"{axis}axis"), around(values, log, 0.06), log=log)
        ax.grid(color=GRID, linewidth=0.6)
        ax.set_axisbelow(True)
        ax.set_xlabel(clipped(portrait.x, 52), color=INK, fontsize=NORMAL)
        ax.set_ylabel(clipped(portrait.y, 38), color=INK, fontsize=NORMAL)
        keys = [
            _draw_trajectory(ax, trajectory, index, events) for index, trajectory in enumerate(portrait.trajectories)
        ]
        keys += [
            Line2D([], [], linestyle="", marker=_MARKERS[n % len(_MARKERS)], markersize=7, markerfacecolor=PAPER,
                   markeredgecolor=INK) for n in range(len(events))
        ]  # fmt: skip
        names = [
            clipped(f"{trajectory.name} ({len(trajectory.seeds)} seeds)", 48) for trajectory in portrait.trajectories
        ]
        ax.legend(
            keys, [*names, *(clipped(event, 48) for event in events)], loc="lower left",
            bbox_to_anchor=(-48 / 292, 1 + 4 / 240), frameon=False, fontsize=SMALL, borderpad=0, borderaxespad=0,
            labelspacing=0.35, handlelength=2.6, labelcolor=INK,
        )  # fmt: skip
        return inline(figure, key=key, words=portrait.words, colours=COLOURS)


def _draw_trajectory(ax: Axes, trajectory: DrawnTrajectory, index: int, events: tuple[str, ...]) -> Line2D:
    """Draw a trajectory; return its entry for the legend."""
    look = {"color": colour(index), "linestyle": _DASHES[index % len(_DASHES)], "linewidth": 2.0}
    for x, y in zip(trajectory.x, trajectory.y, strict=True):
        seen = np.isfinite(x) & np.isfinite(y)
        ax.plot(x[seen], y[seen], color=look["color"], linewidth=0.7, alpha=0.35, zorder=2)
    x, y = trajectory.median
    ax.plot(x, y, zorder=4, **look)
    ax.plot(x[0], y[0], marker="o", markersize=7, markerfacecolor=PAPER, markeredgecolor=look["color"], zorder=5)
    ax.annotate("", (x[-1], y[-1]), _before(ax, x, y), zorder=5,
                arrowprops={"arrowstyle": "-|>", "color": look["color"], "mutation_scale": 14, "shrinkA": 0,
                            "shrinkB": 0, "linewidth": 1.5})  # fmt: skip
    for mark in trajectory.marks:
        marker = _MARKERS[events.index(mark.name) % len(_MARKERS)]
        ax.plot(mark.x, mark.y, marker=marker, markersize=7, markerfacecolor=PAPER, markeredgecolor=look["color"],
                markeredgewidth=1.5, zorder=6)  # fmt: skip
    return Line2D([], [], **look)


def _before(ax: Axes, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Where the last stretch of a line begins that is long enough on the page for an arrow to show its direction."""
    places = ax.transData.transform(np.column_stack([x, y]))
    far = np.flatnonzero(np.hypot(*(places - places[-1]).T) > 6)
    start = far[-1] if len(far) else 0
    return float(x[start]), float(y[start])
