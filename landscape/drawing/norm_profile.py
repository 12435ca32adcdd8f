"""The picture of a reduced loss landscape."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from grokscape.landscape.drawing import draw
from grokscape.landscape.drawing.axes import axes_or_new
from grokscape.landscape.measures.norm_profile.result import NormProfile

COLOURS = {"train": "C0", "test": "C1"}


@draw.register
def draw_norm_profile(
    profile: NormProfile, ax: Axes | None = None, *, size: int | None = None, best: bool = False
) -> Axes:
    """Draw train and test loss over the norm: geometric means over seeds, and every network as a point.

    Networks that did not converge are crosses and take no part in the means. The shaded band is the interval of the
    critical norm.

    Parameters
    ----------
    profile : NormProfile
    ax : Axes, optional
    size : int, optional
        Number of training examples; by default the largest.
    best : bool
        Also draw the best seen over training, dashed.
    """
    ax = axes_or_new(ax)
    size = int(profile.sizes.max()) if size is None else size
    converged = profile.converged[int(np.flatnonzero(profile.sizes == size)[0])]
    grid = np.broadcast_to(profile.scales[:, None], converged.shape)
    for split, colour in COLOURS.items():
        for when in ("end", "best") if best else ("end",):
            losses = np.maximum(profile.losses(split, when=when, size=size), profile.zero_loss)  # type: ignore[arg-type]
            kept = np.where(converged, np.log(losses), np.nan)
            some = converged.any(1)
            mean = np.exp(np.nanmean(kept[some], axis=1))
            shape = profile.shape(split, when=when, size=size)  # type: ignore[arg-type]
            label = f"{split}, {'at the end' if when == 'end' else 'best seen'} ({shape.kind})"
            ax.plot(profile.scales[some], mean, color=colour, linestyle="-" if when == "end" else "--", label=label)
            if when == "end":
                ax.plot(grid[converged], losses[converged], ".", color=colour, alpha=0.5)
                ax.plot(grid[~converged], losses[~converged], "x", color=colour, alpha=0.7)
    if not converged.all():
        ax.plot([], [], "x", color="grey", label="not converged")
    _mark_minimum(profile, ax, size)
    ax.set(
        xscale="log", yscale="log", ylabel="loss", xlabel="weight norm" if profile.absolute else "weight norm / initial"
    )
    ax.legend(frameon=False)
    sns.despine(ax=ax)
    return ax


def _mark_minimum(profile: NormProfile, ax: Axes, size: int) -> None:
    found = profile.critical_norm(unit="norm" if profile.absolute else "scale", size=size)
    if np.isfinite(found.estimate):
        ax.axvline(found.estimate, color="grey", linestyle=":", label=f"critical norm {found.estimate:.2g}")
        low, high = (np.clip(end, *ax.get_xlim()) for end in (found.low, found.high))
        if low > 0:
            ax.axvspan(low, high, color="grey", alpha=0.15, linewidth=0)
