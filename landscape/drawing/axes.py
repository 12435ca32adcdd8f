"""What all pictures share."""

from __future__ import annotations

from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

#: What the kinds of curvature matrices are called.
MATRIX = {"hessian": "Hessian", "gauss_newton": "Gauss-Newton matrix"}


def axes_or_new(ax: Axes | None, **figure: Any) -> Axes:
    """Return the axes given, or those of a new figure.

    Parameters
    ----------
    ax : Axes or None
    **figure
        Options of `matplotlib.pyplot.subplots` for a new figure.
    """
    if ax is not None:
        return ax
    return plt.subplots(**({"figsize": (6.4, 4.0), "layout": "constrained"} | figure))[1]
