"""Drawing what `reports.strips` and `reports.curves` say.

A colour always stands for an arm, and never alone: strips name their rows; lines differ in marker or dashes too.
"""

from __future__ import annotations

import math
import textwrap
from typing import Any

import numpy as np
import seaborn as sns
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from reports.canvas import AREA, COLOURS, GRID, INK, NORMAL, SERIES, SMALL, SOFT, axes, canvas, scale, style
from reports.curves import Curves, Line, Panel
from reports.strips import Row, Strip
from reports.svg import inline, plain_text
from reports.wording import number

_ROW, _LINE = 46.0, 15.0
_BOUND_MARKERS = {"exact": "o", "above": ">", "below": "<", "unknown": "d"}
_ARM_MARKERS = "osDPXp"
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 2)), (0, (3, 1)))


def colour(index: int) -> str:
    """The colour of an arm by its place; the claim's is 0."""
    return SERIES[index % len(SERIES)]


# -- Strips ------------------------------------------------------------------------------------------------------------


def draw_strip(strip: Strip, *, key: str) -> Markup:
    """Draw a criterion: a row for each arm, with its seeds in order, its interval, and the threshold across."""
    with style():
        names = [textwrap.wrap(plain_text(row.arm), 44)[:2] or [""] for row in strip.rows]
        heights = [_ROW + _LINE * (len(name) - 1) for name in names]
        figure = canvas(sum(heights) + 24 + 44)
        ax = axes(figure, left=10, right=10, top=24, bottom=44)
        ax.spines["left"].set_visible(False)
        scale(ax.xaxis, strip.limits, log=strip.log)
        ax.set(ylim=(sum(heights), 0), yticks=[])
        ax.set_xlabel(plain_text(strip.label), color=INK, fontsize=NORMAL)
        _thresholds(ax, strip)
        top = 0.0
        for index, (row, name, height) in enumerate(zip(strip.rows, names, heights, strict=True)):
            weight = "bold" if row.is_claim else "normal"
            for number_, line in enumerate(name):
                place = (0.0, top + 4 + _LINE * number_)
                ax.text(*place, line, transform=ax.get_yaxis_transform(), fontsize=NORMAL, va="top", weight=weight)
            _row(ax, strip, row, bottom=top + height, colour=colour(index))
            top += height
            if index < len(strip.rows) - 1:
                ax.axhline(top, color=GRID, linewidth=0.8, zorder=0.5)
        return inline(figure, key=key, words=strip.words, colours=COLOURS)


def _thresholds(ax: Axes, strip: Strip) -> None:
    low, high = strip.limits
    if strip.region:
        ends = max(strip.region[0], low), min(strip.region[1], high)
        ax.axvspan(*ends, facecolor=AREA, edgecolor="none", zorder=0)
    for threshold in strip.thresholds:
        ax.axvline(threshold, color=INK, linewidth=1.2, linestyle=(0, (4, 2)), zorder=1)
    texts = [number(threshold) for threshold in strip.thresholds]
    if len(texts) == 1:
        texts = [f"threshold {texts[0]}"]
    places = [strip.position(threshold) for threshold in strip.thresholds]
    close = len(places) == 2 and abs(places[1] - places[0]) < 0.2
    for index, (place, text) in enumerate(zip(places, texts, strict=True)):
        align = "left" if place < 0.2 else "right" if place > 0.8 else "center"
        if close:
            align = ("right", "left")[index]
        ax.annotate(text, (place, 1), (0, 5), "axes fraction", "offset points", ha=align, fontsize=SMALL)


def _row(ax: Axes, strip: Strip, row: Row, *, bottom: float, colour: str) -> None:
    low, high = strip.limits
    # Seeds from top to bottom in the order of their numbers: no chance in it, and arms can be compared by eye.
    offsets = np.linspace(bottom - 24, bottom - 12, len(row.points)) if len(row.points) > 1 else [bottom - 18]
    for bound, marker in _BOUND_MARKERS.items():
        chosen = [(p.value, y) for p, y in zip(row.points, offsets, strict=False) if p.bound == bound]
        if chosen:
            x, y = zip(*chosen, strict=True)
            exact = bound == "exact"
            sns.scatterplot(
                x=x, y=y, ax=ax, marker=marker, s=22 if exact else 30, alpha=0.75 if exact else 1.0, zorder=3,
                facecolor=colour if exact else "none", edgecolor=colour, linewidth=0.4 if exact else 1.2, legend=False,
            )  # fmt: skip
    y_line = bottom - 6
    start, end = low if row.low is None else row.low, high if row.high is None else row.high
    if row.low is not None or row.high is not None:
        ax.plot(
            [max(start, low), min(end, high)], [y_line] * 2, color=INK, linewidth=2.2, solid_capstyle="butt", zorder=4
        )
        for bound, place, marker in ((row.low, low, "<"), (row.high, high, ">")):
            if bound is None or not low <= bound <= high:
                ax.plot(place, y_line, marker=marker, color=INK, markersize=5, zorder=4, clip_on=False)
    if row.estimate is not None:
        place = min(max(row.estimate, low), high)
        ax.plot(place, y_line, marker="D", color=INK, markersize=5.5, zorder=5, clip_on=False)


# -- Curves ------------------------------------------------------------------------------------------------------------


