"""Drawing what `grokscape.reports.figures.criterion` and `grokscape.reports.figures.curves` say.

A colour stands for an arm, or for a quantity where a figure compares more than two, and never alone: strips name their
rows; lines differ in marker or dashes too.
"""

from __future__ import annotations

import math
import sys
import textwrap
from typing import Any

import numpy as np
import seaborn as sns
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from grokscape.predictions.evidence import CLAIM
from grokscape.reports.figures.canvas import (
    AREA,
    COLOURS,
    GRID,
    INK,
    NORMAL,
    SERIES,
    SMALL,
    SOFT,
    TRACK,
    axes,
    canvas,
    scale,
    style,
)
from grokscape.reports.figures.criterion import Row, Strip
from grokscape.reports.figures.curves import Curves, Line, Panel
from grokscape.reports.figures.svg import clipped, inline, plain_text
from grokscape.reports.numbers import number

_LINE, _TRACK, _GAP = 15.0, 34.0, 9.0
_BOUND_MARKERS = {"exact": "o", "above": ">", "below": "<", "unknown": "d"}
_ARM_MARKERS = "osDPXp"
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 2)))


def colour(index: int) -> str:
    """The colour of an arm by its place; the claim's is 0."""
    return str(SERIES[index % len(SERIES)])


# -- Strips ------------------------------------------------------------------------------------------------------------


def draw_strip(strip: Strip, *, key: str) -> Markup:
    """Draw a criterion: a track for each arm with its seeds in order, its interval, and the threshold across."""
    with style():
        names = [textwrap.wrap(plain_text(row.arm), 46)[:2] or [""] for row in strip.rows]
        tops = np.cumsum([0.0] + [_LINE * len(name) + 3 + _TRACK + _GAP for name in names])
        figure = canvas(tops[-1] + 42)
        ax = axes(figure, left=8, right=8, top=0, bottom=42)
        ax.spines["left"].set_visible(False)
        scale(ax.xaxis, strip.limits, log=strip.log)
        ax.set(ylim=(tops[-1], 0), yticks=[])
        ax.set_xlabel(clipped(strip.label, 56), color=INK, fontsize=NORMAL)
        _name_thresholds(ax, strip)
        for index, (row, name, top) in enumerate(zip(strip.rows, names, tops[:-1], strict=True)):
            for n, line in enumerate(name):
                ax.text(0, top + 1 + _LINE * n, line, transform=ax.get_yaxis_transform(), fontsize=NORMAL, va="top",
                        weight="bold" if row.is_claim else "normal")  # fmt: skip
            start = top + _LINE * len(name) + 3
            _draw_track(ax, strip, start)
            _draw_seeds(ax, row, start, colour(index))
            _draw_interval(ax, strip, row, start + _TRACK - 6)
        return inline(figure, key=key, words=strip.words, colours=COLOURS)


def _name_thresholds(ax: Axes, strip: Strip) -> None:
    """Write the thresholds above the first track, beside the short name of the claim."""
    texts = [number(threshold) for threshold in strip.thresholds]
    if len(texts) == 1:
        texts = [f"threshold {texts[0]}"]
    places = [max(strip.position(threshold), 0.14) for threshold in strip.thresholds]
    close = len(places) == 2 and places[1] - places[0] < 0.2
    for index, (place, text) in enumerate(zip(places, texts, strict=True)):
        align = ("right", "left")[index] if close else "left" if place < 0.3 else "right" if place > 0.8 else "center"
        if close and index == 0 and place < 0.3:
            text, align = " to ".join(texts), "left"
        ax.text(place, 2, text, transform=ax.get_yaxis_transform(), ha=align, va="top", fontsize=SMALL)
        if " to " in text:
            break


def _draw_track(ax: Axes, strip: Strip, top: float) -> None:
    low, high = strip.limits
    ax.fill_between([low, high], top, top + _TRACK, color=TRACK, linewidth=0, zorder=0)
    if strip.region:
        ends = [max(strip.region[0], low), min(strip.region[1], high)]
        ax.fill_between(ends, top, top + _TRACK, color=AREA, linewidth=0, zorder=0.5)
    for threshold in strip.thresholds:
        ax.plot([threshold] * 2, [top - 1, top + _TRACK + 1], color=INK, linewidth=1.3, linestyle=(0, (4, 2)), zorder=1)


