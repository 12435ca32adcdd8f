"""What one training records, as it comes, for learners that are trained one after the other."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pandas as pd

from grokscape.landscape.experiment import COLUMNS, Outcome, Weights


class TrainingLog:
    """The table of one training, its time, and what it leaves behind."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._rows: list[tuple[int, str, str, float]] = []

    def note(self, step: int, values: Mapping[tuple[str, str], float]) -> None:
        """Record values at a step, by split and quantity."""
        self._rows += [(step, split, quantity, float(value)) for (split, quantity), value in values.items()]

    def outcome(self, last: int, weights: Weights) -> Outcome:
        """Return what the training leaves behind, with the weights at its last step."""
        info = {"last_step": last, "stopped_by": "steps", "seconds": time.perf_counter() - self._began, "ensemble": 1}
        return Outcome(pd.DataFrame(self._rows, columns=list(COLUMNS)), {last: weights}, info)
