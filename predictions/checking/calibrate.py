"""Calibrating a claim: what its calibration seeds show of each criterion, and how its rule errs at that effect."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.printable import error_text
from grokscape.landscape.records.writable import refuse_unwritable_store
from grokscape.predictions.checking.check import Check, Update
from grokscape.predictions.evidence import CLAIM, Evidence
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.rules import Decision, Operating, operating
from grokscape.predictions.rules.operating import foreseen
from grokscape.predictions.terms import Calibrated, Criterion, Tier
from grokscape.predictions.verdict import Status, Verdict

#: What a claim is given in place of what calibration has not found yet.
NOT_YET = Calibrated(0.0, 0.0, "none yet")


@dataclass(frozen=True)
class Found:
    """What calibration found for one criterion.

    Attributes
    ----------
    criterion : Criterion
    calibrated : Calibrated or None
        To the digits that are worth writing down; None if there is none.
    controls : mapping
        Control -> the effect there; None if there is none.
    rates : mapping
        Tier -> how the rule errs at its seeds, where the effect is that of the claim.
    foreseen : Decision
        What many seeds like these would decide.
    complaint : str
        Why there is no effect; "" if there is one.
    """

    criterion: Criterion
    calibrated: Calibrated | None
    controls: Mapping[str, float | None]
    rates: Mapping[str, Operating]
    foreseen: Decision = Decision.UNDECIDED
    complaint: str = ""

    @property
    def text(self) -> str:
        """What belongs into the criterion."""
        found = self.calibrated
        return "" if found is None else f'calibrated=Calibrated({found.effect!r}, {found.spread!r}, "{found.seeds}")'


@dataclass
class Calibration(Check):
    """Train the calibration seeds of claims, and find effect and spread of each criterion.

    Iterate over `run` for live updates; then `found` holds what was found by id, and `failed` a sentence for each claim
    of which nothing was. No verdict is made or kept.
    """

    found: dict[str, tuple[Found, ...]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def run(self, executor: Executor) -> Iterator[Update]:
        """Train and measure; yield what happens.

        Raises
        ------
        InvalidInput
            Before anything is trained, if a claim has no calibration seeds, or not this tier.
        StoreError
            If the store cannot be written.
        """
        chosen = [at_calibration_seeds(claim, self.tier) for claim in self.claims]
        refuse_unwritable_store(self.store, self.tier)
        waiting = []
        for claim in chosen:
            item = self.prepare(claim)
            if isinstance(item, Verdict):
                self.failed[claim.id] = item.reason
            else:
                waiting.append(item)
        for update in self.gather(waiting, executor):
            if update.verdict is not None and update.verdict.id not in self.found:
                self.failed[update.verdict.id] = update.verdict.reason
            yield dataclasses.replace(update, verdict=None)

    def judged(self, prediction: Prediction, evidence: Evidence) -> Verdict:
        """Note what was found; nothing is judged on calibration seeds."""
        claim = next(claim for claim in self.claims if claim.id == prediction.id)
        self.found[claim.id] = tuple(find(criterion, claim, evidence) for criterion in claim.criteria)
        return Verdict(id=claim.id, tier=self.tier, status=Status.INCONCLUSIVE, reason="It was calibrated.")


def at_calibration_seeds(claim: Prediction, tier: str) -> Prediction:
    """Return a claim as it is when its calibration seeds are those it is checked on.

    Raises
    ------
    InvalidInput
        If it has no such seeds, or no such tier.
    """
    if not claim.calibration_seeds:
        raise InvalidInput(f"the claim {claim.id!r} has no calibration_seeds; name some that no tier has, as (0, 1, 2)")
    if tier not in claim.tiers:
        raise InvalidInput(f"the claim {claim.id!r} has no {tier} tier; calibrate it at: {', '.join(claim.tiers)}")
    return dataclasses.replace(
        claim,
        criteria=tuple(dataclasses.replace(c, calibrated=c.calibrated or NOT_YET) for c in claim.criteria),
        tiers={tier: Tier(claim.calibration_seeds, claim.tiers[tier].setting)},
        calibration_seeds=(),
    )


def find(criterion: Criterion, claim: Prediction, evidence: Evidence) -> Found:
    """Return what the evidence on calibration seeds says of one criterion."""

    def typical(arm: str) -> tuple[float, float]:
        return criterion.rule.typical(evidence.sample(criterion.quantity, arm=arm, at=criterion.at))

    controls: dict[str, float | None] = {}
    for control in claim.controls:
        try:
            controls[control.name] = typical(control.name)[0]
        except (ValueError, KeyError):  # censored, or of another shape: the effect is not there to be measured
            controls[control.name] = None
    try:
        effect, spread = (float(f"{value:.{digits}g}") for value, digits in zip(typical(CLAIM), (4, 2), strict=True))
    except (ValueError, KeyError) as error:
        return Found(criterion, None, controls, {}, complaint=error_text(error))
    rates = {
        name: operating(criterion.rule, seeds=len(tier.seeds), effect=effect, spread=spread)
        for name, tier in claim.tiers.items()
    }
    calibrated = Calibrated(effect, spread, seeds_in_words(claim.calibration_seeds))
    return Found(criterion, calibrated, controls, rates, foreseen(criterion.rule, effect=effect, spread=spread))


def seeds_in_words(seeds: tuple[int, ...]) -> str:
    """Return seeds as they are written down: "0-9", "0-2, 7"."""
    spans: list[list[int]] = []
    for seed in sorted(seeds):
        if spans and seed == spans[-1][-1] + 1:
            spans[-1].append(seed)
        else:
            spans.append([seed])
    return ", ".join(f"{span[0]}" if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans)
