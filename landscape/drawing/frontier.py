"""The picture of the norm that memorising and generalising need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator, NullLocator, ScalarFormatter

if TYPE_CHECKING:
    from grokscape.landscape.measures.efficiency.frontier import EfficiencyFrontier

CIRCUITS = {"memorising": "memorising (random labels)", "generalising": "generalising (true labels)"}


def draw_frontier(result: EfficiencyFrontier, ax: Axes | None = None) -> Axes:
    """Draw loss against norm by size (only on a new figure), and the norm needed against size with the crossing."""
    if ax is None:
        _, (left, ax) = plt.subplots(1, 2, figsize=(11.0, 4.2), layout="constrained")
        _draw_losses(result, left)
    _draw_norms(result, ax)
    return ax


def _draw_losses(result: EfficiencyFrontier, axes: Axes) -> None:
    """Draw the median over seeds of the training loss at each norm, one line for each size."""
    colours = sns.color_palette("flare", len(result.sizes))
    for index, (size, colour) in enumerate(zip(result.sizes, colours, strict=True)):
        axes.plot(result.norms, np.median(result.memorising_loss[:, index], 0), ".-", color=colour, label=f"{size}")
    general = np.where(result.counts, result.generalising_loss, np.nan).mean(1)
    known = ~np.isnan(general).all(0)
    middle = np.nanmedian(general[:, known], axis=0)
    axes.plot(result.norms[known], middle, ".--", color=sns.color_palette("deep")[0], label="generalising")
    axes.axhline(result.level, color="0.6", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel="weight norm", ylabel="training loss", title="Loss at a fixed norm")
    _plain(axes.xaxis)
    axes.legend(title="random labels for", frameon=False, fontsize="small")
    sns.despine(ax=axes)


def _draw_norms(result: EfficiencyFrontier, axes: Axes) -> None:
    colours = dict(zip(CIRCUITS, sns.color_palette("deep", 2)[::-1], strict=True))
    for circuit, label in CIRCUITS.items():
        needed = getattr(result, f"{circuit}_norm")
        shown = np.where(np.isfinite(needed) & (needed > 0), needed, np.nan)
        axes.plot(result.sizes, shown.T, color=colours[circuit], alpha=0.3, linewidth=1)
        known = ~np.isnan(shown).all(0)
        middle = np.nanmedian(shown[:, known], axis=0)
        axes.plot(result.sizes[known], middle, "o-", color=colours[circuit], label=label)
    crossing = result.crossing
    if crossing.method != "none":
        low, high = max(crossing.lower, result.sizes[0]), min(crossing.upper, result.sizes[-1])
        axes.axvspan(low, high, color="0.5", alpha=0.15, linewidth=0)
    if np.isfinite(crossing.estimate):
        axes.axvline(crossing.estimate, color="0.3", linestyle=":")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="training examples",
        ylabel=f"norm needed for a loss of {result.level:.3g}",
    )
    _plain(axes.yaxis)
    axes.set_xticks(result.sizes, [str(size) for size in result.sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_title(crossing.sentence(), fontsize="small")
    axes.legend(frameon=False)
    sns.despine(ax=axes)


def _plain(axis: Axis) -> None:
    """Mark round numbers on a logarithmic axis that spans less than a few decades."""
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(ScalarFormatter())
    axis.set_minor_locator(NullLocator())
