"""How far a sweep is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class SweepProgress:
    """How far a sweep is.

    Attributes
    ----------
    total, done : float
        Work in multiplications: of all that was missing when it was asked for, and of what has been trained since.
    runs, runs_done : int
    seconds : float
        Since the start.
    eta : float or None
        Estimated seconds to go; None before there is anything to estimate them from.
    """

    total: float = 0.0
    runs: int = 0
    done: float = 0.0
    runs_done: int = 0
    seconds: float = 0.0
    eta: float | None = None

    @property
    def share(self) -> float | None:
        """The share of the time that has passed, None as long as the rest is unknown."""
        if self.eta is None:
            return None
        return self.seconds / (self.seconds + self.eta) if self.seconds + self.eta > 0 else 1.0
