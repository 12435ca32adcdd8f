"""Progress measures along training, and the spectrum of a loss curve."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from grokscape.landscape.drawing import draw
from grokscape.landscape.drawing.axes import axes_or_new
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.progress.oscillation import LossOscillation
from grokscape.landscape.measures.progress.trajectory import Progress

#: How many panels stand in a row.
COLUMNS = 3


@draw.register
def draw_progress(result: Progress, ax: Axes | None = None, quantities: Iterable[str] | None = None) -> Axes:
    """Draw quantities along training, each in a panel of its own, or all on the axes given.

    On axes that are given, each is stretched from its smallest value (0) to its largest (1), which the legend has. A
    quantity's null is dashed, on the quantity's scale, with two standard errors on each side. Test accuracy is the grey
    area behind, from 0 to 1.

    Parameters
    ----------
    result : Progress
    ax : Axes, optional
    quantities : iterable of str, optional
        By default the first of each measure.

    Returns
    -------
    Axes
        Those given, or the first panel's.

    Raises
    ------
    InvalidInput
        If a quantity is not in the result.
    """
    if quantities is None:
        wanted = [names[0] for measure, names in result.quantities.items() if measure != "performance"]
        wanted = wanted or list(result.values)[:1]
    else:
        wanted = [quantities] if isinstance(quantities, str) else list(quantities)
    for quantity in wanted:
        if quantity not in result.values:
            raise InvalidInput(f"quantities hold {quantity!r}, expected some of {', '.join(result.values)}")
    if ax is not None:
        return _together(result, ax, wanted)
    lines = -(-len(wanted) // COLUMNS)
    size = (3.2 * min(len(wanted), COLUMNS), 2.3 * lines + 0.3)
    _, panels = plt.subplots(lines, min(len(wanted), COLUMNS), figsize=size, layout="constrained", squeeze=False)
    for panel in panels.flat[len(wanted) :]:
        panel.remove()
    for panel, quantity in zip(panels.flat, wanted, strict=False):
        _shade(result, panel)
        _curve(result, panel, quantity, sns.color_palette()[0], 0.0, 1.0)
        panel.set_title(_words(quantity), fontsize="medium")
        panel.set_xlabel("step")
        if f"{quantity}_null" in result.values:
            panel.legend(["test accuracy", "measured", "null"], fontsize="x-small", facecolor="white", framealpha=1)
        sns.despine(ax=panel)
    first: Axes = panels.flat[0]
    return first


@draw.register
def draw_oscillation(result: LossOscillation, ax: Axes | None = None) -> Axes:
    """Draw the power of each frequency; all bars together are as high as the activity."""
    ax = axes_or_new(ax)
    ax.bar(result.frequencies, result.power, width=1 / len(result.residual), color=sns.color_palette()[0])
    if np.isfinite(result.mobility):
        ax.axvline(result.mobility / (2 * np.pi), color="0.4", linestyle="--", label="mobility")
        ax.legend(frameon=False)
    what = "logarithm of the loss" if result.logarithmic else "loss"
    ax.set(xlabel="cycles per step", ylabel=f"power of the {what}", title=f"activity {result.activity:.3g}")
    sns.despine(ax=ax)
    return ax


def _together(result: Progress, ax: Axes, wanted: list[str]) -> Axes:
    _shade(result, ax)
    for quantity, colour in zip(wanted, sns.color_palette("husl", len(wanted)), strict=True):
        finite = result.values[quantity][np.isfinite(result.values[quantity])]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
        label = f"{_words(quantity)} ({low:.3g} to {high:.3g})"
        _curve(result, ax, quantity, colour, low, high - low if high > low else 1.0, label=label)
    ax.set(xlabel="step", ylabel="from smallest to largest value")
    ax.legend(frameon=False, fontsize="small")
    sns.despine(ax=ax)
    return ax


def _shade(result: Progress, ax: Axes) -> None:
    """Shade the test accuracy, from the axes' lower edge (0) to their upper (1)."""
    accuracy = result.values.get("test_accuracy", np.full(len(result.steps), np.nan))
    ax.fill_between(result.steps, accuracy, transform=ax.get_xaxis_transform(), color="0.9", linewidth=0, zorder=0)


def _curve(
    result: Progress,
    ax: Axes,
    quantity: str,
    colour: tuple[float, float, float],
    low: float,
    span: float,
    label: str | None = None,
) -> None:
    ax.plot(result.steps, (result.values[quantity] - low) / span, color=colour, linewidth=1.6, label=label)
    null = f"{quantity}_null"
    if null in result.values:
        ax.plot(result.steps, (result.values[null] - low) / span, color=colour, linewidth=1.2, linestyle="--")
    for name in (quantity, null):
        if name in result.standard_errors:
            middle, half = result.values[name], 2 * result.standard_errors[name]
            edges = [(middle + sign * half - low) / span for sign in (-1, 1)]
            ax.fill_between(result.steps, *edges, color=colour, alpha=0.2, linewidth=0)


def _words(quantity: str) -> str:
    return quantity.replace("_", " ")
