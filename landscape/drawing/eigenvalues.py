"""Eigenvalues, by rank or along checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from grokscape.landscape.drawing.axes import MATRIX, axes_or_new

if TYPE_CHECKING:
    from grokscape.landscape.measures.curvature.eigenvalues import Eigenvalues


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
