"""Densities of eigenvalues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from grokscape.landscape.drawing.axes import axes_or_new

if TYPE_CHECKING:
    from grokscape.landscape.measures.curvature.density import SpectralDensity


def draw_spectral_density(result: SpectralDensity, ax: Axes | None = None) -> Axes:
    """Draw one curve for each network with its 95 % interval; negative eigenvalues are dashed on a logarithmic axis.

    The density is on a logarithmic scale, down to a fiftieth of one eigenvalue's peak.
    """
    ax = axes_or_new(ax)
    lower, upper = result.interval()
    colours = sns.color_palette("viridis", len(result.density)) if len(result.density) > 1 else sns.color_palette()
    for network, (grid, colour) in enumerate(zip(result.grid, colours, strict=False)):
        for index, side in enumerate(result.sides):
            name = [f"network {network}"] if len(result.density) > 1 else []
            name += [side] if len(result.sides) > 1 else []
            style = "--" if side == "negative" else "-"
            label = ", ".join(name) or None
            ax.plot(grid, result.density[network, index], style, color=colour, linewidth=1.2, label=label)
            ax.fill_between(grid, lower[network, index], upper[network, index], color=colour, alpha=0.2, linewidth=0)
    peak = 1 / (result.size * result.width.max() * (2 * np.pi) ** 0.5)
    ax.set_yscale("log")
    ax.set_ylim(bottom=peak / 50)
    ax.set(xlabel="eigenvalue" if result.axis == "linear" else "log10 |eigenvalue|", ylabel="density")
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize="small")
    sns.despine(ax=ax)
    return ax
