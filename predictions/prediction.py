"""A claim from the literature, with everything needed to check it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.printable import short
from grokscape.predictions.evidence import CLAIM, Measurement
from grokscape.predictions.figures import Curve, PhaseDiagram, PhasePortrait
from grokscape.predictions.malformed import refuse_parts, refuse_seeds, refuse_values
from grokscape.predictions.rules import Decision
from grokscape.predictions.terms import (
    Amendment,
    Control,
    Criterion,
    Gate,
    Setting,
    Source,
    Tier,
    plain_seeds,
)
from grokscape.predictions.verdict import Status

if TYPE_CHECKING:
    from grokscape.landscape.experiment import Experiment
    from grokscape.landscape.records.record import Record

#: The scales at which a claim can be checked: minutes on two cores, hours on a CPU, the paper's own.
TIERS = ("quick", "standard", "paper")

#: Characters of an id, which names a file: file systems take 255 bytes or 143, and unfinished files have 15 more.
LONGEST_ID = 120


#: Whose claim it is: stated by its source; a source's claim held to another learner, task or range, or at a strength
#: that it does not give; a reading that contradicts the source, or what it is about; or this project's.
KINDS = ("stated", "extension", "rival", "ours")


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A claim, and how it is held to the evidence.

    Parameters
    ----------
    id : str
        ``<source key>.<name>``; permanent and never used for anything else.
    claim : str
        The claim in one sentence.
    source : Source
    where : str
        Section, figure or theorem.
    theory : str
        The explanation of grokking that it belongs to.
    runs : callable
        ``runs(seed, at) -> {label: Experiment}``: what one seed needs in a `Setting`.
    measure : callable
        ``measure(records, at) -> iterable of Measurement``: what one seed's records show. The seed (initialisation and
        split) is the unit of replication: whatever is fitted is fitted within a seed.
    refine : callable, optional
        ``refine(seed, at, records) -> {label: Experiment}``: what one seed needs besides, seen what its runs left so
        far (a size between two that were tried). Called again with the new records until it returns nothing new; what
        it asks for must follow from the records alone. `measure` gets the records of all.
    rounds : int
        How often `refine` may have runs trained; one that asks for more after so many rounds is an error. Plans count
        one run for each curve of a seed and round; labels of one curve have the same text before their last slash.
    criteria : tuple of Criterion
        All must be corroborated.
    controls : tuple of Control
        At least one. A control that meets all criteria makes the verdict INVALID.
    tiers : mapping
        Tier name -> `Tier`.
    calibration_seeds : tuple of int
        Used to set thresholds; disjoint from the seeds of every tier.
    gates : tuple of Gate
    curves : tuple of Curve
    maps : tuple of PhaseDiagram
    portraits : tuple of PhasePortrait
    disputes : tuple of str
        Ids of the claims that this one contradicts or refines; the report lays them side by side.
    needs : mapping
        Package that must be importable -> how to install it.
    kind : str
        One of `KINDS`.
    amendments : tuple of Amendment
        What was changed after seeds had judged, in order.
    notes : str
        What a reader should know: known pitfalls, departures from the paper.

    Raises
    ------
    InvalidInput
        If the id does not fit the source, or there is no control, criterion or tier, or seeds are used twice, or
        there is one of refine and rounds without the other, or a control changes what no tier sets.
    """

    id: str
    claim: str
    source: Source
    where: str
    theory: str
    runs: Callable[[int, Setting], Mapping[str, Experiment]]
    measure: Callable[[Mapping[str, Record], Setting], Iterable[Measurement]]
    criteria: tuple[Criterion, ...]
    controls: tuple[Control, ...]
    tiers: Mapping[str, Tier]
    calibration_seeds: tuple[int, ...]
    refine: Callable[[int, Setting, Mapping[str, Record]], Mapping[str, Experiment]] | None = None
    rounds: int = 0
    gates: tuple[Gate, ...] = ()
    curves: tuple[Curve, ...] = ()
    maps: tuple[PhaseDiagram, ...] = ()
    portraits: tuple[PhasePortrait, ...] = ()
    disputes: tuple[str, ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict)
    kind: str = "stated"
    amendments: tuple[Amendment, ...] = ()
    notes: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.id, str):
            raise InvalidInput(f"the id is {short(self.id)}, expected a text")
        for name in ("claim", "where", "theory", "notes"):
            if not isinstance(getattr(self, name), str):
                raise InvalidInput(f"the {name} of {self.id!r} is {short(getattr(self, name))}, expected a text")
        refuse_parts(self, PARTS)
        if not isinstance(self.source, Source):
            raise InvalidInput(f"the source of {self.id!r} is {short(self.source)}, expected a Source")
        if self.kind not in KINDS:
            raise InvalidInput(f"the kind of {self.id!r} is {short(self.kind)}, expected one of {', '.join(KINDS)}")
        for name in ("tiers", "needs"):
            if not isinstance(getattr(self, name), Mapping):
                raise InvalidInput(f"the {name} of {self.id!r} is {short(getattr(self, name))}, expected a mapping")
        object.__setattr__(self, "calibration_seeds", plain_seeds(self.calibration_seeds))
        refuse_seeds(self.calibration_seeds, f"of calibration of {self.id!r}")
        for name in ("runs", "measure"):
            if not callable(getattr(self, name)):
                raise InvalidInput(f"the {name} of {self.id!r} is {short(getattr(self, name))}, expected a function")
        if not re.fullmatch(r"[a-z0-9]+\.[a-z0-9_]+", self.id) or not self.id.startswith(f"{self.source.key}."):
            raise InvalidInput(f"the id {self.id!r} must be {self.source.key}.some_name, in lower case")
        if len(self.id) > LONGEST_ID:
            raise InvalidInput(
                f"the id {self.id!r} has {len(self.id)} characters, expected {LONGEST_ID} at most: it names a file"
            )
        for name, advice in (
            ("controls", "add a Control: the same measurement where the effect must vanish"),
            ("criteria", "add a Criterion: what must hold, by which rule"),
            ("tiers", f"add a Tier for one of {', '.join(TIERS)}"),
        ):
            if not getattr(self, name):
                raise InvalidInput(f"the claim {self.id!r} has no {name}; {advice}")
        for tier, scale in self.tiers.items():
            if tier not in TIERS:
                raise InvalidInput(f"the claim {self.id!r} has a tier {tier!r}, expected one of {', '.join(TIERS)}")
            if not isinstance(scale, Tier) or not isinstance(scale.setting, Mapping):
                raise InvalidInput(f"the tier {tier} of {self.id!r} is {short(scale)}, expected Tier(seeds, setting)")
            refuse_seeds(scale.seeds, f"of {self.id!r} at {tier}")
            if not scale.seeds:
                raise InvalidInput(f"the claim {self.id!r} has no seeds at {tier}; the seeds are what is judged")
            reused = sorted(set(self.tiers[tier].seeds) & set(self.calibration_seeds))
            if reused:
                raise InvalidInput(
                    f"the claim {self.id!r} is judged on calibration seed {reused[0]}; choose other seeds for {tier}"
                )
        if (self.refine is not None) != (self.rounds >= 1):
            raise InvalidInput(
                f"the claim {self.id!r} has {'no ' if self.refine is None else ''}refine and rounds={self.rounds}; "
                "give both, rounds at least 1, or neither"
            )
        names = [control.name for control in self.controls]
        if len({CLAIM, *names}) != len(names) + 1:
            raise InvalidInput(f"the controls of {self.id!r} need names that differ, none of them {CLAIM!r}")
        refuse_values(self)

    @property
    def anticipated(self) -> Status:
        """What calibration foresees: PASS, or FAIL where seeds like its own, were they many, falsify a criterion."""
        foreseen = {criterion.foreseen for criterion in self.criteria}
        if Decision.FALSIFIED in foreseen:
            return Status.FAIL
        return Status.INCONCLUSIVE if Decision.UNDECIDED in foreseen else Status.PASS

    def arms(self, tier: str) -> dict[str, Setting]:
        """Return the setting of the claim and of each control."""
        base = dict(self.tiers[tier].setting)
        return {CLAIM: Setting(base)} | {c.name: Setting(base | dict(c.changes)) for c in self.controls}


#: What the fields of a claim that hold several things hold.
PARTS: dict[str, type] = {
    "criteria": Criterion,
    "controls": Control,
    "gates": Gate,
    "curves": Curve,
    "maps": PhaseDiagram,
    "portraits": PhasePortrait,
    "disputes": str,
    "amendments": Amendment,
}
