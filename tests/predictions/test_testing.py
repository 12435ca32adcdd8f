"""Catches a contract that lets through what it is there to refuse."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from grokscape.predictions.evidence import CLAIM, Measurement
from grokscape.predictions.rules import Exceeds
from grokscape.predictions.terms import Calibrated, Control, Criterion, Tier
from grokscape.predictions.testing import (
    check_claim,
    check_controls_differ,
    check_error_rates,
    check_explained,
    check_measurement,
    check_runs,
    made_up_record,
    parametrize_claims,
)
from tests.landscape.helpers import small_run
from tests.predictions.made_up.claims import Constant, claim

CRITERION = Criterion(
    quantity="size", rule=Exceeds(1.0), threshold_from="a test of the contract", calibrated=Calibrated(2.0, 0.1, "0-2")
)


def sound(**changes):
    return claim(**({"criteria": (CRITERION,)} | changes))


def criterion(**changes):
    return {"criteria": (dataclasses.replace(CRITERION, **changes),)}


def world(claimed, controlled):
    """A world in which the claim's own arm and its controls have these losses."""
    return lambda arm, seed, label, run: made_up_record(
        run, {("test", "loss"): (claimed if arm == CLAIM else controlled) + 0.01 * seed}, steps=[0, 1]
    )


@parametrize_claims([sound()])
def test_a_sound_claim_keeps_it(claim, check):
    check(claim)


def test_a_verdict_follows_the_world():
    check_claim(sound(), behave=world(2.0, 0.0), otherwise=world(0.5, 0.0))
    with pytest.raises(AssertionError, match="expected PASS, found FAIL"):
        check_claim(sound(), behave=world(0.5, 0.0))
    with pytest.raises(AssertionError, match="expected PASS, found INVALID"):
        check_claim(sound(), behave=world(2.0, 2.0))
    with pytest.raises(AssertionError, match="expected FAIL, found PASS"):
        check_claim(sound(), otherwise=world(2.0, 0.0))


COUNTER = itertools.count()


@pytest.mark.parametrize(
    ("check", "changes", "message"),
    [
        (check_error_rates, criterion(calibrated=None), "not calibrated; run grokscape calibrate test2026.large"),
        (check_error_rates, criterion(calibrated=Calibrated(1.05, 0.5, "0-2")), "'size' at quick: power .*; add seeds"),
        (
            check_controls_differ,
            {"controls": (Control("same", {"value": 2.0}, "why"),)},
            "'same' is the claim at quick",
        ),
        (check_explained, criterion(threshold_from="1"), "threshold_from says too little"),
        (check_explained, criterion(calibrated=Calibrated(2.0, 0.1, "")), "calibrated on which seeds"),
        (check_explained, {"controls": (Control("c", {"value": 0.0}, ""),)}, "why must the control 'c' fail"),
        (check_explained, {"claim": "TODO: what"}, "is not filled in yet: TODO: what"),
        (check_runs, {"runs": lambda seed, at: {}}, "runs gives nothing to train"),
        (
            check_runs,
            {"runs": lambda seed, at: {"only": Constant(value=at.value, seed=next(COUNTER))}},
            "seed 10: runs gives other runs when it is asked again",
        ),
        (
            check_runs,
            {"runs": lambda seed, at: {"only": Constant(value=at.value, seed=1)}},
            "arm 'claim': seeds train the same",
        ),
    ],
)
def test_what_breaks_it_is_told(check, changes, message):
    with pytest.raises(AssertionError, match=message):
        check(sound(**changes))


def test_a_rule_that_a_calibration_contradicts_needs_no_power():
    check_error_rates(sound(**criterion(calibrated=Calibrated(0.5, 0.1, "0-2"))))


def test_false_positives_are_counted():
    class Gullible(Exceeds):
        def decide(self, sample, level=0.95):
            return Exceeds(-1e9).decide(sample, level)

    with pytest.raises(AssertionError, match="false positives 100"):
        check_error_rates(sound(**criterion(rule=Gullible(1.0))))


def test_what_is_not_measured_is_told():
    networks = sound(
        runs=lambda seed, at: {"only": small_run(seed=seed, initial_scale=1 + at.value)},
        measure=lambda records, at: [Measurement("siez", records["only"].final("weight_norm"))],
        tiers={"quick": Tier((10, 11), {"value": 2.0, "fails": False})},
    )
    with pytest.raises(ValueError, match="the criterion on 'size' has nothing to decide on"):
        check_measurement(networks)


def test_expected_failures_are_strict_xfails():
    mark = parametrize_claims([sound()], expected_failures={"test2026.large": {"check_runs": "known"}})
    marked = {case.id: case.marks for case in mark.args[1] if case.marks}
    assert list(marked) == ["test2026.large-check_runs"]
    assert marked["test2026.large-check_runs"][0].kwargs == {"reason": "known", "strict": True}
