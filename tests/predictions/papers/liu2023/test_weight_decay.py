"""Omnigrok: when students generalise, by weight decay, on made-up accuracies and norms."""

from __future__ import annotations

import math

from grokscape.predictions.papers.liu2023.weight_decay import (
    inverse_decay,
    never_without_decay,
    small_start_needs_no_decay,
)
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import course, jitter, verdict
from tests.predictions.papers.liu2023.test_norm import inward, students


def test_the_power_of_weight_decay():
    assert verdict(inverse_decay, students()).status is Status.PASS

    def root(arm, seed, label, run):
        when = 600 + 2000 * jitter(seed) * run.optimiser.weight_decay**-0.5
        return course(run, fits=600, generalises=when)

    assert verdict(inverse_decay, root).status is Status.FAIL


def test_a_small_start_needs_no_decay():
    def inside_at_once(arm, seed, label, run):
        if run.initial_scale < 1:
            return course(run, fits=300, generalises=900 * jitter(seed))
        return inward(run, end=11.0 * jitter(seed))

    assert verdict(small_start_needs_no_decay, inside_at_once).status is Status.PASS

    def inverse_from_anywhere(arm, seed, label, run):
        return course(run, fits=100, generalises=600 * jitter(seed) / run.optimiser.weight_decay)

    assert verdict(small_start_needs_no_decay, inverse_from_anywhere).status is Status.FAIL


def test_students_that_never_generalise_leave_the_power_of_decay_undecided():
    """A gate, not the claim, is what they fail."""

    def never(arm, seed, label, run):
        return course(run, fits=600, generalises=math.inf)

    assert verdict(inverse_decay, never).status is Status.INVALID


def test_never_without_decay():
    assert verdict(never_without_decay, students()).status is Status.PASS

    def all_the_same(arm, seed, label, run):
        return course(run, fits=600, generalises=3000 * jitter(seed), last=run.steps)

    assert verdict(never_without_decay, all_the_same).status is not Status.PASS
