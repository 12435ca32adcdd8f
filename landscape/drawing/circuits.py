"""The parts of one network beside the whole and beside chance."""

from __future__ import annotations

import seaborn as sns
from matplotlib.axes import Axes

from grokscape.landscape.drawing import draw
from grokscape.landscape.drawing.axes import axes_or_new
from grokscape.landscape.measures.circuits.split import Split


@draw.register
def draw_circuits(result: Split, ax: Axes | None = None) -> Axes:
    """Draw the accuracy of the whole, its two circuits and the nulls (mean and range), norms beneath their names."""
    ax = axes_or_new(ax)
    frame = result.to_frame()
    sns.barplot(frame, x="circuit", y="accuracy", hue="split", errorbar=("pi", 100), capsize=0.2, ax=ax)
    norms = frame.groupby("circuit", sort=False)["norm"].mean()
    ax.set_xticks(range(len(norms)), [f"{name}\nnorm {norm:.3g}" for name, norm in norms.items()])
    ax.set(xlabel="", ylim=(0, 1.05), title=f"split by {result.method}: trust {result.trust:.2f}")
    ax.legend(frameon=False, fontsize="small", loc="upper right")
    sns.despine(ax=ax)
    return ax