def draw_panel(figure: Curves, panel: Panel, *, key: str) -> Markup:
    """Draw one panel of a figure; all its panels have the same axes."""
    with style():
        labels = [line for entry in _labels(figure, panel) for line in textwrap.wrap(plain_text(entry), 48)[:1] or [""]]
        title = textwrap.wrap(plain_text(panel.title), 46)[:2]
        top = 10 + _LINE * (len(labels) + len(title)) + 4
        canvas_ = canvas(top + 190 + 42)
        ax = axes(canvas_, left=52, right=10, top=top, bottom=42)
        x_limits, y_limits = limits(figure)
        scale(ax.xaxis, x_limits, log=figure.log_x)
        scale(ax.yaxis, y_limits, log=figure.log_y)
        ax.grid(axis="y", color=GRID, linewidth=0.6)
        ax.set_axisbelow(True)
        ax.set_xlabel(plain_text(figure.x), color=INK, fontsize=NORMAL)
        ax.set_ylabel(plain_text(figure.y), color=INK, fontsize=NORMAL)
        keys = [_draw_line(ax, line, **look(figure, line)) for line in panel.lines]
        for level, threshold in figure.marks:
            ax.plot(level, threshold, marker="_", color=INK, markersize=16, markeredgewidth=1.8, zorder=6)
        handles = [*keys, *([_mark_key()] if figure.marks else [])]
        for index, line in enumerate(title):
            height = top - 10 - _LINE * index
            ax.annotate(line, (0, 1), (-44, height), "axes fraction", "offset points", va="top", weight="bold",
                        fontsize=NORMAL)  # fmt: skip
        ax.legend(
            handles, labels, loc="lower left", bbox_to_anchor=(-44 / (360 - 62), 1 + 4 / 190), frameon=False,
            fontsize=SMALL, borderpad=0, borderaxespad=0, labelspacing=0.35, handlelength=2.6, labelcolor=INK,
        )  # fmt: skip
        return inline(canvas_, key=key, words=figure.words(panel), colours=COLOURS)


def look(figure: Curves, line: Line) -> dict[str, Any]:
    """How a line is drawn: arms differ in colour and marker, quantities in dashes; all but the last quantity recede."""
    arms = list(dict.fromkeys(other.arm for other in figure.lines))
    quantities = list(dict.fromkeys(other.quantity for other in figure.lines))
    arm, quantity = arms.index(line.arm), len(quantities) - 1 - quantities.index(line.quantity)
    if len(quantities) > 1:
        return {"color": SOFT if quantity else colour(arm), "linestyle": _DASHES[quantity % len(_DASHES)], "marker": ""}
    marker = "" if line.is_band else _ARM_MARKERS[arm % len(_ARM_MARKERS)]
    return {"color": colour(arm), "linestyle": _DASHES[arm % len(_DASHES)], "marker": marker}


def limits(figure: Curves) -> tuple[tuple[float, float], tuple[float, float]]:
    """The axes that all panels of a figure share."""
    x = np.concatenate([line.levels for line in figure.lines] + [np.array([level for level, _ in figure.marks])])
    y = np.concatenate([line.values.ravel() for line in figure.lines] + [np.array([mark for _, mark in figure.marks])])
    return _around(x, figure.log_x, 0.03), _around(y, figure.log_y, 0.05)


def _around(values: np.ndarray, log: bool, room: float) -> tuple[float, float]:
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    low, high = float(values.min()), float(values.max())
    if log:
        low, high = math.log(low), math.log(high)
    margin = room * (high - low) or 0.5 * (abs(low) if not log else 1.0) or 0.5
    return (math.exp(low - margin), math.exp(high + margin)) if log else (low - margin, high + margin)


def _labels(figure: Curves, panel: Panel) -> list[str]:
    several = len({line.quantity for line in figure.lines}) > 1
    labels = []
    for line in panel.lines:
        what = "median and range" if line.is_band else "median and each"
        labels.append(f"{line.quantity if several else line.arm}: {what} of {line.n} seeds")
    return [*labels, *(["threshold of a criterion"] if figure.marks else [])]


def _mark_key() -> Line2D:
    return Line2D([], [], color=INK, linestyle="", marker="_", markersize=16, markeredgewidth=1.8)


def _draw_line(ax: Axes, line: Line, *, color: str, linestyle: Any, marker: str) -> Line2D:
    """Draw a line; return its entry for the legend."""
    emphasis = {"color": color, "linestyle": linestyle, "linewidth": 2.0, "marker": marker, "markersize": 5.5}
    if line.is_band:
        ax.fill_between(line.levels, *line.range, color=color, alpha=0.22, linewidth=0)
    else:
        for values, censored in zip(line.values, line.censored, strict=True):
            seen = ~np.isnan(values)
            ax.plot(line.levels[seen], values[seen], color=color, linewidth=0.7, alpha=0.45, zorder=2)
            unseen = seen & censored
            ax.plot(line.levels[unseen], values[unseen], linestyle="", marker="^", markersize=6, markerfacecolor="none",
                    markeredgecolor=color, zorder=4)  # fmt: skip
        if len(line.levels) == 1:
            ax.plot(np.repeat(line.levels, len(line.values)), line.values[:, 0], linestyle="", marker=marker or "o",
                    markersize=3.5, color=color, alpha=0.6, zorder=3)  # fmt: skip
    sns.lineplot(x=line.levels, y=line.median, ax=ax, estimator=None, zorder=5, markeredgewidth=0, **emphasis)
    return Line2D([], [], **emphasis)
