"""When to look: log-spaced records."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from grokscape.landscape.description import Description
from grokscape.landscape.errors import InvalidInput

#: Records of one training at most: as many rows as a stored table may have.
MOST_RECORDS = 5 * 10**6


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
        most = int(self._most(last))
        return len(self.steps(last)) if most <= 10_000 else most

    def steps(self, last: int) -> list[int]:
        """Return the steps of all records up to and including `last`, ascending.

        Raises
        ------
        InvalidInput
            If they are more than a store keeps; no list of them is made.
        """
        if self._most(last) > MOST_RECORDS:
            raise InvalidInput(
                f"{self!r} asks for up to {self._most(last):.3g} records of {last} steps, and a training is stored "
                f"with {MOST_RECORDS} at most; raise every, or take fewer steps"
            )
        exponents = np.arange(0, np.log10(max(last, 1)) + 1e-9, 1 / self.per_decade)
        logarithmic = map(int, np.round(10**exponents).tolist())
        return sorted({0, last, *(step for step in logarithmic if step <= last), *range(0, last + 1, self.every)})

    def _most(self, last: int) -> float:
        """Return an upper bound of the number of records."""
        logarithmic = self.per_decade * math.log10(max(last, 1))
        return min(float(int(logarithmic) + last // self.every + 3), last + 1.0)
