"""Drawing what `grokscape.reports.figures.criterion` says: rows have names, so that no colour stands alone."""

from __future__ import annotations

import textwrap

import numpy as np
import seaborn as sns
from markupsafe import Markup
from matplotlib.axes import Axes

from grokscape.reports.figures.canvas import (
    AREA,
    COLOURS,
    INK,
    NORMAL,
    SMALL,
    TRACK,
    axes,
    canvas,
    colour,
    scale,
    style,
)
from grokscape.reports.figures.criterion import CriterionPlot, Row
from grokscape.reports.figures.svg import clipped, inline, plain_text
from grokscape.reports.numbers import number

_LINE, _TRACK, _GAP = 15.0, 34.0, 9.0
_BOUND_MARKERS = {"exact": "o", "above": ">", "below": "<", "unknown": "d"}


def draw_criterion(plot: CriterionPlot, *, key: str) -> Markup:
    """Draw a criterion: a track for each arm with its seeds in order, its interval, and the threshold across."""
    with style():
        names = [textwrap.wrap(plain_text(row.arm), 46)[:2] or [""] for row in plot.rows]
        tops = np.cumsum([0.0] + [_LINE * len(name) + 3 + _TRACK + _GAP for name in names])
        figure = canvas(tops[-1] + 42)
        ax = axes(figure, left=8, right=8, top=0, bottom=42)
        ax.spines["left"].set_visible(False)
        scale(ax.xaxis, plot.limits, log=plot.log)
        ax.set(ylim=(tops[-1], 0), yticks=[])
        ax.set_xlabel(clipped(plot.label, 56), color=INK, fontsize=NORMAL)
        _name_thresholds(ax, plot)
        for index, (row, name, top) in enumerate(zip(plot.rows, names, tops[:-1], strict=True)):
            for n, line in enumerate(name):
                ax.text(0, top + 1 + _LINE * n, line, transform=ax.get_yaxis_transform(), fontsize=NORMAL, va="top",
                        weight="bold" if row.is_claim else "normal")  # fmt: skip
            start = top + _LINE * len(name) + 3
            _draw_track(ax, plot, start)
            _draw_seeds(ax, row, start, colour(index))
            _draw_interval(ax, plot, row, start + _TRACK - 6)
        return inline(figure, key=key, words=plot.words, colours=COLOURS)


def _name_thresholds(ax: Axes, plot: CriterionPlot) -> None:
    """Write the thresholds above the first track, beside the short name of the claim."""
    texts = [number(threshold) for threshold in plot.thresholds]
    if len(texts) == 1:
        texts = [f"threshold {texts[0]}"]
    places = [max(plot.position(threshold), 0.14) for threshold in plot.thresholds]
    close = len(places) == 2 and places[1] - places[0] < 0.2
    for index, (place, text) in enumerate(zip(places, texts, strict=True)):
        align = ("right", "left")[index] if close else "left" if place < 0.3 else "right" if place > 0.8 else "center"
        if close and index == 0 and place < 0.3:
            text, align = " to ".join(texts), "left"
        ax.text(place, 2, text, transform=ax.get_yaxis_transform(), ha=align, va="top", fontsize=SMALL)
        if " to " in text:
            break


def _draw_track(ax: Axes, plot: CriterionPlot, top: float) -> None:
    low, high = plot.limits
    ax.fill_between([low, high], top, top + _TRACK, color=TRACK, linewidth=0, zorder=0)
    if plot.region:
        ends = [max(plot.region[0], low), min(plot.region[1], high)]
        ax.fill_between(ends, top, top + _TRACK, color=AREA, linewidth=0, zorder=0.5)
    for threshold in plot.thresholds:
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


def _draw_interval(ax: Axes, plot: CriterionPlot, row: Row, y: float) -> None:
    low, high = plot.limits
    if row.low is not None or row.high is not None:
        ends = [low if row.low is None else row.low, high if row.high is None else row.high]
        ax.plot(np.clip(ends, low, high), [y, y], color=INK, linewidth=2.2, solid_capstyle="butt", zorder=4)
        for bound, end, marker in ((row.low, low, "<"), (row.high, high, ">")):
            if bound is None or not low <= bound <= high:
                ax.plot(end, y, marker=marker, color=INK, markersize=5, zorder=4, clip_on=False)
    if row.estimate is not None:
        ax.plot(np.clip(row.estimate, low, high), y, marker="D", color=INK, markersize=5.5, zorder=5, clip_on=False)
