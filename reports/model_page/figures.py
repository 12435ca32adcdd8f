"""The instruments' own pictures, drawn in the report's size and type, in colours that follow its light and dark."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
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
from grokscape.reports.figures.canvas import COLOURS, GRID, INK, SERIES, SMALL, SOFT, WIDTH, log_ticks, style
from grokscape.reports.figures.svg import inline
from grokscape.reports.model_page.instruments.sharpness import FORMS
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


def draw(name: str, result: Result, *, words: str) -> tuple[str, tuple[Markup, ...]]:
    """Draw a result; return the title that the picture gave itself, and the picture without it, in one or more panels.

    Parameters
    ----------
    name : str
        Of the instrument: the prefix of every id in the picture.
    result : Result
    words : str
        What it shows, for those who do not see it.
    """
    with style(), matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fonts and of layout: the page's own font draws the text
        title, drawings = "", []
        for index, panel in enumerate(_panels(name, result)):
            figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), layout="constrained")
            drawn = panel(figure.add_subplot())
            title = drawn.get_title()
            drawn.set_title("")
            for axes in figure.axes:
                _plain(axes)
            key = f"figure-{name}-{index}"
            drawings.append(inline(figure, key=key, words=f"{title}. {words}", colours=PageColours()))
        return title if len(drawings) == 1 else "", tuple(drawings)


def data(name: str, result: Any) -> pd.DataFrame:
    """Return what is drawn as a table."""
    if name == "margin":
        return pd.DataFrame({"example": np.arange(result.margin.shape[1]), "margin": result.margin[0]})
    if name == "trace":
        samples = result.samples[0]
        return pd.DataFrame({"parameter" if result.exact else "probe": np.arange(len(samples)), "value": samples})
    return result.to_frame()


def _panels(name: str, result: Any) -> list[Callable[[Axes], Axes]]:
    """Return what draws each panel: mostly the result's own picture, but not where that is a single point."""
    if name == "negative-eigenvalue":  # one number
        return []
    if name == "margin":
        return [functools.partial(_margins, result)]
    if name == "trace":
        return [functools.partial(_samples, result)]
    if name == "sharpness":
        return [functools.partial(_forms, result)]
    if name == "progress":
        shown = [(names[0],) for measure, names in result.quantities.items() if measure != "performance"]
        performance = result.quantities.get("performance", ())
        pairs = [tuple(name for name in performance if kind in name) for kind in ("loss", "accuracy")]
        return [functools.partial(_along, result, names) for names in (*pairs, *shown) if names]
    return [result.plot]


def _margins(result: Any, axes: Axes) -> Axes:
    """Draw how the examples' margins are spread."""
    sns.histplot(x=result.margin[0], ax=axes, color=SERIES[0], edgecolor="white", linewidth=0.5)
    axes.axvline(0, color=SOFT, linewidth=0.8)
    axes.axvline(result.margin[0].mean(), color=SERIES[1], label="mean")
    axes.legend()
    axes.set(xlabel="margin, z_label − max(other z)", ylabel="examples", title="Margins of the examples")
    return axes


def _samples(result: Any, axes: Axes) -> Axes:
    """Draw the samples whose mean, or the diagonal whose sum, is the trace."""
    samples = np.sort(result.samples[0])
    axes.plot(np.arange(1, len(samples) + 1), samples, "." if len(samples) < 300 else "-", color=SERIES[0])
    if result.exact:
        axes.set(xlabel="rank", ylabel="entry of the diagonal", title="Diagonal of the Hessian, sorted")
        return axes
    low, high = (float(end[0]) for end in result.interval())
    axes.axhline(result.estimate[0], color=SERIES[1], label="mean and its 95 % interval")
    axes.axhspan(low, high, color=SERIES[1], alpha=0.2, linewidth=0)
    axes.legend()
    axes.set(xlabel="rank", ylabel="estimate of the trace", title="Estimates by single probes, sorted")
    return axes


def _forms(result: Any, axes: Axes) -> Axes:
    """Draw every form in a row of its own; the scale is logarithmic if all are positive."""
    names = [FORMS[form][0] for form in result.forms]
    places = np.arange(len(names))
    value, done = result.value[:, 0], result.converged[:, 0]
    for chosen, marker in ((~result.lower_bound, "o"), (result.lower_bound, ">")):
        for fine, face in ((True, SERIES[0]), (False, "none")):
            some = chosen & (done == fine)
            axes.scatter(value[some], places[some], marker=marker, s=36, facecolors=face, edgecolors=SERIES[0])
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    if np.all(value > 0):
        axes.set_xscale("log")
    axes.set(xlabel="sharpness (triangles: lower bounds)", title="Forms of sharpness")
    return axes


def _along(result: Any, quantities: Sequence[str], axes: Axes) -> Axes:
    """Draw quantities along the training, with their nulls, and two standard errors where they have them."""
    for colour, quantity in zip(SERIES, quantities, strict=False):
        for name, look in ((quantity, "-"), (f"{quantity}_null", "--")):
            if name in result.values:
                axes.plot(result.steps, result.values[name], look, color=colour, marker=".", label=_words(name))
                if name in result.standard_errors:
                    half = 2 * result.standard_errors[name]
                    edges = (result.values[name] - half, result.values[name] + half)
                    axes.fill_between(result.steps, *edges, color=colour, alpha=0.2, linewidth=0)
    if len(axes.lines) > 1:
        axes.legend()
    what = _words(quantities[0]) if len(quantities) == 1 else quantities[0].split("_")[-1]
    axes.set(xlabel="step", ylabel=what, title=what)
    return axes


def _words(name: str) -> str:
    return name.replace("_", " ")


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
