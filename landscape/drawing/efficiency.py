"""Pictures of homogeneity, of efficiency, and of the norm that a training loss needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from grokscape.landscape.drawing.axes import axes_or_new
from grokscape.landscape.measures.efficiency.definitions import DEFINITIONS

if TYPE_CHECKING:
    from grokscape.landscape.measures.efficiency.at_loss import NormAtLoss
    from grokscape.landscape.measures.efficiency.degree import Homogeneity
    from grokscape.landscape.measures.efficiency.per_norm import Efficiency


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
