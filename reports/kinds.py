"""Whose claims are: what a source states is counted first, and everything else apart from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from grokscape.predictions.prediction import KINDS

T = TypeVar("T")


@dataclass(frozen=True)
class Kind:
    """Whose claim it is, in words.

    Attributes
    ----------
    name : str
        One of `grokscape.predictions.prediction.KINDS`; "" if it is not on record.
    one, several : str
        How claims of this kind are called.
    whose : str
        What the page says of one; "" if nothing is known.
    """

    name: str
    one: str
    several: str
    whose: str

    def count(self, n: int) -> str:
        """Return "1 extension", "7 extensions"."""
        return f"{n} {self.one if n == 1 else self.several}"


STATED, *_APART = (
    Kind("stated", "claim that the paper states", "claims that the paper states", "stated by its source"),
    Kind(
        "extension",
        "extension",
        "extensions",
        "an extension: its source’s claim, held to another learner, task or range, or at a strength that the source "
        "does not give; it is not counted for or against the source",
    ),
    Kind(
        "rival",
        "rival reading",
        "rival readings",
        "a rival reading, which contradicts the paper that it is about; it is not counted for or against the source",
    ),
    Kind("ours", "claim of our own", "claims of our own", "this project’s own; no source is held to it"),
)
#: Of verdicts from before claims had kinds.
UNRECORDED = Kind("", "claim whose kind is not on record", "claims whose kind is not on record", "")
_KNOWN = {kind.name: kind for kind in (STATED, *_APART, UNRECORDED)}


def kind(name: str) -> Kind:
    """Return what is known of a kind; one of a later version stands for itself."""
    return _KNOWN.get(name) or Kind(name, f"claim of kind {name}", f"claims of kind {name}", name)


def parted(items: Iterable[T], kind_of: Callable[[T], str]) -> tuple[Sequence[T], list[tuple[Kind, Sequence[T]]]]:
    """Part what sources state, which is counted first, from all else.

    Parameters
    ----------
    items : iterable
    kind_of : callable
        Item -> name of its kind; "" if it is not on record.

    Returns
    -------
    first : sequence
        What sources state; all items where no item's kind is on record.
    apart : list of (Kind, sequence)
        The others by kind: extensions, rival readings, ours, kinds of later versions, and those without.
    """
    groups: dict[str, list[T]] = {}
    for item in items:
        groups.setdefault(kind_of(item), []).append(item)
    if groups.keys() <= {""}:
        return groups.get("", []), []
    first = groups.pop(STATED.name, [])
    order = [*KINDS, *sorted(groups.keys() - {*KINDS, ""}), ""]
    return first, [(kind(name), groups[name]) for name in order if name in groups]
