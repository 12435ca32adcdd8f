"""Drawing what `reports.strips` and `reports.curves` say, as SVG for the page.

Colour always stands for the arm, and never alone: strips name their rows, curves vary marker or dashes too.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
import numpy as np
import seaborn as sns
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from predictions.evidence import CLAIM
from reports.axes import dress
from reports.curves import Curves, Line, Panel
from reports.strips import Point, Row, Strip
from reports.svg import inline, plain_text
from reports.wording import number

#: Points; the page shows figures at this width on a telephone, and somewhat larger elsewhere.
WIDTH = 360.0
SMALL, NORMAL = 11.0, 12.0
INK, SOFT, GRID, AREA = "#101010", "#606060", "#d0d0d0", "#e0e8e0"
SERIES = tuple(sns.color_palette("colorblind").as_hex())[:6]
#: What the page puts in place of the colours drawn.
COLOURS = {INK: "var(--ink)", SOFT: "var(--soft)", GRID: "var(--grid)", AREA: "var(--area)"} | {
    colour: f"var(--series-{index})" for index, colour in enumerate(SERIES)
}
_MARKERS = "osDPXp"
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (5, 2, 1.5, 2)), (0, (8, 2)), (0, (3, 1)))
_BOUND_MARKERS = {"above": "^", "below": "v", "unknown": "d"}
_SIDEWAYS_MARKERS = {"above": ">", "below": "<", "unknown": "d"}


def _canvas(height: float) -> Figure:
    return Figure(figsize=(WIDTH / 72, height / 72))


def _axes(figure: Figure, *, left: float, right: float, top: float, bottom: float) -> Axes:
    """Axes with margins in points."""
    height = figure.get_figheight() * 72
    box = (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
    return figure.add_axes(box)


def _styled[**P](draw: Callable[P, Markup]) -> Callable[P, Markup]:
    """Draw in the style of the report, whatever the reader of this process has configured."""

    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Markup:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(sns.axes_style("ticks") | {"text.parse_math": False, "font.size": SMALL})
            return draw(*args, **kwargs)

    return wrapped


# -- Strips ------------------------------------------------------------------------------------------------------------

_ROW, _LINE = 40.0, 15.0


def draw_strip(strip: Strip, *, key: str) -> Markup:
    return _draw_strip(strip, key=key)
