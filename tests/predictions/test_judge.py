"""From evidence to verdict: every status, its reason, and the corrections between claims."""

from __future__ import annotations

import dataclasses

import pytest

from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.judge import correct_families, judge
from grokscape.predictions.rules import Below, Contributions, Exceeds
from grokscape.predictions.terms import Calibrated, Criterion
from grokscape.predictions.verdict import Status, Verdict
from tests.predictions.made_up.claims import claim, with_gate

UP = [2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7]
DOWN = [-x for x in UP]
MIXED = [2.0, -2.1, 2.2, -2.3, 2.4, -2.5, 2.6, -2.7]


def evidence(main, control, quantity="size"):
    arms = {"claim": main, "small": control}
    return Evidence(
        tuple(Observation(quantity, v, arm=arm, seed=s) for arm, values in arms.items() for s, v in enumerate(values))
    )


@pytest.mark.parametrize(
    ("main", "control", "status"),
    [
        (UP, DOWN, Status.PASS),
        (DOWN, DOWN, Status.FAIL),
        (MIXED, DOWN, Status.INCONCLUSIVE),
        (UP, UP, Status.INVALID),
        (DOWN, UP, Status.INVALID),
        (UP, MIXED, Status.INCONCLUSIVE),  # the control did not clearly fail
    ],
)
def test_status(main, control, status):
    verdict = judge(claim(), "quick", evidence(main, control))
    assert verdict.status is status
    assert verdict.reason


def test_a_control_that_fails_in_its_own_way_does_not_hide_a_falsified_claim():
    assert judge(claim(), "quick", evidence(DOWN, MIXED)).status is Status.FAIL


def test_gates_come_first():
    gated = with_gate(claim(), above=0.0)
    verdict = judge(gated, "quick", evidence(UP, DOWN))
    assert verdict.status is Status.INVALID
    assert "small" in verdict.reason
    assert judge(with_gate(claim(), below=10.0), "quick", evidence(UP, DOWN)).status is Status.PASS


def test_one_bad_seed_fails_a_gate():
    gated = with_gate(claim(), above=-3.0)
    assert judge(gated, "quick", evidence(UP, DOWN)).status is Status.PASS
    assert judge(gated, "quick", evidence(UP, [*DOWN[:-1], -9.0])).status is Status.INVALID


def test_all_criteria_must_hold():
    both = dataclasses.replace(
        claim(),
        criteria=tuple(
            Criterion(quantity="size", rule=rule, threshold_from="a test", calibrated=Calibrated(2, 0.1, "0"))
            for rule in (Exceeds(1.0), Below(2.35))
        ),
    )
    verdict = judge(both, "quick", evidence(UP, DOWN))
    assert verdict.status is Status.INCONCLUSIVE
    assert verdict.p == pytest.approx(max(found.p for found in verdict.criteria))


def test_falsifying_one_of_several_criteria_takes_more_evidence():
    """7 of 8 seeds on the wrong side is p = 0.07: undecided alone. All 8 is p = 0.008: enough for 5 % / 2 too."""
    seven = Criterion(quantity="size", rule=Exceeds(1.0), threshold_from="a test", calibrated=Calibrated(2, 0.1, "0"))
    ten = [-1.0] * 9 + [2.0]  # 9 of 10: the 95 % interval excludes the threshold, the 97.5 % one just as well
    alone = judge(claim(), "quick", evidence(ten, DOWN))
    assert alone.status is Status.FAIL
    many = dataclasses.replace(claim(), criteria=(seven,) * 4)
    assert judge(many, "quick", evidence(ten, DOWN)).status is Status.INCONCLUSIVE


def test_the_reason_is_made_from_the_numbers():
    reason = judge(claim(), "quick", evidence(UP, DOWN)).reason
    assert reason == "Size is 2.35 [2, 2.7] over 8 seeds; it must exceed 1: as claimed."


def test_a_verdict_says_what_calibration_foresaw():
    assert judge(claim(), "quick", evidence(DOWN, DOWN)).anticipated == "PASS"
    doubted = Criterion(
        quantity="size", rule=Exceeds(1.0), threshold_from="a test", calibrated=Calibrated(0.5, 0.1, "0")
    )
    denied = dataclasses.replace(claim(), criteria=(*claim().criteria, doubted))
    assert [criterion.foreseen for criterion in denied.criteria] == ["corroborated", "falsified"]
    assert denied.anticipated is Status.FAIL
    assert judge(denied, "quick", evidence(UP, DOWN)).anticipated == "FAIL"


def test_a_criterion_carries_what_a_report_draws():
    found = judge(claim(), "quick", evidence(UP, DOWN)).to_data()["criteria"][0]
    assert [(one["seed"], one["value"]) for one in found["contributions"]] == list(enumerate(UP))
    assert (found["rule"], found["kind"], found["axis"]) == ("Exceeds", "value", "size")
    assert found["parameters"] == {"threshold": 1.0, "centre": "median"}
    assert (found["region"], found["thresholds"]) == ([1.0, None], [1.0])
    assert found["requirement"] == {"verb": "exceed", "rest": "1"}


def test_a_rule_of_somebodys_own_that_forgets_seeds_is_named():
    class Forgetful(Exceeds):
        def contributions(self, sample):
            return Contributions.exact(sample.values[1:])

    criterion = dataclasses.replace(claim().criteria[0], rule=Forgetful(1.0))
    forgets = dataclasses.replace(claim(), criteria=(criterion,))
    with pytest.raises(ValueError, match=r"Forgetful\.contributions gives 7 values for 8 seeds, expected one for each"):
        judge(forgets, "quick", evidence(UP, DOWN))


def test_gates_are_data():
    gated = with_gate(claim(), above=-3.0)
    gates = judge(gated, "quick", evidence(UP, DOWN)).gates
    assert {(gate.above, gate.below) for gate in gates} == {(-3.0, None)}


def test_holm_within_a_family_and_not_beyond():
    def passed(id, p):
        return Verdict(id=id, tier="quick", status=Status.PASS, reason="It holds.", p=p)

    corrected = correct_families([passed("a1.x", 0.03), passed("a1.y", 0.04), passed("b1.z", 0.04)])
    assert [verdict.p_holm for verdict in corrected] == pytest.approx([0.06, 0.06, 0.04])
    assert [verdict.status for verdict in corrected] == [Status.INCONCLUSIVE] * 2 + [Status.PASS]
    assert "family" in corrected[0].reason


def test_holm_leaves_what_has_no_p_value_alone():
    error = Verdict(id="a1.x", tier="quick", status=Status.ERROR, reason="It broke.")
    assert correct_families([error]) == [error]


def test_error_rates_of_the_rule_stand_in_the_verdict():
    found = judge(claim(), "quick", evidence(UP, DOWN)).criteria[0]
    assert found.false_pass <= 0.05
    assert found.power >= 0.8


def test_json_has_no_infinities():
    few = judge(claim(), "quick", evidence(UP[:3], DOWN[:3]))
    assert few.status is Status.INCONCLUSIVE
    assert few.to_data()["criteria"][0]["low"] is None
