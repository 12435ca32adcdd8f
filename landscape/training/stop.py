"""When to stop early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grokscape.landscape.description import Description


@dataclass(frozen=True, kw_only=True)
class Stop(Description, kind="stop"):
    """End a run once a recorded quantity has stayed on one side of a level for several records.

    Parameters
    ----------
    quantity, split : str
        What to watch, as named in the trajectory.
    above, below : float, optional
        The level; exactly one of the two.
    records : int
        Consecutive records at which the condition must hold: a single crossing on a small held-out set is noise.
    """

    quantity: str
    split: Literal["train", "test", "unmirrored", ""] = "test"
    above: float | None = None
    below: float | None = None
    records: int = 3

    def words(self) -> str:
        side, level = ("above", self.above) if self.below is None else ("below", self.below)
        return f"{self.split} {self.quantity} {side} {level:g} in {self.records} records".lstrip()

    def validate(self) -> None:
        if (self.above is None) == (self.below is None):
            self.refuse("above", "exactly one of above and below")
        if self.records < 1:
            self.refuse("records", "at least 1")

    def holds(self, measured: dict[tuple[str, str], float]) -> bool:
        """Say whether the condition holds in one record, a mapping (split, quantity) -> value."""
        value = measured.get((self.split, self.quantity))
        if value is None:
            return False
        return value > self.above if self.above is not None else value < self.below  # type: ignore[operator]
