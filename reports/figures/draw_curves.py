"""Drawing what `grokscape.reports.figures.curves` says.

A colour stands for an arm, or for a quantity where a figure compares more than two, and never alone: lines differ in
marker or dashes too.
"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import seaborn as sns
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from grokscape.predictions.evidence import CLAIM
from grokscape.reports.figures.canvas import (
    COLOURS,
    GRID,
    INK,
    NORMAL,
    SMALL,
    SOFT,
    around,
    axes,
    canvas,
    colour,
    scale,
    style,
)
from grokscape.reports.figures.curves import Curves, Line, Panel
from grokscape.reports.figures.svg import clipped, inline, plain_text

_LINE = 15.0
_ARM_MARKERS = "osDPXp"
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 2)))


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
