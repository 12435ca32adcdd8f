"""What all figures of the report share: size, colours, axes and ticks."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterator, Sequence

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from grokscape.reports.numbers import number

#: Points. A telephone shows figures at about this width, other screens somewhat larger.
WIDTH = 360.0
SMALL, NORMAL = 11.0, 12.0
INK, SOFT, GRID, AREA, TRACK, PAPER = "#101010", "#606060", "#d0d0d0", "#e0e8e0", "#f0f0f0", "#fafafa"
#: One colour for each arm, the claim's first.
SERIES = tuple(sns.color_palette("colorblind").as_hex())[:6]
#: What the page puts in place of the colours drawn, so that they follow light and dark.
COLOURS = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    GRID: "var(--grid)",
    AREA: "var(--area)",
    TRACK: "var(--track)",
    PAPER: "var(--paper)",
    **{colour: f"var(--series-{index})" for index, colour in enumerate(SERIES)},
}


def colour(index: int) -> str:
    """The colour of an arm by its place; the claim's is 0."""
    return str(SERIES[index % len(SERIES)])


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw in the style of the report, whatever this process has configured for itself."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        # Names are text: a dollar sign in one starts no formula.
        matplotlib.rcParams.update({**sns.axes_style("ticks"), "text.parse_math": False, "text.color": INK})
        yield


def canvas(height: float) -> Figure:
    """Return an empty figure of the report's width; height in points."""
    return Figure(figsize=(WIDTH / 72, height / 72))


def axes(figure: Figure, *, left: float, right: float, top: float, bottom: float) -> Axes:
    """Return axes with the given margins in points."""
    height = figure.get_figheight() * 72
    drawn = figure.add_axes(
        (
            left / WIDTH,
            bottom / height,
            (WIDTH - left - right) / WIDTH,
            (height - top - bottom) / height,
        )
    )
    drawn.spines[["top", "right"]].set_visible(False)
    for spine in drawn.spines.values():
        spine.set(color=SOFT, linewidth=0.8)
    drawn.tick_params(which="both", color=SOFT, labelcolor=SOFT, labelsize=SMALL, width=0.8, length=4)
    return drawn


def scale(axis: Axis, limits: tuple[float, float], *, log: bool) -> None:
    """Give an axis its limits, linear or logarithmic, and a few ticks that say plain numbers."""
    name = "x" if isinstance(axis, XAxis) else "y"
    axis.axes.set(**{f"{name}scale": "log" if log else "linear", f"{name}lim": limits})
    ticks = log_ticks(*limits) if log else linear_ticks(*limits)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter([number(tick) for tick in ticks]))
    axis.set_minor_locator(NullLocator())


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


def linear_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return a few round numbers between two."""
    # Twelve digits: enough for any axis, and 0.6 stays 0.6.
    ticks = [float(f"{tick:.12g}") for tick in MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)]
    return [tick for tick in ticks if low <= tick <= high]


def log_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return a few round numbers for a logarithmic axis, the rounder the better."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        ticks = [float(f"{digit * 10.0**decade:.6g}") for decade in decades for digit in digits]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= 3:
            return thinned(ticks, most)
    return linear_ticks(low, high, most)


def thinned(ticks: Sequence[float], most: int) -> list[float]:
    """Keep every second, third... until at most so many are left."""
    return list(ticks[:: math.ceil(len(ticks) / most)])
