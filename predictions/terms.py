"""What a claim is made of: where it was made, what must hold, by which rule, and where it must not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.printable import short
from grokscape.predictions.rules import Decision, Rule, foreseen


class Setting(Mapping[str, Any]):
    """The circumstances of one arm, read as attributes: ``at.weight_decay``."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._values:
            raise AttributeError(f"the setting has no {name!r}, only {', '.join(self._values)}")
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a claim was made.

    Attributes
    ----------
    key : str
        Author and year, the first part of the claim's id: ``varma2023``.
    title, authors : str
    arxiv : str
        Identifier, such as ``2309.02390``; "" for what is not on arXiv.
    url : str
        Where else it can be read.
    """

    key: str
    title: str
    authors: str
    arxiv: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        for name in ("key", "title", "authors", "arxiv", "url"):
            if not isinstance(getattr(self, name), str):
                raise InvalidInput(f"the {name} of a source is {short(getattr(self, name))}, expected a text")


@dataclass(frozen=True)
class Calibrated:
    """What calibration found, on seeds that no verdict uses.

    Attributes
    ----------
    effect, spread : float
        The quantity that the rule decides on, and its standard deviation between seeds. For `Precedes` the ratio of
        times and the standard deviation of its logarithm; for `Monotone` the step from one level to the next (in the
        direction claimed) and the noise of a single value.
    seeds : str
        Which seeds.
    """

    effect: float
    spread: float
    seeds: str


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One condition of a claim; a claim holds if all of them do.

    Attributes
    ----------
    quantity : str
        As `measure` names it.
    at : float, optional
        At which level, for quantities measured at several.
    rule : Rule
    threshold_from : str
        Where the threshold comes from, in words.
    calibrated : Calibrated, optional
        What calibration found at the quick tier; gives the rule's power. ``grokscape calibrate`` finds it, and a claim
        is not checked without it.
    """

    quantity: str
    rule: Rule
    threshold_from: str
    calibrated: Calibrated | None = None
    at: float | None = None

    @property
    def foreseen(self) -> Decision:
        """What a thousand seeds like those of calibration would decide; undecided for what is not calibrated."""
        if self.calibrated is None:
            return Decision.UNDECIDED
        return foreseen(self.rule, effect=self.calibrated.effect, spread=self.calibrated.spread)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What must be so, in every seed, before a claim can be judged at all.

    Attributes
    ----------
    quantity : str
        As `measure` names it; where measured at several levels, the gate holds at each.
    above, below : float, optional
        Exactly one.
    controls : bool
        Whether the gate applies to the controls too.
    """

    quantity: str
    above: float | None = None
    below: float | None = None
    controls: bool = True

    def __post_init__(self) -> None:
        if (self.above is None) == (self.below is None):
            raise InvalidInput(f"the gate on {self.quantity!r} has neither or both of above and below; give one")


@dataclass(frozen=True)
class Control:
    """The same measurement where the effect must vanish.

    Attributes
    ----------
    name : str
        How the report calls it.
    changes : mapping
        What is set differently from the claim's own setting.
    why : str
        Why the theory says that the effect vanishes here.
    """

    name: str
    changes: Mapping[str, Any]
    why: str


@dataclass(frozen=True)
class Tier:
    """At which scale a claim is checked: the seeds that judge it, and the setting."""

    seeds: tuple[int, ...]
    setting: Mapping[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", plain_seeds(self.seeds))


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """A change of a claim after it was first judged.

    Attributes
    ----------
    date : str
        When, as 2026-11-30; "" where it is not on record.
    what : str
        What was changed.
    why : str
        What made it necessary.
    seeds : str
        Which seeds had judged before; "" if they judge still.
    """

    date: str
    what: str
    why: str
    seeds: str = ""

    def __post_init__(self) -> None:
        for name in ("date", "what", "why", "seeds"):
            if not isinstance(getattr(self, name), str):
                raise InvalidInput(f"the {name} of an amendment is {short(getattr(self, name))}, expected a text")
        if self.date and not re.fullmatch(r"\d{4}-\d\d-\d\d", self.date):
            raise InvalidInput(f"the date of an amendment is {short(self.date)}, expected one such as 2026-11-30")


def plain_seeds(seeds: Any) -> Any:
    """Return seeds as a tuple of Python's own integers, which JSON knows; what is no such sequence as it is."""
    if isinstance(seeds, str | Set | Mapping) or not isinstance(seeds, Iterable):
        return seeds  # which a claim refuses
    return tuple(int(seed) if isinstance(seed, Integral) and not isinstance(seed, bool) else seed for seed in seeds)
