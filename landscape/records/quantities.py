"""What to say of a quantity that a record does not have: a learner may lack it, or whoever asks may misspell it."""

from __future__ import annotations

import difflib
import fnmatch
import importlib
from collections.abc import Collection, Iterable, Iterator

from grokscape.landscape.errors import InvalidInput, NotMeasured, UnknownQuantity
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.printable import short

#: Where the built-in learners are.
LEARNERS = ("grokscape.landscape.training.run", "grokscape.landscape.learners", "grokscape.landscape.surveys")

#: Where a quantity is recorded: split and name, "" for none.
Place = tuple[str, str]


def absent(experiment: Experiment, quantity: object, split: object, here: Collection[Place]) -> InvalidInput:
    """Return the exception for a quantity that a record lacks.

    Parameters
    ----------
    experiment : Experiment
    quantity, split : str
        What was asked for.
    here : collection of (split, quantity)
        What the record has.

    Returns
    -------
    InvalidInput
        `NotMeasured` if some learner records it; `UnknownQuantity` if nobody does, or this one on other splits.
    """
    where = f" on split {short(split)}" if split else ""
    kind, text = type(experiment).__name__, isinstance(quantity, str) and isinstance(split, str)
    splits = sorted({other for other, name in here if name == quantity})
    if splits and not (text and matches(declared(type(experiment)), str(quantity), str(split))):
        spelt = f"on split {' and '.join(map(repr, splits))}; name one" if any(splits) else "without split; name none"
        return UnknownQuantity(
            f"a record of {kind} has no {short(quantity)}{where or ' without split'}, but has it {spelt}"
        )
    if text and known(str(quantity), str(split)):
        others = ", ".join(sorted({name for other, name in here if other == split})) or "nothing"
        return NotMeasured(f"a record of {kind} has no {short(quantity)}{where}, only {others}")
    names = {name for _, name in here} or {name for _, name in declared(type(experiment)) if "*" not in name}
    has = nearest(str(quantity), names)
    return UnknownQuantity(f"no learner records a quantity {short(quantity)}{where}; a record of {kind} has {has}")


def known(quantity: str, split: str) -> bool:
    """Say whether some learner, built in or loaded, declares that it records a quantity on a split."""
    for room in LEARNERS:  # by name, as records know no learner; only where something is missing
        importlib.import_module(room)
    learners = _learners(Experiment)  # type: ignore[type-abstract]
    return any(matches(declared(learner), quantity, split) for learner in learners)


def declared(learner: type[Experiment]) -> list[Place]:
    """Return what a learner declares that it records; a name may hold a * for any text."""
    return [(split, name) for split, names in learner.quantities.items() for name in names]


def matches(places: Iterable[Place], quantity: str, split: str) -> bool:
    """Say whether a quantity on a split is one of those declared."""
    return any(split == other and fnmatch.fnmatchcase(quantity, name) for other, name in places)


def nearest(name: str, names: Collection[str], most: int = 3) -> str:
    """Return the names most like a name, or all where none is, as words."""
    alike = difflib.get_close_matches(name, sorted(names), most, 0.5) or sorted(names)[:12]
    more = f" ({len(names) - len(alike)} more)" if len(alike) < len(names) else ""
    return (", ".join(map(repr, alike)) or "nothing") + more


def _learners(base: type[Experiment]) -> Iterator[type[Experiment]]:
    for learner in base.__subclasses__():
        yield learner
        yield from _learners(learner)
