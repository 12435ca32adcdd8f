"""Traces with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from grokscape.landscape.drawing.axes import MATRIX, axes_or_new

if TYPE_CHECKING:
    from grokscape.landscape.measures.curvature.traces import Trace


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