def _draw_seeds(ax: Axes, row: Row, top: float, colour: str) -> None:
    # From top to bottom in the order of their numbers: no chance in it, and arms can be compared seed by seed.
    places = np.linspace(top + 5, top + _TRACK - 13, len(row.points)) if len(row.points) > 1 else [top + 10.0]
    for bound, marker in _BOUND_MARKERS.items():
        chosen = [(point.value, y) for point, y in zip(row.points, places, strict=False) if point.bound == bound]
        if chosen:
            x, y = zip(*chosen, strict=True)
            face = {"facecolor": colour, "alpha": 0.75} if bound == "exact" else {"facecolor": "none"}
            sns.scatterplot(x=x, y=y, ax=ax, marker=marker, s=24, edgecolor=colour, linewidth=1.0, legend=False,
                            zorder=3, **face)  # fmt: skip


def _draw_interval(ax: Axes, strip: Strip, row: Row, y: float) -> None:
    low, high = strip.limits
    if row.low is not None or row.high is not None:
        ends = [low if row.low is None else row.low, high if row.high is None else row.high]
        ax.plot(np.clip(ends, low, high), [y, y], color=INK, linewidth=2.2, solid_capstyle="butt", zorder=4)
        for bound, end, marker in ((row.low, low, "<"), (row.high, high, ">")):
            if bound is None or not low <= bound <= high:
                ax.plot(end, y, marker=marker, color=INK, markersize=5, zorder=4, clip_on=False)
    if row.estimate is not None:
        ax.plot(np.clip(row.estimate, low, high), y, marker="D", color=INK, markersize=5.5, zorder=5, clip_on=False)


# -- Curves ------------------------------------------------------------------------------------------------------------


def draw_panel(figure: Curves, panel: Panel, *, key: str) -> Markup:
    """Draw one panel of a figure; all its panels have the same axes."""
    with style():
        several = len({line.quantity for line in figure.lines}) > 1
        quantities = list(dict.fromkeys(line.quantity for line in figure.lines))
        called = dict(zip(quantities, distinct(quantities), strict=True))
        names = [called[line.quantity] if several else line.arm for line in panel.lines]
        labels = [f"{clipped(name, 40)} ({line.n} seeds)" for name, line in zip(names, panel.lines, strict=True)]
        title = textwrap.wrap(plain_text(panel.title), 46)[:2]
        y_label = textwrap.wrap(plain_text(figure.y), 32, max_lines=2, placeholder="…") or [""]
        left = 52 + _LINE * (len(y_label) - 1)
        top = 10 + _LINE * (len(labels) + len(title)) + 4
        canvas_ = canvas(top + 190 + 42)
        ax = axes(canvas_, left=left, right=10, top=top, bottom=42)
        x_limits, y_limits = limits(figure)
        scale(ax.xaxis, x_limits, log=figure.log_x)
        scale(ax.yaxis, y_limits, log=figure.log_y)
        ax.grid(axis="y", color=GRID, linewidth=0.6)
        ax.set_axisbelow(True)
        ax.set_xlabel(clipped(figure.x, 52), color=INK, fontsize=NORMAL)
        ax.set_ylabel("\n".join(y_label), color=INK, fontsize=NORMAL)
        keys = [_draw_line(ax, line, alone=several, **look(figure, line)) for line in panel.lines]
        for level, threshold in figure.marks:
            ax.plot(level, threshold, marker="_", color=INK, markersize=16, markeredgewidth=1.8, zorder=6)
        for index, line in enumerate(title):
            height = top - 10 - _LINE * index
            ax.annotate(line, (0, 1), (8 - left, height), "axes fraction", "offset points", va="top", weight="bold",
                        fontsize=NORMAL)  # fmt: skip
        ax.legend(
            keys, labels, loc="lower left", bbox_to_anchor=((8 - left) / (350 - left), 1 + 4 / 190), frameon=False,
            fontsize=SMALL, borderpad=0, borderaxespad=0, labelspacing=0.35, handlelength=2.6, labelcolor=INK,
        )  # fmt: skip
        return inline(canvas_, key=key, words=figure.words(panel), colours=COLOURS)


