"""Progress measures along training, and the spectrum of a loss curve."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from landscape.drawing.axes import axes_or_new
from landscape.errors import InvalidInput

if TYPE_CHECKING:
    from landscape.measures.progress import LossOscillation, Progress

#: Accuracy is drawn as it is, behind all else.
ACCURACY = {"train_accuracy": "0.75", "test_accuracy": "0.35"}


def draw_progress(result: Progress, ax: Axes | None = None, quantities: Iterable[str] | None = None) -> Axes:
    """Draw each quantity stretched from its smallest value (0) to its largest (1); the legend has both.

    Parameters
    ----------
    result : Progress
    ax : Axes, optional
    quantities : iterable of str, optional
        By default the first of each measure. Accuracies come along in grey, not stretched.

    Raises
    ------
    InvalidInput
        If one is not in the result.
    """
    ax = axes_or_new(ax, figsize=(8.4, 4.4))
    if quantities is None:
        wanted = [names[0] for measure, names in result.quantities.items() if measure != "performance"]
    else:
        wanted = [quantities] if isinstance(quantities, str) else list(quantities)
    for quantity in wanted:
        if quantity not in result.values:
            raise InvalidInput(f"quantities hold {quantity!r}, expected some of {', '.join(result.values)}")
    for quantity, grey in ACCURACY.items():
        if quantity in result.values and quantity not in wanted:
            label = quantity.replace("_", " ")
            ax.fill_between(result.steps, result.values[quantity], color=grey, alpha=0.25, linewidth=0, label=label)
    for quantity, colour in zip(wanted, sns.color_palette("husl", max(len(wanted), 1)), strict=True):
        values = result.values[quantity]
        low, high = _range(values)
        stretched = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
        label = f"{quantity.replace('_', ' ')} ({low:.3g} to {high:.3g})"
        ax.plot(result.steps, stretched, color=colour, linewidth=1.6, label=label)
        if quantity in result.standard_errors and high > low:
            half = 2 * result.standard_errors[quantity] / (high - low)
            ax.fill_between(result.steps, stretched - half, stretched + half, color=colour, alpha=0.2, linewidth=0)
    ax.set(xlabel="step", ylabel="from smallest to largest value", ylim=(-0.05, 1.05))
    ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    sns.despine(ax=ax)
    return ax


def draw_oscillation(result: LossOscillation, ax: Axes | None = None) -> Axes:
    """Draw the power of each frequency; the area under the bars is the activity."""
    ax = axes_or_new(ax)
    ax.bar(result.frequencies, result.power, width=1 / len(result.residual), color=sns.color_palette()[0])
    if np.isfinite(result.mobility):
        ax.axvline(result.mobility / (2 * np.pi), color="0.4", linestyle="--", label="mobility")
        ax.legend(frameon=False)
    what = "logarithm of the loss" if result.logarithmic else "loss"
    ax.set(xlabel="cycles per step", ylabel=f"power of the {what}", title=f"activity {result.activity:.3g}")
    sns.despine(ax=ax)
    return ax


def _range(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
