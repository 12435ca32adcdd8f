"""Grokking under a constraint on the norm: what is measured, and how the claim can come out."""

from __future__ import annotations

import math

import pytest

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.liu2023.constrained_norm import (
    constraint_on_perceptrons,
    constraint_removes_grokking,
    delays_free_and_constrained,
)
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import course, jitter, verdict


def measured(constrained, free, last=3000):
    records = {
        "free": course(None, fits=75, generalises=free, last=last),
        "constrained": course(None, fits=100, generalises=constrained, last=last),
    }
    return {m.quantity: m.value for m in delays_free_and_constrained(records, Setting({})) if m.at is None}


def test_delays_and_ratios():
    found = measured(150, 575)
    assert found["share of the delay that is left under the constraint"] == pytest.approx(0.1, abs=0.02)
    constrained, free = (
        found[f"log of the time to generalise over the time to fit, {name}"] for name in ("constrained", "free")
    )
    assert constrained == pytest.approx(math.log(1.5), abs=0.03)
    assert free == pytest.approx(math.log(575 / 75), abs=0.03)


def test_a_constrained_run_that_never_generalises_counts_at_least_its_budget():
    found = measured(math.inf, 575)
    assert found["share of the delay that is left under the constraint"] > 5
    assert found["test accuracy at the end, constrained"] == 0.02


def behave_with(constrained, free=400):
    def behave(arm, seed, label, run):
        times = {CLAIM: constrained, "no constraint": free, "a larger norm": math.inf}
        late = free if label == "free" else times[arm]
        fits = 75 if label == "free" or arm == "no constraint" else 115
        return course(run, fits=fits, generalises=late * jitter(seed), last=1500 if label == "free" else 500)

    return behave


def test_verdicts():
    assert verdict(constraint_removes_grokking, behave_with(160)).status is Status.PASS
    assert verdict(constraint_removes_grokking, behave_with(400)).status is Status.FAIL
    assert verdict(constraint_removes_grokking, behave_with(130, free=150)).status is Status.FAIL


def test_the_constraint_takes_the_place_of_decay():
    runs = constraint_removes_grokking.runs(0, constraint_removes_grokking.arms("quick")[CLAIM])
    assert (runs["free"].fixed_norm, runs["free"].optimiser.weight_decay) == (None, 1.0)
    assert (runs["constrained"].fixed_norm, runs["constrained"].optimiser.weight_decay) == (24.0, 0.0)
    alone = constraint_removes_grokking.runs(0, constraint_removes_grokking.arms("quick")["no constraint"])
    assert alone["constrained"].identity == alone["free"].identity == runs["free"].identity


def test_perceptrons_are_held_to_the_same_thresholds():
    rules = [
        [criterion.rule for criterion in c.criteria] for c in (constraint_on_perceptrons, constraint_removes_grokking)
    ]
    assert rules[0] == rules[1]
    assert verdict(constraint_on_perceptrons, behave_with(700, free=710)).status is Status.FAIL
    assert verdict(constraint_on_perceptrons, behave_with(160, free=710)).status is Status.PASS