def distinct(names: list[str]) -> list[str]:
    """Leave out what all names begin with, up to a comma: a legend has room for what differs."""
    parts = [name.split(", ") for name in names]
    while len(set(names)) > 1 and all(len(part) > 1 and part[0] == parts[0][0] for part in parts):
        parts = [part[1:] for part in parts]
    return [", ".join(part) for part in parts]


def look(figure: Curves, line: Line) -> dict[str, Any]:
    """How a line is drawn: arms differ in colour and marker, quantities in dashes.

    Of two quantities the first recedes; more than two have a colour each, since every arm has a panel of its own then.
    """
    arms = list(dict.fromkeys(other.arm for other in figure.lines))
    quantities = list(dict.fromkeys(other.quantity for other in figure.lines))
    arm, quantity = arms.index(line.arm), len(quantities) - 1 - quantities.index(line.quantity)
    if len(quantities) > 2:
        dashes, marker = _DASHES[quantity % len(_DASHES)], _ARM_MARKERS[quantity % len(_ARM_MARKERS)]
        return {"color": colour(quantity), "linestyle": dashes, "marker": marker if line.has_markers else ""}
    if len(quantities) == 2:
        return {"color": SOFT if quantity else colour(arm), "linestyle": _DASHES[quantity % len(_DASHES)], "marker": ""}
    marker = _ARM_MARKERS[arm % len(_ARM_MARKERS)] if line.has_markers else ""
    return {"color": colour(arm), "linestyle": _DASHES[arm % len(_DASHES)], "marker": marker}


def limits(figure: Curves) -> tuple[tuple[float, float], tuple[float, float]]:
    """The axes that all panels of a figure share."""
    x = np.concatenate([line.levels for line in figure.lines] + [np.array([level for level, _ in figure.marks])])
    y = np.concatenate([line.values.ravel() for line in figure.lines] + [np.array([mark for _, mark in figure.marks])])
    return around(x, figure.log_x, 0.03), around(y, figure.log_y, 0.05)


def around(values: np.ndarray, log: bool, room: float) -> tuple[float, float]:
    """Limits that hold all values, with a share of their range as room on either side."""
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    low, high = float(values.min()), float(values.max())
    if log:
        low, high = math.log(low), math.log(high)
    margin = room * (high - low) or 0.5 * (abs(low) if not log else 1.0) or 0.5
    if log:  # what underflows has no logarithm
        return max(math.exp(low - margin), sys.float_info.min), math.exp(min(high + margin, 700.0))
    return low - margin, high + margin


def _draw_line(ax: Axes, line: Line, *, alone: bool, color: str, linestyle: Any, marker: str) -> Line2D:
    """Draw a line; return its entry for the legend."""
    # Where arms agree, the claim lies on top of wider controls, so that both are seen.
    wide = 0.0 if line.arm == CLAIM or line.is_band or alone else 1.5
    look = {"color": color, "linestyle": linestyle, "linewidth": 2.0 + wide, "marker": marker, "markersize": 5 + wide}
    order, at = 5 if line.arm == CLAIM else 4, line.drawn
    if line.is_band:
        low, high = line.range
        ax.fill_between(line.levels[at], low[at], high[at], color=color, alpha=0.22, linewidth=0)
    else:
        for values in line.values:
            seen = ~np.isnan(values)
            width, alpha = (0.9, 0.6) if line.each_seed else (0.7, 0.45)
            ax.plot(line.levels[seen], values[seen], color=color, linewidth=width, alpha=alpha, zorder=2)
        if len(line.levels) == 1:
            ax.plot(np.repeat(line.levels, len(line.values)), line.values[:, 0], linestyle="", marker=marker,
                    markersize=3.5, color=color, alpha=0.6, zorder=3)  # fmt: skip
    levels, median, bounded = line.levels[at], line.median[at], line.mostly_censored[at]
    sns.lineplot(x=levels, y=median, ax=ax, estimator=None, zorder=order, markeredgewidth=0,
                 markevery=np.flatnonzero(~bounded).tolist(), **look)  # fmt: skip
    ax.plot(levels[bounded], median[bounded], linestyle="", marker="^", markersize=8, zorder=order,
            markerfacecolor="none", markeredgecolor=color, markeredgewidth=1.5)  # fmt: skip
    return Line2D([], [], **look)
