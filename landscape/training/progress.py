"""How far a sweep is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Progress:
    """How far a sweep is.

    Attributes
    ----------
    total, done : float
        Work in multiplications: of all that was missing when it was asked for, and of what has been trained since.
    runs, runs_done : int
    before : float
        The part of `done` that an earlier, interrupted sweep did.
    seconds : float
        Since the start.
    """

    total: float = 0.0
    runs: int = 0
    done: float = 0.0
    before: float = 0.0
    runs_done: int = 0
    seconds: float = 0.0

    @property
    def eta(self) -> float | None:
        """Estimated seconds to go, None before there is enough to estimate it from."""
        here = self.done - self.before
        if here <= 0.005 * self.total or self.seconds < 3:
            return None
        return self.seconds * (self.total - self.done) / here
