"""When a trajectory crosses a level, censored where it never did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Crossing:
    """A time to an event.

    Attributes
    ----------
    step : float
        The first record at which the level was crossed and stayed so; the last record if it never was.
    censored : bool
        True if the level was never crossed for good: the event, if any, lies beyond `step`.
    """

    step: float
    censored: bool


def first_crossing(
    steps: np.ndarray, values: np.ndarray, *, above: float | None = None, below: float | None = None, records: int = 3
) -> Crossing:
    """Return the first crossing that persists.

    A crossing counts if the values stay beyond the level for `records` consecutive records (or to the end, if fewer
    are left): on a small held-out set, a single record beyond a level is noise.

    Parameters
    ----------
    steps, values : array, shape (records,)
        Ascending steps and the quantity there.
    above, below : float
        The level; exactly one of the two. The comparison includes equality.
    records : int
        How long a crossing must persist.

    Raises
    ------
    ValueError
        Unless exactly one level is given, and there is at least one record.
    """
    if (above is None) == (below is None) or len(steps) == 0:
        raise ValueError("expected exactly one of above and below, and at least one record")
    beyond = values >= above if above is not None else values <= below
    for index in np.flatnonzero(beyond):
        if beyond[index : index + records].all():
            return Crossing(float(steps[index]), False)
    return Crossing(float(steps[-1]), True)
