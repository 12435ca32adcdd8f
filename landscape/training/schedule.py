"""When to look: log-spaced records."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from landscape.description import Description


@dataclass(frozen=True, kw_only=True)
class Schedule(Description, kind="schedule"):
    """Record at step 0, at log-spaced steps, and at least every `every` steps.

    Parameters
    ----------
    per_decade : int
        Records per factor of ten.
    every : int
        Longest stretch without a record, in steps.
    """

    per_decade: int = 20
    every: int = 250

    def validate(self) -> None:
        for name in ("per_decade", "every"):
            if getattr(self, name) < 1:
                self.refuse(name, "at least 1")
        if self.per_decade > 1_000_000:
            self.refuse("per_decade", "at most 1000000", "record every step with every=1")

    def count(self, last: int) -> int:
        """Return how many records there are; exact for few, else an upper bound that no list is made for."""
        most = int(self.per_decade * math.log10(max(last, 1))) + last // self.every + 3
        return len(self.steps(last)) if most <= 10_000 else min(most, last + 1)

    def steps(self, last: int) -> list[int]:
        """Return the steps of all records up to and including `last`, ascending."""
        exponents = np.arange(0, np.log10(max(last, 1)) + 1e-9, 1 / self.per_decade)
        logarithmic = np.round(10**exponents).astype(int)
        regular = np.arange(0, last + 1, self.every)
        return sorted({0, last, *logarithmic.tolist(), *regular.tolist()})
