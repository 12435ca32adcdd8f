"""Forms of sharpness, relative to the first network."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from grokscape.landscape.drawing import draw
from grokscape.landscape.drawing.axes import axes_or_new
from grokscape.landscape.measures.sharpness.forms import Sharpness


@draw.register
def draw_sharpness(result: Sharpness, ax: Axes | None = None) -> Axes:
    """Draw every form along the networks, as a multiple of the first network's; a single network as points.

    What has not converged is hollow; lower bounds are marked by a triangle.
    """
    ax = axes_or_new(ax)
    several = result.value.shape[1] > 1
    for index, (form, colour) in enumerate(zip(result.forms, sns.color_palette("tab10"), strict=False)):
        value = result.value[index]
        if several:
            value = value / value[0] if value[0] else np.full_like(value, np.nan)
        places = np.arange(len(value)) if several else np.array([index])
        ax.plot(places, value, color=colour, linewidth=1)
        for flag, face in ((True, colour), (False, "none")):
            some = result.converged[index] == flag
            ax.plot(
                places[some],
                value[some],
                "^" if result.lower_bound[index] else "o",
                color=colour,
                markerfacecolor=face,
                markersize=5,
                label=form if flag == bool(result.converged[index].any()) else None,
            )
    if several:
        ax.set(xlabel="network", ylabel="sharpness, relative to network 0")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    else:
        ax.set_xticks(range(len(result.forms)), result.forms, rotation=30, ha="right")
        ax.set(ylabel="sharpness")
    if np.all(result.value > 0):
        ax.set_yscale("log")
    sns.despine(ax=ax)
    return ax
