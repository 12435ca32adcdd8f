"""Eigenvalues, traces and spectral densities."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from grokscape.landscape.drawing import draw
from grokscape.landscape.drawing.axes import MATRIX, axes_or_new
from grokscape.landscape.measures.curvature.density import SpectralDensity
from grokscape.landscape.measures.curvature.eigenvalues import Eigenvalues
from grokscape.landscape.measures.curvature.traces import Trace


@draw.register
def draw_eigenvalues(result: Eigenvalues, ax: Axes | None = None) -> Axes:
    """Draw eigenvalues against their rank for one network, and against the network's number for several.

    Those that have not converged are drawn hollow.
    """
    ax = axes_or_new(ax)
    frame = result.to_frame()
    across = len(result.values) > 1
    x = "network" if across else "rank"
    colours = dict(zip(frame["rank"].unique(), sns.color_palette("viridis", frame["rank"].nunique()), strict=True))
    for rank, part in frame.groupby("rank") if across else [(1, frame)]:
        colour = colours[rank] if across else sns.color_palette()[0]
        ax.plot(part[x], part["value"], color=colour, linewidth=1, alpha=0.7)
        for flag, face in ((True, colour), (False, "none")):
            some = part[part["converged"] == flag]
            ax.errorbar(
                some[x],
                some["value"],
                yerr=some["residual"],
                fmt="o",
                markersize=4,
                color=colour,
                markerfacecolor=face,
                label=f"rank {rank}" if across and flag else None,
            )
    if np.all(frame["value"] > 0):
        ax.set_yscale("log")
    ax.set(xlabel=x, ylabel=f"eigenvalue of the {MATRIX[result.kind]}")
    if across and len(colours) <= 12:
        ax.legend(frameon=False, fontsize="small")
    sns.despine(ax=ax)
    return ax


@draw.register
def draw_trace(result: Trace, ax: Axes | None = None) -> Axes:
    """Draw each network's trace with its 95 % interval; hollow points are exact."""
    ax = axes_or_new(ax)
    frame = result.to_frame()
    reach = np.stack([frame["trace"] - frame["lower"], frame["upper"] - frame["trace"]])
    ax.errorbar(
        frame["network"],
        frame["trace"],
        yerr=None if result.exact else reach,
        fmt="o",
        markersize=4,
        capsize=3,
        color=sns.color_palette()[0],
        markerfacecolor="none" if result.exact else None,
    )
    ax.set(xlabel="network", ylabel=f"trace of the {MATRIX[result.kind]}", title=result.method)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    sns.despine(ax=ax)
    return ax


@draw.register
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
