"""Delay at a held norm: the law that is fitted, and how each claim can come out."""

from __future__ import annotations

import math

import pytest

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.truong2026b.delay_law import (
    delay_exponential_in_norm,
    layernorm_removes_dependence,
    norm_is_no_gate,
    time_against_norm,
)
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import course, jitter, verdict

AT = Setting({"split": "test", "level": 0.9})
NEVER = math.inf


def held(slope, critical=35.0, run=None, norm=None, **how):
    """Generalising after ``100 exp(slope (norm / critical - 1))`` steps, fitting after 30."""
    norm = critical if norm is None else norm
    return course(run, fits=30, generalises=100 * math.exp(slope * (norm / critical - 1)), norm=norm, **how)


def fitted(slope, norms=(30.0, 35.0, 40.0, 45.0), **how):
    records = {"free": held(slope)} | {f"{n:g}": held(slope, norm=n, **how) for n in norms}
    return {(m.quantity, m.at): m for m in time_against_norm(records, AT)}


@pytest.mark.parametrize("slope", [-2.0, 1.0, 5.0, 7.5])
def test_the_slope_is_that_of_log_time_over_relative_norm(slope):
    found = fitted(slope)
    assert found["slope of log time over relative norm", None].value == pytest.approx(slope, abs=0.05)
    assert found["share of the variance of log time that the line explains", None].value > 0.999
    assert found["critical norm", None].value == 35.0
    assert found["norms at which the time was seen", None].value == 4


def test_times_beyond_the_budget_are_censored_and_counted_out():
    found = fitted(7.5, last=300)
    assert found["norms at which the time was seen", None].value == 3
    assert found["steps to generalise", 45.0].censored
    assert found["slope of log time over relative norm", None].value < 7.5


def test_a_curve_that_bends_is_not_explained():
    norms = (30.0, 35.0, 40.0, 45.0)
    times = dict(zip(norms, (100, 1000, 1000, 100), strict=True))
    bent = {"free": held(5.0)} | {f"{n:g}": course(None, fits=30, generalises=times[n], norm=n) for n in norms}
    found = {m.quantity: m.value for m in time_against_norm(bent, AT)}
    assert found["share of the variance of log time that the line explains"] < 0.01


def arms(slopes):
    """What makes records whose slope depends on the arm."""

    def behave(arm, seed, label, run):
        critical = 35.0 if run.model.kind == "perceptron" else 9.0
        norm = critical if label == "free" else float(label)
        return held(slopes[arm] * jitter(seed), critical, run, norm)

    return behave


def test_exponential():
    assert verdict(delay_exponential_in_norm, arms({CLAIM: 5.4, "fitting instead of generalising": 5.4})).status is (
        Status.PASS
    )
    assert verdict(delay_exponential_in_norm, arms({CLAIM: 1.0, "fitting instead of generalising": 1.0})).status is (
        Status.FAIL
    )


def test_layernorm():
    assert verdict(layernorm_removes_dependence, arms({CLAIM: 0.1, "no LayerNorm": 5.4})).status is Status.PASS
    assert verdict(layernorm_removes_dependence, arms({CLAIM: 3.8, "no LayerNorm": 5.4})).status is Status.FAIL
    assert verdict(layernorm_removes_dependence, arms({CLAIM: 0.1, "no LayerNorm": 0.1})).status is Status.INVALID


def gate(late=600, below=120, random=NEVER):
    def behave(arm, seed, label, run):
        free = 160 * jitter(seed)
        generalises = free if label == "free" else {CLAIM: late, "below the critical norm": below}.get(arm, random)
        norm = 35.0 * jitter(seed) if label == "free" else run.fixed_norm
        if arm == "random labels":
            generalises = random
        return course(run, fits=30, generalises=generalises, norm=norm, last=3000)

    return behave


def test_no_gate():
    assert verdict(norm_is_no_gate, gate()).status is Status.PASS
    assert verdict(norm_is_no_gate, gate(late=NEVER)).status is Status.FAIL
    assert verdict(norm_is_no_gate, gate(late=160)).status is Status.FAIL


def test_the_network_without_layernorm_costs_no_runs_of_its_own():
    law, control = (
        {run.identity for run in claim.runs(100, claim.arms("quick")[arm]).values()}
        for claim, arm in ((delay_exponential_in_norm, "claim"), (layernorm_removes_dependence, "no LayerNorm"))
    )
    assert control == law
