"""Drawing what `grokscape.reports.figures.maps` says."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections import defaultdict
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from grokscape.reports.figures.canvas import (
    COLOURS,
    GRID,
    INK,
    NORMAL,
    PAPER,
    SMALL,
    SOFT,
    around,
    axes,
    canvas,
    scale,
    style,
)
from grokscape.reports.figures.maps import Chart, Plane
from grokscape.reports.figures.svg import clipped, inline, plain_text
from grokscape.reports.numbers import number

_BAND, _TILE, _LINE = 52.0, 25.0, 15.0
_BOUNDARIES: tuple[Any, ...] = ((INK, "-", "s"), (INK, (0, (5, 2)), "o"), (INK, (0, (1.2, 1.6)), "D"))


def fills(number: int) -> tuple[str, ...]:
    """Return colours in order, dark to light, so that the colour-blind see the order too.

    An outline parts them from either background.
    """
    return tuple(to_hex(colormaps["viridis"](place)) for place in np.linspace(0.08, 1.0, number))


def draw_plane(chart: Chart, plane: Plane, *, key: str) -> Markup:
    """Draw one panel of a map: a row for each y, a point for each training, lines for boundaries."""
    with style():
        title = textwrap.wrap(plain_text(plane.title), 46)[:2]
        legend_rows = math.ceil(len(chart.names) / _columns(chart)) + len(chart.boundaries)
        top = 12 + _LINE * (len(title) + legend_rows + 1) + 8
        figure = canvas(top + _height(chart) + 42)
        ax = axes(figure, left=52, right=10, top=top, bottom=42)
        xs = [p.x for panel in chart.planes for p in panel.points] + [e for b in chart.boundaries for e in b.estimate]
        limits = around(np.array(xs), chart.log_x, 0.04)
        if chart.tiled:
            edges = _edges(chart)
            limits = (edges[0], edges[-1])
        scale(ax.xaxis, limits, log=chart.log_x)
        ax.set_ylim(-0.5, len(chart.rows) - 0.5)
        ax.set_yticks(range(len(chart.rows)), [number(row) for row in chart.rows])
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel(clipped(chart.x, 52), color=INK, fontsize=NORMAL)
        ax.set_ylabel(clipped(chart.y, 34), color=INK, fontsize=NORMAL)
        if chart.tiled:
            _draw_tiles(ax, chart, plane, edges)
        else:
            _draw_points(ax, chart, plane)
        _draw_boundaries(ax, chart)
        for index, line in enumerate(title):
            ax.annotate(line, (0, 1), (-44, top - 10 - _LINE * index), "axes fraction", "offset points", va="top",
                        weight="bold", fontsize=NORMAL)  # fmt: skip
        _legend(ax, chart)
        return inline(figure, key=key, words=chart.words(plane), colours=COLOURS)


def _draw_points(ax: Any, chart: Chart, plane: Plane) -> None:
    """Draw a band for each row, and in it a line of points for each seed."""
    for edge in range(1, len(chart.rows)):
        ax.axhline(edge - 0.5, color=GRID, linewidth=0.6)
    seeds = sorted({point.seed for panel in chart.planes for point in panel.points})
    place = dict(zip(seeds, np.linspace(0.36, -0.36, len(seeds)) if len(seeds) > 1 else [0.0], strict=True))
    classes = chart.classes(plane)
    for index, fill in enumerate(fills(len(chart.names))):
        chosen = [point for point, found in zip(plane.points, classes, strict=True) if found == index]
        if chosen:
            ax.plot(
                [point.x for point in chosen], [chart.rows.index(point.y) + place[point.seed] for point in chosen],
                linestyle="", marker="o", markersize=4.6, markerfacecolor=fill, markeredgecolor=SOFT,
                markeredgewidth=0.5, zorder=3,
            )  # fmt: skip


def _draw_tiles(ax: Any, chart: Chart, plane: Plane, edges: np.ndarray) -> None:
    """Draw a tile for each place, a slice of it for each of its seeds; one path a colour, which keeps pages small."""
    places: dict[tuple[float, float], list[int]] = defaultdict(list)
    for point, found in zip(plane.points, chart.classes(plane), strict=True):
        places[point.x, point.y].append(int(found))
    slices: dict[int, list[Path]] = defaultdict(list)
    for (x, y), found in places.items():
        column, bottom = np.searchsorted(edges, x), chart.rows.index(y) - 0.46
        left, right = edges[column - 1 : column + 1]
        for index, alike in itertools.groupby(sorted(found)):
            top = bottom + 0.92 * len(list(alike)) / len(found)
            corners = [(left, bottom), (left, top), (right, top), (right, bottom), (left, bottom)]
            slices[index].append(Path(corners, closed=True))
            bottom = top
    for index, fill in enumerate(fills(len(chart.names))):
        if slices[index]:
            shape = Path.make_compound_path(*slices[index])
            ax.add_patch(PathPatch(shape, facecolor=fill, edgecolor=SOFT, linewidth=0.5, zorder=3))


def _edges(chart: Chart) -> np.ndarray:
    """Return the edges of a map's columns: half way from one value of x to the next, and as far beyond the last."""
    xs = np.unique([point.x for plane in chart.planes for point in plane.points])
    places = np.log(xs) if chart.log_x else xs
    halves = np.diff(places) / 2 if len(places) > 1 else np.array([0.5])
    edges = np.array([places[0] - halves[0], *(places[1:] - halves[: len(places) - 1]), places[-1] + halves[-1]])
    return np.exp(edges) if chart.log_x else edges


