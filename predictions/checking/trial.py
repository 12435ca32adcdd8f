"""Claims are tried on made-up records before anything is trained: a misspelling shows in a second, not in an hour.

A claim may rightly refuse what is made up, so only what no numbers can excuse counts: names, labels and types that do
not exist, and measurements that are none or that lack what is to be decided, whatever story the records tell.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from grokscape.landscape.errors import InvalidInput, Unavailable, UnknownQuantity
from grokscape.landscape.records.quantities import nearest
from grokscape.predictions.checking.claim_functions import ClaimError, NoMeasurement, asked, measured, said
from grokscape.predictions.checking.made_up import STORIES, MadeUpRecord, Story
from grokscape.predictions.checking.required import require_decided
from grokscape.predictions.drawn import require_drawn
from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.terms import Setting

if TYPE_CHECKING:
    from grokscape.predictions.checking.pending import Pending

#: What numbers do not cause.
MISTAKES = (NameError, AttributeError, KeyError, TypeError, ImportError, UnknownQuantity, NoMeasurement)


class TrialError(InvalidInput):
    """What a claim measures of made-up records cannot be right."""


def refuse_untried(item: Pending) -> None:
    """Try what a claim measures on made-up records of one seed of each arm; silent where that is impossible.

    Raises
    ------
    TrialError
        Says what is wrong, as it would be found after training.
    """
    mistakes: list[Exception] = []
    for story in STORIES:
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # of what is made of made-up numbers
                refuse_undrawn(item, measure(item, story), story)
        except Unavailable:
            return
        except (ClaimError, InvalidInput) as error:
            if not isinstance(error, Unmeasured) and not isinstance(error.__cause__, MISTAKES):
                return  # that may be the made-up numbers' fault
            mistakes.append(error)
        else:
            return
    raise TrialError(f"Tried on made-up records, before training: {said(mistakes[0])}") from mistakes[0]


class Unmeasured(InvalidInput):
    """Something is decided or drawn that is not measured, or changed that nothing looks at."""


class Watched(Setting):
    """A setting that notes what is read of it."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self._read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self._read.add(name)
        return super().__getitem__(name)

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        self._read.add(name)
        return value

    def unread(self, names: Iterable[str]) -> list[str]:
        """Return those of some names that nothing has read."""
        return [name for name in names if name not in self._read]


def refuse_undrawn(item: Pending, found: list[Observation], story: Story) -> None:
    """Refuse a figure that names what no tier measures: what one draws another may lack."""
    claim = item.prediction
    try:
        require_drawn(claim, Evidence(found), of_all_tiers=True)
    except InvalidInput as error:
        elsewhere = [type(item).of(claim, tier, vet=False) for tier in claim.tiers if tier != item.tier]
        everything = [*found, *(observation for other in elsewhere for observation in measure(other, story))]
        try:
            require_drawn(claim, Evidence(everything), of_all_tiers=True)
        except InvalidInput:
            raise Unmeasured(str(error)) from None


def measure(item: Pending, story: Story) -> list[Observation]:
    """Return what a claim measures of one made-up seed of each arm."""
    claim = item.prediction
    changes: dict[str, Mapping[str, Any]] = {control.name: control.changes for control in claim.controls}
    observations: list[Observation] = []
    for arm, values in claim.arms(item.tier).items():
        at, seed = Watched(values), claim.tiers[item.tier].seeds[0]
        runs = asked("runs", claim.runs, seed, at, arm=arm, seed=seed)
        records = {label: MadeUpRecord(run, story) for label, run in runs.items()}
        for _ in range(claim.rounds):
            assert claim.refine is not None
            more = asked("refine", claim.refine, seed, at, records, arm=arm, seed=seed)
            records = {label: MadeUpRecord(run, story) for label, run in more.items()} | records
        observations += measured(claim.measure, records, at, arm=arm, seed=seed)
        unread = at.unread(changes.get(arm, {}))
        if unread and len(unread) == len(changes[arm]):
            raise Unmeasured(
                f"the control {arm!r} changes {unread[0]!r}, which neither runs nor measure reads; they read "
                f"{nearest(unread[0], at.keys() - unread)}: correct the name, or the control is the claim itself"
            )
    try:
        require_decided(claim, observations)
    except InvalidInput as error:
        raise Unmeasured(str(error)) from None
    return observations
