"""From evidence to a verdict."""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.evidence import CLAIM, Evidence
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.rules import (
    LEVEL,
    Decision,
    Finding,
    Operating,
    Rule,
    Sample,
    holm,
    largest_rejected,
    operating,
)
from grokscape.predictions.terms import Criterion, Gate
from grokscape.predictions.verdict import ControlResult, GateResult, Judged, Status, Verdict, contributions, described
from grokscape.predictions.wording import reason


def judge(prediction: Prediction, tier: str, evidence: Evidence, *, family: int = 1) -> Verdict:
    """Hold a claim to its evidence.

    `family` is the number of claims that are corrected together; the power of the rules is told for that correction.

    INVALID if a gate is not met or a control meets all criteria; then FAIL if a criterion is falsified; PASS if all
    are corroborated and every control is falsified; INCONCLUSIVE otherwise.

    Raises
    ------
    KeyError, ValueError
        If the evidence lacks what the criteria ask for.
    """
    gates = tuple(
        result
        for gate in prediction.gates
        for arm in ([CLAIM, *(c.name for c in prediction.controls)] if gate.controls else [CLAIM])
        for result in [_gate(gate, arm, evidence)]
    )
    criteria = _judge_arm(prediction.criteria, CLAIM, evidence, family)
    controls = tuple(
        ControlResult(control.name, control.why, joint([one.outcome for one in found]).value, found)
        for control in prediction.controls
        for found in [_judge_arm(prediction.criteria, control.name, evidence, family)]
    )
    verdict = Verdict(
        id=prediction.id,
        tier=tier,
        status=status_of(
            [found.outcome for found in criteria],
            [control.outcome for control in controls],
            gates_met=all(gate.met for gate in gates),
        ),
        reason="",
        criteria=_guarded(criteria, controls),
        controls=controls,
        gates=gates,
        p=max(found.p for found in criteria),
        family=family,
        anticipated=prediction.anticipated.value,
    )
    return dataclasses.replace(verdict, reason=reason(verdict.to_data()), evidence=evidence.to_data())


def status_of(outcomes: Sequence[str], of_controls: Sequence[str], *, gates_met: bool) -> Status:
    """Return what a claim comes to, from the outcomes of its criteria and of its controls."""
    if not gates_met or Decision.CORROBORATED in of_controls:
        return Status.INVALID
    if Decision.FALSIFIED in outcomes:
        return Status.FAIL
    return Status.INCONCLUSIVE if Decision.UNDECIDED in (*outcomes, *of_controls) else Status.PASS


def _guarded(criteria: tuple[Judged, ...], controls: tuple[ControlResult, ...]) -> tuple[Judged, ...]:
    """Note of each criterion the controls in which that very criterion is falsified."""
    return tuple(
        dataclasses.replace(
            found,
            guarded_by=tuple(
                control.name for control in controls if control.criteria[index].outcome == Decision.FALSIFIED
            ),
        )
        for index, found in enumerate(criteria)
    )


def _judge_arm(criteria: tuple[Criterion, ...], arm: str, evidence: Evidence, family: int) -> tuple[Judged, ...]:
    return tuple(_judge_one(criterion, arm, evidence, len(criteria), family) for criterion in criteria)


def decided(rule: Rule, sample: Sample, of: int) -> tuple[Decision, Finding]:
    """Return what becomes of one criterion of so many, and what its rule found."""
    finding = rule.decide(sample)
    outcome = finding.outcome
    if outcome is Decision.FALSIFIED and of > 1:
        # One falsified criterion of several sinks a claim: each gets its share of the risk.
        strict = rule.decide(sample, strict_level(of)).outcome
        outcome = outcome if strict is Decision.FALSIFIED else Decision.UNDECIDED
    return outcome, finding


def strict_level(of: int) -> float:
    """Return the level at which one of so many criteria is falsified."""
    return 1 - (1 - LEVEL) / of


