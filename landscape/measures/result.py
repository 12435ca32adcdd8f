"""What every instrument returns has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a measurement cost, in units that do not depend on the machine.

    Attributes
    ----------
    evaluations : int
        Losses of one network on the whole data, without a gradient.
    gradients : int
        Gradients of one network on the whole data.
    matvecs : int
        Products of one network's curvature matrix (on the whole data) with one vector; one costs about two gradients.
    """

    evaluations: int = 0
    gradients: int = 0
    matvecs: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            evaluations=self.evaluations + other.evaluations,
            gradients=self.gradients + other.gradients,
            matvecs=self.matvecs + other.matvecs,
        )


class Result(ABC):
    """A frozen measurement: estimate, its error, raw samples, whether it converged, its seed and cost.

    Subclasses are frozen, keyword-only dataclasses. They hold NumPy arrays and plain values, never tensors, and know
    nothing of how they are drawn: see `grokscape.landscape.drawing`.
    """

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Return the measurement as a tidy table."""

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the measurement on `ax`, or on a new figure, and return the axes.

        Parameters
        ----------
        ax : Axes, optional
        **options
            Those of the drawing of this kind of result, in `grokscape.landscape.drawing`.
        """
        from grokscape.landscape.drawing import draw  # measuring loads no plotting library

        return draw(self, ax, **options)
