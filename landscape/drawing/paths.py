"""The loss along paths and lines, and on planes."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from grokscape.landscape.drawing import draw
from grokscape.landscape.drawing.axes import axes_or_new
from grokscape.landscape.measures.paths.slices import Plane, Slice
from grokscape.landscape.measures.paths.straight import Path

#: From this ratio of largest to smallest loss on, the scale is logarithmic.
WIDE = 30.0


@draw.register
def draw_path(measured: Path, ax: Axes | None = None) -> Axes:
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


@draw.register
def draw_line(measured: Slice, ax: Axes | None = None) -> Axes:
    """Draw train and test loss along a line."""
    ax = axes_or_new(ax)
    sns.lineplot(measured.to_frame(), x="offset", y="loss", hue="split", errorbar=None, ax=ax)
    ax.axvline(0, color="0.7", linewidth=0.8, zorder=0)
    if wide(measured.train_loss):
        ax.set_yscale("log")
    ax.set(xlabel="offset along the direction", ylabel="loss")
    ax.legend(title=None)
    return ax


@draw.register
def draw_plane(measured: Plane, ax: Axes | None = None) -> Axes:
    """Draw contours of the training loss on a plane, spaced evenly in the logarithm if the loss ranges widely."""
    ax = axes_or_new(ax, figsize=(5.6, 4.6))
    loss = np.ma.masked_invalid(measured.train_loss.T)
    low, high = float(loss.min()), float(loss.max())
    logarithmic = wide(measured.train_loss)
    if high <= low:  # contours of a constant would have no levels
        high = low + max(abs(low), 1.0) * 1e-6
    levels = np.geomspace(low, high, 16) if logarithmic else np.linspace(low, high, 16)
    filled = ax.contourf(
        measured.first,
        measured.second,
        loss,
        levels=levels,
        cmap="mako_r",
        norm=LogNorm(low, high) if logarithmic else None,
    )
    ax.contour(measured.first, measured.second, loss, levels=levels, colors="white", linewidths=0.4, alpha=0.6)
    bar = ax.figure.colorbar(filled, ax=ax, label="training loss", ticks=levels[::3])
    bar.ax.set_yticklabels([f"{level:.2g}" for level in levels[::3]])
    bar.ax.minorticks_off()
    ax.plot(0, 0, marker="+", color="white", markersize=10)
    ax.set(xlabel="offset along the first direction", ylabel="offset along the second direction")
    return ax


def wide(loss: np.ndarray) -> bool:
    """Whether losses are positive and range so widely that a logarithmic scale suits them."""
    finite = loss[np.isfinite(loss)]
    return bool(finite.size and finite.min() > 0 and finite.max() > WIDE * finite.min())
