"""What was measured for a claim: one number per arm, seed and quantity."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from predictions.rules import Sample

if TYPE_CHECKING:
    import pandas as pd

#: Name of the arm that the claim is about; all other arms are controls.
CLAIM = "claim"


@dataclass(frozen=True)
class Measurement:
    """One number from one seed.

    Attributes
    ----------
    quantity : str
        What was measured, in words a reader of the report understands.
    value : float
    at : float, optional
        The level it was measured at (a data fraction, a weight decay), for quantities that form a curve.
    censored : bool
        True for a time to an event that had not come by `value`.
    """

    quantity: str
    value: float
    at: float | None = None
    censored: bool = False


def trace(series: pd.Series, quantity: str, points: int = 40) -> Iterator[Measurement]:
    """Yield a recorded series as measurements at about `points` log-spaced steps: enough to draw it, no more."""
    positive = series[series.index > 0]
    wanted = np.unique(np.linspace(0, len(positive) - 1, min(points, len(positive))).round().astype(int))
    chosen = positive.iloc[wanted]
    for step, value in zip(chosen.index.to_numpy(), chosen.to_numpy(), strict=True):
        yield Measurement(quantity, float(value), at=float(step))


@dataclass(frozen=True)
class Observation(Measurement):
    """A measurement with its place: which arm and which seed."""

    arm: str = CLAIM
    seed: int = 0


@dataclass(frozen=True)
class Evidence:
    """All observations of one claim."""

    observations: tuple[Observation, ...]

    @classmethod
    def from_data(cls, rows: Iterable[dict[str, Any]]) -> Evidence:
        """Rebuild evidence from what `to_data` returned."""
        return cls(tuple(Observation(**row) for row in rows))

    def to_data(self) -> list[dict[str, Any]]:
        """Return the observations as JSON-able rows."""
        return [asdict(observation) for observation in self.observations]

    def require(self, quantity: str, *, arm: str, at: float | None, seeds: Iterable[int]) -> None:
        """Refuse evidence in which a quantity is missing, or measured twice, for any of the seeds of an arm.

        Raises
        ------
        ValueError
            A seed that is left out would be a seed chosen after looking.
        """
        chosen = [o for o in self.observations if o.arm == arm and o.quantity == quantity and at in (None, o.at)]
        places = [(o.seed, o.at) for o in chosen]
        missing = sorted(set(seeds) - {o.seed for o in chosen})
        if missing:
            raise ValueError(f"{quantity!r} was not measured for seed {missing[0]} in arm {arm!r}")
        if len(set(places)) < len(places):
            raise ValueError(f"{quantity!r} was measured twice for one seed and level in arm {arm!r}")
        wrong = [o for o in chosen if not math.isfinite(o.value)]
        if wrong:
            raise ValueError(f"{quantity!r} is {wrong[0].value} for seed {wrong[0].seed} in arm {arm!r}")

    def sample(self, quantity: str, *, arm: str = CLAIM, at: float | None = None) -> Sample:
        """Return a quantity over the seeds of an arm, in the order of seeds.

        Measured at several levels and asked for at none in particular, it has a column for each level.

        Raises
        ------
        KeyError
            If nothing of the kind was observed.
        ValueError
            If seeds were measured at different levels.
        """
        chosen = [o for o in self.observations if o.arm == arm and o.quantity == quantity and at in (None, o.at)]
        if not chosen:
            raise KeyError(f"nothing was measured as {quantity!r} (at {at}) in arm {arm!r}")
        levels = sorted({o.at for o in chosen if o.at is not None})
        seeds = sorted({o.seed for o in chosen})
        by_place = {(o.seed, o.at): o for o in chosen}
        if at is not None or not levels:
            places = [[by_place.get((seed, at))] for seed in seeds]
        else:
            places = [[by_place.get((seed, level)) for level in levels] for seed in seeds]
        if any(o is None for row in places for o in row):
            raise ValueError(f"{quantity!r} was not measured at the same levels for every seed of arm {arm!r}")
        values = np.array([[o.value for o in row if o] for row in places])
        censored = np.array([[o.censored for o in row if o] for row in places])
        if at is not None or not levels:
            return Sample.of(values[:, 0], censored[:, 0])
        return Sample.of(values, censored, levels)
