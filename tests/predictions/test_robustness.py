"""Verdicts that say whether they survive a threshold that is moved, and what guards their criteria."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest

from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.judge import correct_families, judge, largest_passing_p
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.robustness import bounded, indistinguishable, with_robustness
from grokscape.predictions.rules import Exceeds, Operating, Rule, Sample, Within
from grokscape.predictions.terms import Calibrated, Control, Criterion
from grokscape.predictions.verdict import Verdict
from tests.predictions.made_up.claims import claim, with_gate

UP = [2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7]
DOWN = [-x for x in UP]


def asking(*rules: Rule, quantity: str = "size", **changes: object) -> Prediction:
    criteria = tuple(
        Criterion(quantity=quantity, rule=rule, threshold_from="a test", calibrated=Calibrated(2, 0.1, "0"))
        for rule in rules
    )
    return dataclasses.replace(claim(), criteria=criteria, **changes)


def found(prediction: Prediction, main: Sequence[float], *controls: Sequence[float]) -> Verdict:
    arms = {"claim": main} | {c.name: values for c, values in zip(prediction.controls, controls, strict=True)}
    quantity = prediction.criteria[0].quantity
    evidence = Evidence(
        Observation(quantity, v, arm=arm, seed=s) for arm, values in arms.items() for s, v in enumerate(values)
    )
    return with_robustness(prediction, judge(prediction, "quick", evidence))


def turn(verdict: Verdict, index: int = 0) -> tuple[object, ...]:
    one = verdict.criteria[index]
    return one.robust_to, one.turns_at, one.turns_into


@pytest.mark.parametrize(
    ("threshold", "robustness", "into"),
    [
        (1.5, "robust", "INCONCLUSIVE"),
        (1.8, "fragile", "INCONCLUSIVE"),
        (1.999, "within rounding", "INCONCLUSIVE"),
        (2.2, "fragile", "PASS"),  # undecided, and a little less would do
        (3.0, "fragile", "INCONCLUSIVE"),
        (4.0, "robust", "INCONCLUSIVE"),
    ],
)
def test_a_verdict_is_as_fragile_as_its_threshold_is_near(threshold, robustness, into) -> None:
    """Eight seeds from 2.0 to 2.7: the interval of their median goes from the least to the largest."""
    verdict = found(asking(Exceeds(threshold)), UP, DOWN)
    assert verdict.robustness == robustness
    share, place, becomes = turn(verdict)
    assert becomes == into
    assert place == (2.7 if threshold > 2.7 else 2.0)
    assert share == pytest.approx(abs(place - threshold) / threshold)
    assert verdict.criteria[0].relative_to == "itself"


def test_a_control_that_a_looser_threshold_lets_pass_makes_it_invalid() -> None:
    verdict = found(asking(Exceeds(1.0)), UP, [x - 1.75 for x in UP])  # 0.25 to 0.95
    assert turn(verdict) == (pytest.approx(0.05), pytest.approx(0.95), "INCONCLUSIVE")
    invalid = found(asking(Exceeds(1.0)), UP, [1.1] * 7 + [1.2])
    assert (invalid.status, invalid.robustness) == ("INVALID", "fragile")
    assert turn(invalid) == (pytest.approx(0.1), 1.1, "INCONCLUSIVE")


def test_of_several_criteria_each_has_its_own_room() -> None:
    verdict = found(asking(Exceeds(0.5), Exceeds(1.9)), UP, DOWN)
    assert verdict.criteria[0].robust_to == math.inf
    assert turn(verdict, 1) == (pytest.approx(0.1 / 1.9), 2.0, "INCONCLUSIVE")
    assert verdict.robustness == "fragile"


def test_where_two_criteria_are_falsified_no_single_threshold_saves_the_claim() -> None:
    verdict = found(asking(Exceeds(2.8), Exceeds(2.9)), UP, DOWN)
    assert verdict.status == "FAIL"
    assert [one.robust_to for one in verdict.criteria] == [math.inf] * 2
    assert verdict.robustness == "robust"


def test_a_sign_has_no_size_and_an_unmet_gate_no_threshold_that_moves() -> None:
    verdict = found(asking(Exceeds(0.0)), UP, DOWN)
    assert (verdict.criteria[0].robust_to, verdict.robustness) == (math.inf, "robust")
    unmet = found(with_gate(asking(Exceeds(1.999)), above=0.0), UP, DOWN)
    assert (unmet.status, unmet.robustness) == ("INVALID", "robust")


def test_an_accuracy_near_1_is_moved_relative_to_its_distance_from_1() -> None:
    values = [0.96 + 0.001 * n for n in range(8)]
    verdict = found(asking(Exceeds(0.95), quantity="test accuracy"), values, [0.1] * 8)
    assert turn(verdict) == (pytest.approx(0.2), 0.96, "INCONCLUSIVE")
    assert verdict.criteria[0].relative_to == "its distance to 1"
    other = found(asking(Exceeds(0.95), quantity="slope"), values, [0.1] * 8)
    assert turn(other)[0] == pytest.approx(0.01 / 0.95)


@pytest.mark.parametrize(
    ("quantity", "largest", "is_bounded"),
    [
        ("test accuracy at the end", 1.0, True),
        ("share of the delay that is left", 1.2, False),
        ("log of the accuracy", 0.5, False),
        ("slope", 0.5, False),
    ],
)
def test_what_1_bounds(quantity: str, largest: float, is_bounded: bool) -> None:
    assert bounded(quantity, [Sample.of([0.1, 0.2]), Sample.of([0.3, largest])]) is is_bounded


def test_the_correction_for_a_family_is_moved_along() -> None:
    """Eight seeds beyond a threshold are p = 0.008: too much for one of ten claims, of which nothing else rejects."""
    prediction = asking(Within(1.0, 3.0, centre="mean"))
    alone = found(prediction, UP, DOWN)
    assert alone.status == "PASS"
    crowded = dataclasses.replace(alone, family=40)
    (verdict,) = correct_families([crowded])
    (largest,) = largest_passing_p([verdict])
    assert largest == pytest.approx(0.05 / 40)
    strict = with_robustness(prediction, verdict, largest_p=largest)
    assert strict.criteria[0].robust_to < alone.criteria[0].robust_to
    # Beyond that threshold the corrected p-value is larger than 5 %, and just before it is not.
    for share, passes in ((0.999, True), (1.001, False)):
        place = 3.0 - share * (3.0 - strict.criteria[0].turns_at)
        moved = judge(asking(Within(1.0, place, centre="mean")), "quick", _evidence(UP, DOWN), family=40)
        assert (correct_families([moved])[0].status == "PASS") is passes


def _evidence(main: Sequence[float], control: Sequence[float]) -> Evidence:
    arms = {"claim": main, "small": control}
    return Evidence(
        Observation("size", v, arm=arm, seed=s) for arm, values in arms.items() for s, v in enumerate(values)
    )


def test_against_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a grid of thresholds, judged from nothing each time, but for the simulated error rates."""
    monkeypatch.setattr("grokscape.predictions.judge._rates", lambda *_: Operating(0.0, 1.0, 0))
    rng = np.random.default_rng(5)
    for centre in ("median", "mean"):
        for _ in range(6):
            main, control = (rng.normal(mean, 1.0, 10).tolist() for mean in (2.0, 0.5))
            start = float(rng.uniform(0.5, 2.5))
            verdict = found(asking(Exceeds(start, centre)), main, control)
            share = verdict.criteria[0].robust_to
            grid = np.linspace(0, 1, 101)[1:-1]
            changed = [
                step
                for step in grid
                if any(
                    judge(asking(Exceeds(start * (1 + sign * step), centre)), "quick", _evidence(main, control)).status
                    != verdict.status
                    for sign in (1, -1)
                )
            ]
            assert share is not None
            if changed:
                assert changed[0] - 0.01 <= share <= changed[0] + 1e-9
            else:
                assert share >= grid[-1]