def _height(chart: Chart) -> float:
    return (_TILE if chart.tiled else _BAND) * len(chart.rows)


def _columns(chart: Chart) -> int:
    """In how many columns the legend has room for its names."""
    return 3 if max(map(len, chart.names)) < 12 else 2


def _draw_boundaries(ax: Any, chart: Chart) -> None:
    for index, boundary in enumerate(chart.boundaries):
        colour, dashes, marker = _BOUNDARIES[index % len(_BOUNDARIES)]
        rows = [chart.rows.index(y) for y in boundary.y if y in chart.rows]
        inside = [n for n, y in enumerate(boundary.y) if y in chart.rows]
        x = [boundary.estimate[n] for n in inside]
        for at, row in zip(x, rows, strict=True):
            # Across its whole row: one row alone would otherwise be a mark among the points.
            ax.plot([at, at], [row - 0.46, row + 0.46], color=colour, linestyle=dashes, linewidth=1.6, zorder=5)
        ax.plot(x, rows, color=colour, linestyle="", marker=marker, markersize=6, markerfacecolor=PAPER, zorder=6)
        for n, row in zip(inside, rows, strict=True):
            ends = np.clip([boundary.low[n], boundary.high[n]], *ax.get_xlim())
            if np.isfinite([boundary.low[n], boundary.high[n]]).all():
                ax.plot(ends, [row, row], color=colour, linewidth=2.4, solid_capstyle="butt", zorder=5)


def _legend(ax: Any, chart: Chart) -> None:
    dots = [
        Line2D([], [], linestyle="", marker="s" if chart.tiled else "o", markersize=5.5, markerfacecolor=f,
               markeredgecolor=SOFT, markeredgewidth=0.5) for f in fills(len(chart.names))
    ]  # fmt: skip
    lines = [
        Line2D([], [], color=c, linestyle=d, linewidth=1.6, marker=m, markersize=5.5, markerfacecolor=PAPER)
        for c, d, m in (_BOUNDARIES[n % len(_BOUNDARIES)] for n in range(len(chart.boundaries)))
    ]
    look = {"loc": "lower left", "frameon": False, "fontsize": SMALL, "borderpad": 0, "borderaxespad": 0,
            "labelspacing": 0.35, "labelcolor": INK}  # fmt: skip
    left = -44 / (360 - 62)
    height = _height(chart)
    if lines:
        first = ax.legend(lines, [clipped(b.name, 48) for b in chart.boundaries], handlelength=2.6,
                          bbox_to_anchor=(left, 1 + 4 / height), **look)  # fmt: skip
        ax.add_artist(first)
    lift = 4 + _LINE * len(lines) + (4 if lines else 0)
    look |= {"ncols": _columns(chart), "handlelength": 1.0, "columnspacing": 1.2, "alignment": "left"}
    ax.legend(dots, [clipped(name, 20) for name in chart.names], title=clipped(chart.value, 40),
              title_fontsize=SMALL, bbox_to_anchor=(left, 1 + lift / height), **look)  # fmt: skip
