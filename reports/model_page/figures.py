"""The instruments' figures, drawn in the report's size and type, in colours that follow its light and dark."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import matplotlib
import numpy as np
import seaborn as sns
from cycler import cycler
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    AutoLocator,
    FixedLocator,
    FuncFormatter,
    LogFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    ScalarFormatter,
)

from grokscape.landscape.measures.result import Result
from grokscape.reports.figures.canvas import COLOURS, INK, SERIES, SMALL, SOFT, WIDTH, log_ticks, style
from grokscape.reports.figures.svg import inline
from grokscape.reports.model_page.instrument import Instrument
from grokscape.reports.numbers import number

HEIGHT = 250.0

#: The type and the colours in which the instruments draw here.
SETTINGS: dict[Any, Any] = {
    "font.size": 13,  # "small" is then large enough for a telephone
    "axes.prop_cycle": cycler(color=SERIES),
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.labelsize": 12,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.unicode_minus": True,
    "legend.fontsize": SMALL,
    "legend.title_fontsize": SMALL,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 2.0,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.minor.size": 2.0,
    "ytick.minor.size": 2.0,
}


def draw(instrument: Instrument[Any], result: Result, *, words: str) -> tuple[str, tuple[Markup, ...]]:
    """Draw a result; return the title that the picture gave itself, and the picture without it, in one or more panels.

    Parameters
    ----------
    instrument : Instrument
        Its name is the prefix of every id in the picture.
    result : Result
    words : str
        What it shows, for those who do not see it.
    """
    with style(), matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fonts and of layout: the page's own font draws the text
        title, drawings = "", []
        for index, panel in enumerate(instrument.panels(result)):
            figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), layout="constrained")
            drawn = panel(figure.add_subplot())
            title = drawn.get_title()
            drawn.set_title("")
            for axes in figure.axes:
                _plain(axes)
            key = f"figure-{instrument.name}-{index}"
            drawings.append(inline(figure, key=key, words=f"{title}. {words}", colours=PageColours()))
        return title if len(drawings) == 1 else "", tuple(drawings)


def _plain(axes: Axes) -> None:
    """Give the axes few ticks, and write them as plain numbers: the page has no mathematical type."""
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        if isinstance(axis.get_major_locator(), LogLocator):
            axis.set_major_locator(FixedLocator(log_ticks(min(limits), max(limits))))
        elif isinstance(axis.get_major_locator(), AutoLocator):
            whole = axis is axes.xaxis and _counts(axes)
            axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10] if whole else [1, 2, 2.5, 5, 10], integer=whole))
        if isinstance(axis.get_major_formatter(), LogFormatter | ScalarFormatter):
            axis.set_major_formatter(FuncFormatter(lambda value, _: number(float(f"{value:.12g}"), 6)))
            axis.set_minor_formatter(NullFormatter())


def _counts(axes: Axes) -> bool:
    """Whether what is drawn stands at whole numbers only."""
    places = [np.asarray(line.get_xdata(), dtype=float) for line in axes.lines]
    return bool(places) and all(np.all(place == np.round(place)) for place in places)


class PageColours(Mapping[str, str]):
    """Colour as drawn -> colour of the page: black and grey lie between its ink and its paper, others keep theirs."""

    _named = COLOURS | {
        colour: f"var(--series-{index})"
        for palette in ("deep", "muted", "tab10", "colorblind")
        for index, colour in enumerate(sns.color_palette(palette).as_hex()[:6])
    }

    def __getitem__(self, colour: str) -> str:
        if colour in self._named:
            return self._named[colour]
        if len(colour) == 7 and colour[1:3] == colour[3:5] == colour[5:7]:
            ink = round(100 * (1 - int(colour[1:3], 16) / 255))
            return f"color-mix(in srgb, var(--ink) {ink}%, var(--paper))"
        raise KeyError(colour)

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)
