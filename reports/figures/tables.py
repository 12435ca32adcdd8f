"""What a figure shows, as comma-separated values to take away.

A text that a spreadsheet would run as a formula (one that begins with ``=``, ``+``, ``-``, ``@``, the full-width form
of one of them or a tab, whatever white space comes before) has an apostrophe before it, which spreadsheets take as the
mark of a text and other readers should take off.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

import numpy as np

from grokscape.landscape.printable import printable
from grokscape.reports.figures.criterion import CriterionPlot
from grokscape.reports.figures.curves import Curves, Line
from grokscape.reports.figures.maps import Chart
from grokscape.reports.figures.portraits import DrawnPortrait

#: How a formula begins.
FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
#: What a spreadsheet may skip before it: white space, and characters of no width.
IGNORED = "".join(c for c in map(chr, range(0x10000)) if c.isspace()) + "\u200b\u200c\u200d\u2060\ufeff"
NUMBER = re.compile(r"[+-]?(\d+\.?\d*(e[+-]?\d+)?|inf|nan)")


def of_criterion(plot: CriterionPlot) -> str:
    """Return a row for each seed of each arm, then one for each estimate and each threshold."""
    rows: list[Sequence[object]] = [
        (row.arm, point.seed, f"{point.value:.6g}", point.bound) for row in plot.rows for point in row.points
    ]
    for row in plot.rows:
        bounds = (("estimate", row.estimate), ("low", row.low), ("high", row.high))
        rows += [(row.arm, name, "" if value is None else f"{value:.6g}", "") for name, value in bounds]
    rows += [("", "threshold", f"{value:.6g}", "") for value in plot.thresholds]
    return _csv(("arm", "seed", plot.label, "true value lies"), rows)


def of_curves(figure: Curves) -> str:
    """Return a row for each level of each line, with every seed or with median and range, as drawn."""
    if all(line.is_band for line in figure.lines):
        header = ("arm", "quantity", figure.x, "lowest seed", "median", "highest seed")
        return _csv(header, (row for line in figure.lines for row in _range(line)))
    header = ("arm", "quantity", figure.x, "seed", figure.y, "censored")
    return _csv(header, (row for line in figure.lines for row in _seeds(line)))


def of_chart(chart: Chart) -> str:
    """Return a row for each point of a map, then one for each row of each boundary."""
    rows: list[Sequence[object]] = [
        (
            plane.title,
            f"{p.y:g}",
            f"{p.x:g}",
            p.seed,
            chart.names[kind] if chart.categories else f"{p.value:.6g}",
            "",
            "",
        )
        for plane in chart.planes
        for p, kind in zip(plane.points, chart.classes(plane), strict=True)
    ]
    for b in chart.boundaries:
        for y, estimate, low, high in zip(b.y, b.estimate, b.low, b.high, strict=True):
            rows.append((b.name, f"{y:g}", f"{estimate:.6g}", "", "", f"{low:.6g}", f"{high:.6g}"))
    return _csv(("panel or boundary", chart.y, chart.x, "seed", chart.value, "low", "high"), rows)


def of_portrait(portrait: DrawnPortrait) -> str:
    """Return a row for each step of each seed of each trajectory."""
    rows = [
        (trajectory.name, seed, f"{step:g}", f"{x:.6g}", f"{y:.6g}")
        for trajectory in portrait.trajectories
        for seed, xs, ys in zip(trajectory.seeds, trajectory.x, trajectory.y, strict=True)
        for step, x, y in zip(trajectory.steps, xs, ys, strict=True)
        if np.isfinite(x) and np.isfinite(y)
    ]
    return _csv(("learner", "seed", "step", portrait.x, portrait.y), rows)


def _range(line: Line) -> Iterable[Sequence[object]]:
    at = line.drawn
    for level, *values in zip(
        *(array[at] for array in (line.levels, line.range[0], line.median, line.range[1])), strict=True
    ):
        yield line.arm, line.quantity, f"{level:g}", *(f"{value:.4g}" for value in values)


def _seeds(line: Line) -> Iterable[Sequence[object]]:
    for seed, values, censored in zip(line.seeds, line.values, line.censored, strict=True):
        for level, value, unseen in zip(line.levels, values, censored, strict=True):
            if not np.isnan(value):
                yield line.arm, line.quantity, f"{level:g}", seed, f"{value:.6g}", "yes" if unseen else ""


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(map(harmless, header))
    writer.writerows(map(harmless, row) for row in rows)
    return buffer.getvalue()


def harmless(cell: object) -> object:
    """Return what a cell holds so that no spreadsheet takes it for a formula; numbers stay as they are."""
    if not isinstance(cell, str):
        return cell
    text = printable(cell)  # a carriage return would end the row
    begins = text.startswith("\t") or text.lstrip(IGNORED).startswith(FORMULA)
    return f"'{text}" if begins and not NUMBER.fullmatch(text) else text
