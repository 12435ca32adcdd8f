"""What a finished training left behind, as its readers see it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from grokscape.landscape.experiment import Experiment, Weights
from grokscape.landscape.fits.crossing import Crossing, first_crossing
from grokscape.landscape.records.quantities import absent


@dataclass(frozen=True)
class Record:
    """A finished training.

    Attributes
    ----------
    experiment : Experiment
        What was asked for.
    trajectory : DataFrame
        Tidy: step, split, quantity, value.
    info : dict
        How it was done: last step, why it stopped, seconds, versions, device.
    load_weights : callable
        Step -> name -> array.
    """

    experiment: Experiment
    trajectory: pd.DataFrame
    info: dict[str, Any]
    load_weights: Callable[[int], Weights]

    def series(self, quantity: str, split: str = "") -> pd.Series:
        """Return a recorded quantity as a series indexed by step.

        Raises
        ------
        NotMeasured
            If it was not recorded for that split, and other learners record it.
        UnknownQuantity
            If no learner records anything of that name, or this one on other splits alone.
        """
        try:
            rows = self._places[quantity, split]
        except (KeyError, TypeError):
            here = [(other, name) for name, other in self._places]
            raise absent(self.experiment, quantity, split, here) from None
        steps, values = (self.trajectory[column].to_numpy() for column in ("step", "value"))
        return pd.Series(values[rows], index=pd.Index(steps[rows], name="step"), name="value")

    @functools.cached_property
    def _places(self) -> Mapping[Any, Any]:
        """Where each series stands in the table; remembered, because claims ask one record for many."""
        return self.trajectory.groupby(["quantity", "split"], sort=False).indices

    def final(self, quantity: str, split: str = "", *, share: float = 0.1) -> float:
        """Return the median of a quantity over the last `share` of the steps: single records catch passing spikes."""
        series = self.series(quantity, split)
        last = series.index[-1]
        return float(series[series.index >= (1 - share) * last].median())

    def drift(self, quantity: str, split: str = "", *, share: float = 0.25) -> float:
        """Return the relative change of a quantity over the last `share` of the steps, as a share of its last value."""
        series = self.series(quantity, split)
        tail = series[series.index >= (1 - share) * series.index[-1]]
        return float(abs(tail.iloc[-1] - tail.iloc[0]) / abs(tail.iloc[-1]))

    def crossing(
        self, quantity: str, split: str, *, above: float | None = None, below: float | None = None
    ) -> Crossing:
        """Return when a quantity first crossed a level for good enough; see `first_crossing`."""
        series = self.series(quantity, split)
        return first_crossing(series.index.to_numpy(), series.to_numpy(), above=above, below=below)

    def weights(self, step: int | None = None) -> Weights:
        """Return the weights kept at a step (the last by default), name -> array."""
        return self.load_weights(self.info["last_step"] if step is None else step)
