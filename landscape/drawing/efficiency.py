"""Homogeneity, efficiency, the norm that a training loss needs, and that which each circuit needs."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator, NullLocator, ScalarFormatter

from grokscape.landscape.drawing import draw
from grokscape.landscape.drawing.axes import axes_or_new
from grokscape.landscape.measures.efficiency.at_loss import NormAtLoss
from grokscape.landscape.measures.efficiency.definitions import DEFINITIONS
from grokscape.landscape.measures.efficiency.degree import Homogeneity
from grokscape.landscape.measures.efficiency.frontier_result import EfficiencyFrontier
from grokscape.landscape.measures.efficiency.per_norm import Efficiency

CIRCUITS = {"memorising": "memorising (random labels)", "generalising": "generalising (true labels)"}


@draw.register
def draw_homogeneity(result: Homogeneity, ax: Axes | None = None) -> Axes:
    """Draw every example's own degree for each network, with the network's degree as a bar across."""
    axes = axes_or_new(ax)
    blue, orange = sns.color_palette("deep", 2)
    for network, (examples, degree) in enumerate(zip(result.example_degree, result.degree, strict=True)):
        shown = examples[~np.isnan(examples)]
        axes.plot(network + np.linspace(-0.25, 0.25, len(shown)), shown, ".", color=blue, alpha=0.5)
        axes.plot([network - 0.3, network + 0.3], [degree, degree], color=orange, linewidth=2)
    spread = max(float(np.nanmax(np.abs(result.example_degree - result.degree[:, None]))), 0.1)
    axes.set_ylim(result.degree.min() - 1.2 * spread, result.degree.max() + 1.2 * spread)
    axes.set_xticks(range(len(result.degree)))
    axes.set(xlabel="network", ylabel="degree of homogeneity κ", title="κ of every example, and of the network")
    sns.despine(ax=axes)
    return axes


@draw.register
def draw_efficiency(result: Efficiency, ax: Axes | None = None) -> Axes:
    """Draw the value of every network with its standard error, hollow where it is not homogeneous."""
    axes = axes_or_new(ax)
    (blue,) = sns.color_palette("deep", 1)
    at = np.arange(len(result.value))
    axes.errorbar(at, result.value, np.nan_to_num(result.standard_error), fmt="none", color=blue, capsize=3)
    face = [blue if fine else "white" for fine in result.homogeneous]
    axes.scatter(at, result.value, c=face, edgecolors=[blue], zorder=3)
    axes.set_xticks(at)
    label = DEFINITIONS[result.definition].replace("κ", f"{result.kappa:.3g}")
    axes.set(xlabel="network", ylabel=label, title="What a unit of norm buys")
    sns.despine(ax=axes)
    return axes


@draw.register
def draw_norm_at_loss(result: NormAtLoss, ax: Axes | None = None) -> Axes:
    """Draw loss against norm: as found, rescaled to the level (cross), re-optimised (line, ring at the level)."""
    axes = axes_or_new(ax)
    colours = sns.color_palette("deep", len(result.norm))
    for network, colour in enumerate(colours):
        axes.plot(result.norm[network], result.loss[network], "o", color=colour, label=f"network {network}")
        axes.plot(result.rescaled[network], result.level, "x", color=colour)
        if len(result.curve_norm):
            axes.plot(result.curve_norm, result.curve_loss[network], ".-", color=colour, linewidth=1)
            if 0 < result.optimised[network] < np.inf:
                axes.plot(result.optimised[network], result.level, "o", color=colour, markerfacecolor="none")
    axes.axhline(result.level, color="0.6", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel="weight norm", ylabel="training loss")
    axes.set_title("○ best at each norm, × rescaled, ● as found", fontsize="small")
    axes.legend(frameon=False, fontsize="small")
    sns.despine(ax=axes)
    return axes


@draw.register
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
