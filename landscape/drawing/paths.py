"""Pictures of the loss along a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from grokscape.landscape.drawing.axes import axes_or_new

if TYPE_CHECKING:
    from grokscape.landscape.measures.paths.straight import Path


def plot_path(measured: Path, ax: Axes | None = None) -> Axes:
    """Draw train and test loss from a to b, the ends' losses interpolated, and the barrier with its upper bound."""
    ax = axes_or_new(ax)
    sns.lineplot(measured.to_frame(), x="t", y="loss", hue="split", errorbar=None, ax=ax)
    ends = measured.train_loss[[0, -1]]
    ax.plot([0, 1], ends, color="0.5", linestyle=":", linewidth=1)
    if np.isfinite(measured.barrier_bound) and measured.barrier > 0:
        at = measured.barrier_at
        base = (1 - at) * ends[0] + at * ends[1]
        ax.plot([at, at], [base, base + measured.barrier], color="0.3", linewidth=1)
        ax.plot(at, base + measured.barrier_bound, marker="_", color="0.3", markersize=12)
    ax.set(xlabel="share of the path, t", ylabel="loss")
    ax.set_title(f"barrier between {measured.barrier:.3g} and {measured.barrier_bound:.3g}", fontsize="medium")
    ax.legend(title=None)
    return ax
