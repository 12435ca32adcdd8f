"""What one run has recorded so far, and whether it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from grokscape.landscape.experiment import Weights
from grokscape.landscape.training.measurements import Measured

if TYPE_CHECKING:
    from grokscape.landscape.training.run import Run


@dataclass
class RunLog:
    """What one run has recorded so far, and how long each of its stop rules has held."""

    run: Run
    rows: list[tuple[int, str, str, float]] = field(default_factory=list)
    weights: dict[int, Weights] = field(default_factory=dict)
    held: list[int] = field(default_factory=list)
    recorded: int = -1
    arithmetic: list[str] = field(default_factory=list)

    def record(self, step: int, measured: Measured) -> str | None:
        """Take in one record; return why the run ends here, or None."""
        self.rows += [(step, split, quantity, value) for (split, quantity), value in measured.items()]
        self.recorded = step
        self.held = [
            count + 1 if stop.holds(measured) else 0 for stop, count in zip(self.run.stop, self.held, strict=True)
        ]
        for stop, count in zip(self.run.stop, self.held, strict=True):
            if count >= stop.records:
                return stop.canonical
        if not all(np.isfinite(value) for (_, quantity), value in measured.items() if quantity == "weight_norm"):
            return "diverged"
        return "steps" if step == self.run.steps else None
