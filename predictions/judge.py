"""From evidence to a verdict."""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Iterable

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.evidence import CLAIM, Evidence
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.rules import LEVEL, Decision, Operating, Rule, holm, operating
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
        ControlResult(control.name, control.why, _joint(found).value, found)
        for control in prediction.controls
        for found in [_judge_arm(prediction.criteria, control.name, evidence, family)]
    )
    verdict = Verdict(
        id=prediction.id,
        tier=tier,
        status=_status(criteria, controls, gates),
        reason="",
        criteria=criteria,
        controls=controls,
        gates=gates,
        p=max(found.p for found in criteria),
        family=family,
        anticipated=prediction.anticipated.value,
    )
    return dataclasses.replace(verdict, reason=reason(verdict.to_data()), evidence=evidence.to_data())


def _status(criteria: tuple[Judged, ...], controls: tuple[ControlResult, ...], gates: tuple[GateResult, ...]) -> Status:
    outcomes = {found.outcome for found in criteria}
    of_controls = {control.outcome for control in controls}
    if not all(gate.met for gate in gates) or Decision.CORROBORATED in of_controls:
        return Status.INVALID
    if Decision.FALSIFIED in outcomes:
        return Status.FAIL
    return Status.INCONCLUSIVE if Decision.UNDECIDED in outcomes | of_controls else Status.PASS


def _judge_arm(criteria: tuple[Criterion, ...], arm: str, evidence: Evidence, family: int) -> tuple[Judged, ...]:
    return tuple(_judge_one(criterion, arm, evidence, len(criteria), family) for criterion in criteria)


def _judge_one(criterion: Criterion, arm: str, evidence: Evidence, of: int, family: int) -> Judged:
    rule = criterion.rule
    sample = evidence.sample(criterion.quantity, arm=arm, at=criterion.at)
    finding = rule.decide(sample)
    outcome = finding.outcome
    if outcome is Decision.FALSIFIED and of > 1:
        # One falsified criterion of several sinks a claim: each gets its share of the risk.
        strict = rule.decide(sample, 1 - (1 - LEVEL) / of).outcome
        outcome = outcome if strict is Decision.FALSIFIED else Decision.UNDECIDED
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


def _joint(criteria: tuple[Judged, ...]) -> Decision:
    outcomes = [found.outcome for found in criteria]
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
    families: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, verdict in enumerate(verdicts):
        if verdict.p is not None:
            families[(verdict.id.split(".")[0], verdict.tier)].append(index)
    for members in families.values():
        size = max(len(members), *(verdicts[index].family for index in members))
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
    found = _status(verdict.criteria, verdict.controls, verdict.gates)
    before = dataclasses.replace(verdict, status=found, p_holm=None)
    if found is verdict.status:
        return before
    return dataclasses.replace(before, reason=reason(dataclasses.replace(before, evidence=()).to_data()))