def _judge_one(criterion: Criterion, arm: str, evidence: Evidence, of: int, family: int) -> Judged:
    rule = criterion.rule
    sample = evidence.sample(criterion.quantity, arm=arm, at=criterion.at)
    outcome, finding = decided(rule, sample, of)
    found = criterion.calibrated
    if found is None:
        raise InvalidInput(f"the criterion on {criterion.quantity!r} is not calibrated; run grokscape calibrate")
    rates = _rates(rule, finding.n, found.effect, found.spread, family)
    return Judged(
        quantity=criterion.quantity,
        at=criterion.at,
        **described(rule, criterion.quantity),
        outcome=outcome.value,
        estimate=finding.estimate,
        low=finding.low,
        high=finding.high,
        threshold_from=criterion.threshold_from,
        p=finding.p,
        n=finding.n,
        false_pass=rates.false_pass,
        power=rates.power,
        contributions=contributions(rule, sample, evidence.seeds(criterion.quantity, arm=arm, at=criterion.at)),
    )


@functools.cache
def _rates(rule: Rule, seeds: int, effect: float, spread: float, family: int) -> Operating:
    return operating(rule, seeds=seeds, effect=effect, spread=spread, level=1 - (1 - LEVEL) / family)


def joint(outcomes: Sequence[str]) -> Decision:
    """Return what the criteria of one arm come to together."""
    if Decision.FALSIFIED in outcomes:
        return Decision.FALSIFIED
    return Decision.CORROBORATED if set(outcomes) == {Decision.CORROBORATED} else Decision.UNDECIDED


def _gate(gate: Gate, arm: str, evidence: Evidence) -> GateResult:
    values = evidence.sample(gate.quantity, arm=arm).values
    if gate.above is not None:
        worst = float(values.min())
        return GateResult(arm, gate.quantity, gate.above, None, worst, worst > gate.above)
    assert gate.below is not None
    worst = float(values.max())
    return GateResult(arm, gate.quantity, None, gate.below, worst, worst < gate.below)


def correct_families(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Correct p-values within each family (the claims of one source, at one tier) after Holm.

    Claims of the family that were not checked count as if they had failed to reject (p = 1), so that checking fewer
    claims makes none of them easier to pass. A PASS whose corrected p-value exceeds 5 % becomes INCONCLUSIVE.
    """
    verdicts = list(verdicts)
    for members, size in _families(verdicts):
        adjusted = holm([verdicts[index].p or 0.0 for index in members] + [1.0] * (size - len(members)))
        for index, p in zip(members, adjusted, strict=False):
            verdict = dataclasses.replace(verdicts[index], p_holm=p)
            if verdict.status is Status.PASS and p > 1 - LEVEL:
                verdict = dataclasses.replace(verdict, status=Status.INCONCLUSIVE, family=size)
                verdict = dataclasses.replace(
                    verdict, reason=reason(dataclasses.replace(verdict, evidence=()).to_data())
                )
            verdicts[index] = verdict
    return verdicts


def uncorrected(verdict: Verdict) -> Verdict:
    """Return a verdict as it was before it was corrected for its family."""
    if verdict.p is None:
        return verdict
    found = status_of(
        [criterion.outcome for criterion in verdict.criteria],
        [control.outcome for control in verdict.controls],
        gates_met=all(gate.met for gate in verdict.gates),
    )
    before = dataclasses.replace(verdict, status=found, p_holm=None)
    if found is verdict.status:
        return before
    return dataclasses.replace(before, reason=reason(dataclasses.replace(before, evidence=()).to_data()))


def largest_passing_p(verdicts: Sequence[Verdict]) -> list[float]:
    """Return of each verdict the largest p-value with which it would still be a PASS, those of the others as they are.

    1 where there is no p-value.
    """
    found = [1.0] * len(verdicts)
    for members, size in _families(verdicts):
        for index in members:
            others = [verdicts[other].p or 0.0 for other in members if other != index]
            found[index] = largest_rejected(others, size, 1 - LEVEL)
    return found


def _families(verdicts: Sequence[Verdict]) -> Iterator[tuple[list[int], int]]:
    """Yield which verdicts are corrected together, and for how many claims."""
    families: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, verdict in enumerate(verdicts):
        if verdict.p is not None:
            families[(verdict.id.split(".")[0], verdict.tier)].append(index)
    for members in families.values():
        yield members, max(len(members), *(verdicts[index].family for index in members))
