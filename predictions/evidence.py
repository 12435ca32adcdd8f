"""What was measured for a claim: one number per arm, seed and quantity."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from grokscape.predictions.rules import Sample

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


def by_step(series: pd.Series, quantity: str, points: int = 40) -> Iterator[Measurement]:
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


class Observations(Sequence[Observation]):
    """Observations in columns: about 30 bytes each, where an object of its own would take ten times that.

    Parameters
    ----------
    observations : iterable of Observation
    """

    def __init__(self, observations: Iterable[Observation] = ()) -> None:
        values, levels, censored = array("d"), array("d"), bytearray()
        names: tuple[dict[Any, int], ...] = ({}, {}, {})
        codes = array("i"), array("i"), array("i")
        for o in observations:
            values.append(math.nan if o.value is None else o.value)  # as in a verdict that was read from a file
            levels.append(math.nan if o.at is None else o.at)  # no level is not a number
            censored.append(o.censored)
            for known, column, name in zip(names, codes, (o.quantity, o.arm, o.seed), strict=True):
                column.append(known.setdefault(name, len(known)))
        self._values, self._levels = np.array(values), np.array(levels)
        self._censored = np.frombuffer(censored, bool)
        self._names = tuple(list(known) for known in names)
        self._codes = tuple(np.array(column) for column in codes)

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Observation]:
        return self._taken(slice(None))

    @overload
    def __getitem__(self, index: int) -> Observation: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Observation, ...]: ...
    def __getitem__(self, index: int | slice) -> Observation | tuple[Observation, ...]:
        if isinstance(index, slice):
            return tuple(self._taken(index))
        return next(self._taken([range(len(self))[index]]))

    def of(self, quantity: str, arm: str, at: float | None) -> list[Observation]:
        """Return what was measured of a quantity in an arm: at a level, or (None) at all of them and at none."""
        wanted = np.ones(len(self), bool)
        for known, column, name in zip(self._names, self._codes, (quantity, arm), strict=False):
            wanted &= column == known.index(name) if name in known else False
        if at is not None:
            wanted &= self._levels == at
        return list(self._taken(wanted))

    def _taken(self, places: slice | list[int] | np.ndarray) -> Iterator[Observation]:
        """Yield what stands at some places, in their order."""
        quantities, arms, seeds = (
            [known[code] for code in column[places].tolist()]
            for known, column in zip(self._names, self._codes, strict=True)
        )
        numbers = (column[places].tolist() for column in (self._values, self._levels, self._censored))
        for quantity, arm, seed, value, level, censored in zip(quantities, arms, seeds, *numbers, strict=True):
            yield Observation(quantity, value, None if math.isnan(level) else level, censored, arm, seed)

    def __eq__(self, other: object) -> bool:
        return _equal(self, other)

    __hash__ = None  # type: ignore[assignment]


class Rows(Sequence[dict[str, Any]]):
    """Observations as rows of JSON-able data, made when they are asked for; a value that is no finite number is None.

    Parameters
    ----------
    observations : Observations
    """

    def __init__(self, observations: Observations) -> None:
        self.observations = observations

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> Rows:
        """Keep rows in columns."""
        return cls(Observations(Observation(**row) for row in rows))

    def __len__(self) -> int:
        return len(self.observations)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(_row, self.observations)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        found = self.observations[index]
        return [_row(o) for o in found] if isinstance(found, tuple) else _row(found)

    def __eq__(self, other: object) -> bool:
        return _equal(self, other)

    __hash__ = None  # type: ignore[assignment]


def _row(o: Observation) -> dict[str, Any]:
    row = dict(vars(o))
    return row if math.isfinite(o.value) else row | {"value": None}


def _equal(mine: Sequence[object], other: object) -> bool:
    """Compare two sequences of any kind, item by item."""
    if not isinstance(other, Sequence):
        return NotImplemented
    return len(mine) == len(other) and all(a == b for a, b in zip(mine, other, strict=True))


@dataclass(frozen=True)
class Evidence:
    """All observations of one claim.

    Parameters
    ----------
    observations : iterable of Observation
        Kept as `Observations`.
    """

    observations: Observations

    def __init__(self, observations: Iterable[Observation]) -> None:
        kept = observations if isinstance(observations, Observations) else Observations(observations)
        object.__setattr__(self, "observations", kept)

    @classmethod
    def from_data(cls, rows: Iterable[Mapping[str, Any]]) -> Evidence:
        """Rebuild evidence from what `to_data` returned."""
        return cls(Observation(**row) for row in rows)

    def to_data(self) -> Rows:
        """Return the observations as JSON-able rows."""
        return Rows(self.observations)

    def require(self, quantity: str, *, arm: str, at: float | None, seeds: Iterable[int]) -> None:
        """Refuse evidence in which a quantity is missing, or measured twice, for any of the seeds of an arm.

        Raises
        ------
        ValueError
            A seed that is left out would be a seed chosen after looking.
        """
        chosen = self.observations.of(quantity, arm, at)
        places = [(o.seed, o.at) for o in chosen]
        missing = sorted(set(seeds) - {o.seed for o in chosen})
        if missing:
            raise ValueError(f"{quantity!r} was not measured for seed {missing[0]} in arm {arm!r}")
        if len(set(places)) < len(places):
            raise ValueError(f"{quantity!r} was measured twice for one seed and level in arm {arm!r}")
        wrong = [o for o in chosen if not math.isfinite(o.value)]
        if wrong:
            raise ValueError(f"{quantity!r} is {wrong[0].value} for seed {wrong[0].seed} in arm {arm!r}")

    def seeds(self, quantity: str, *, arm: str = CLAIM, at: float | None = None) -> list[int]:
        """Return the seeds of an arm for which a quantity was measured, in order."""
        return sorted({o.seed for o in self.observations.of(quantity, arm, at)})

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
        chosen = self.observations.of(quantity, arm, at)
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
