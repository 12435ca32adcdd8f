"""Whether a verdict survives a threshold that somebody else would have chosen."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence

from grokscape.predictions.evidence import CLAIM, Evidence, Rows
from grokscape.predictions.judge import decided, joint, status_of, strict_level
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.rules import LEVEL, Rule, Sample
from grokscape.predictions.rules.moved import Threshold, Turn, ends, first_turn, thresholds
from grokscape.predictions.verdict import Judged, Robustness, Status, Verdict

#: A verdict is fragile if a threshold moved by this much of its size, or less, changes it.
FRAGILE = 0.2
#: Shares of a threshold that the four digits shown do not tell from it.
ROUNDING = 1e-3

#: Words of quantities that 1 bounds.
_OF_SHARES = re.compile(r"\b(accuracy|error|share|quality|correlation|fraction|probability)\b")


def with_robustness(prediction: Prediction, verdict: Verdict, *, largest_p: float = 1 - LEVEL) -> Verdict:
    """Return a verdict that says of each criterion how far its thresholds may move before the verdict is another.

    Each threshold is moved by itself, up and down, in the claim and in every control alike, and the claim judged
    again, with the correction for its family: a looser threshold may let a control pass, or a claim that was
    undecided. What a move is relative to stands with `Threshold`. Gates stay where they are.

    Parameters
    ----------
    prediction : Prediction
    verdict : Verdict
        Corrected for its family.
    largest_p : float
        With which it would still be a PASS; see `largest_passing_p`.

    Raises
    ------
    KeyError, ValueError
        If the evidence lacks what the criteria ask for.
    """
    if not verdict.criteria:
        return verdict
    rows = verdict.evidence
    trial = _Trial(
        prediction, verdict, Evidence(rows.observations) if isinstance(rows, Rows) else Evidence.from_data(rows),
        largest_p,
    )  # fmt: skip
    criteria, within_rounding = [], False
    for index, found in enumerate(verdict.criteria):
        near = trial.nearest(index)
        if near is None:
            criteria.append(dataclasses.replace(found, robust_to=math.inf))
            continue
        threshold, turn = near
        within_rounding |= indistinguishable(threshold.value, turn.place)
        criteria.append(
            dataclasses.replace(
                found,
                robust_to=turn.share,
                relative_to=threshold.relative_to,
                turns_at=turn.place,
                turns_into=str(turn.into),
            )
        )
    return dataclasses.replace(verdict, criteria=tuple(criteria), robustness=_summary(criteria, within_rounding))


def indistinguishable(threshold: float, place: float) -> bool:
    """Return whether two numbers differ by less than a thousandth, or not in the four digits that are shown."""
    return abs(place - threshold) <= ROUNDING * abs(threshold) or f"{place:.4g}" == f"{threshold:.4g}"


def bounded(quantity: str, samples: Sequence[Sample]) -> bool:
    """Return whether a quantity cannot exceed 1: it is called an accuracy, share or the like, and never does."""
    if quantity.startswith("log") or not _OF_SHARES.search(quantity):
        return False
    return all(float(sample.values.max()) <= 1 for sample in samples)


def _summary(criteria: Sequence[Judged], within_rounding: bool) -> Robustness:
    if within_rounding:
        return Robustness.ROUNDING
    nearest = min(math.inf if found.robust_to is None else found.robust_to for found in criteria)
    return Robustness.FRAGILE if nearest <= FRAGILE else Robustness.ROBUST


class _Trial:
    """A claim and its evidence, judged again with one threshold moved."""

    def __init__(self, prediction: Prediction, verdict: Verdict, evidence: Evidence, largest_p: float) -> None:
        self.criteria = prediction.criteria
        self.arms = (CLAIM, *(control.name for control in prediction.controls))
        self.evidence = evidence
        self.gates_met = all(gate.met for gate in verdict.gates)
        self.largest_p = largest_p
        self.levels = {LEVEL, strict_level(len(self.criteria)), 1 - largest_p}
        found = (verdict.criteria, *(control.criteria for control in verdict.controls))
        self.outcomes = [[one.outcome for one in criteria] for criteria in found]
        self.p = [one.p for one in verdict.criteria]

    def nearest(self, index: int) -> tuple[Threshold, Turn] | None:
        """Return which threshold of a criterion changes the status by the smallest move, and where."""
        criterion = self.criteria[index]
        rule, quantity, at = criterion.rule, criterion.quantity, criterion.at
        samples = [self.evidence.sample(quantity, arm=arm, at=at) for arm in self.arms]
        turns = [
            (threshold, turn)
            for threshold in thresholds(rule, bounded=bounded(quantity, samples))
            for turn in self.turns(index, rule, threshold, samples)
        ]
        return min(turns, key=lambda pair: pair[1].share, default=None)

    def turns(self, index: int, rule: Rule, threshold: Threshold, samples: Sequence[Sample]) -> list[Turn]:
        """Return the smallest moves of a threshold, up and down, that change the status."""

        def look(value: float) -> Status:
            moved = dataclasses.replace(rule, **{threshold.field: value})  # type: ignore[type-var]
            return self.status(index, moved, samples)

        places: set[float] | None = set()
        for sample in samples:
            more = ends(rule, threshold, sample, self.levels)
            places = None if places is None or more is None else places | more
        found = (first_turn(threshold, direction, look, places) for direction in (1, -1))
        return [turn for turn in found if turn is not None]

    def status(self, index: int, rule: Rule, samples: Sequence[Sample]) -> Status:
        """Return the status of the claim with another rule for one criterion."""
        outcomes, p = [list(arm) for arm in self.outcomes], list(self.p)
        for arm, sample in enumerate(samples):
            outcome, finding = decided(rule, sample, len(self.criteria))
            outcomes[arm][index] = outcome
            if arm == 0:
                p[index] = finding.p
        status = status_of(outcomes[0], [joint(arm) for arm in outcomes[1:]], gates_met=self.gates_met)
        return Status.INCONCLUSIVE if status is Status.PASS and max(p) > self.largest_p else status