def test_units_do_not_matter() -> None:
    one = found(asking(Exceeds(1.8)), UP, DOWN)
    other = found(asking(Exceeds(1800.0)), [1000 * x for x in UP], [1000 * x for x in DOWN])
    assert one.criteria[0].robust_to == pytest.approx(other.criteria[0].robust_to)


def test_a_criterion_is_guarded_by_the_controls_that_fail_it() -> None:
    controls = (Control("small", {"value": 0.0}, "it is small"), Control("huge", {"value": 9.0}, "it is huge"))
    verdict = found(asking(Exceeds(1.0), Within(0.5, 3.0), Exceeds(-99.0), controls=controls), UP, DOWN, [9.0] * 8)
    assert [one.guarded_by for one in verdict.criteria] == [("small",), ("small", "huge"), ()]
    assert all(one.guarded_by is None for control in verdict.controls for one in control.criteria)


@pytest.mark.parametrize(
    ("threshold", "place", "same"), [(1.0, 1.0009, True), (1.0, 1.002, False), (0.0, 0.0, True), (0.0, 1e-9, False)]
)
def test_within_rounding(threshold: float, place: float, same: bool) -> None:
    assert indistinguishable(threshold, place) is same


def test_what_was_not_judged_stays_as_it_is() -> None:
    verdict = Verdict(id="test2026.large", tier="quick", status="NOT RUN", reason="why")  # type: ignore[arg-type]
    assert with_robustness(claim(), verdict) is verdict


def test_as_data_an_infinite_room_is_null() -> None:
    data = found(asking(Exceeds(0.0)), UP, DOWN).to_data()
    assert data["robustness"] == "robust"
    assert data["criteria"][0]["robust_to"] is None
    assert data["criteria"][0]["guarded_by"] == ["small"]
