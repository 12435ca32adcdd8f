"""Miller et al. 2024: transitions of linear students, on made-up accuracies."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import erf

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.miller2024.linear import (
    erf_form,
    larger_gap_less_sharp,
    only_slow_motion,
    transition_above_one,
)
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import jitter
from tests.predictions.made_up.toys import few, record, verdict

STEPS = np.unique(np.concatenate([[0], np.logspace(0, 5, 150).round()])).astype(int)


def curve(time, stretch):
    return (1 + erf(stretch * (STEPS / time - 1))) / 2


def passes(run, seed, *, later=1.0, train=1.8, test=1.8, bent=0.0):
    time = 500.0 * jitter(seed)
    accuracy = curve((1 + later) * time, test)
    # A shoulder: half of the way at once, the other half much later.
    shape = (1 - bent) * accuracy + bent * np.where(3 * (1 + later) * time < STEPS, 1.0, np.minimum(accuracy, 0.5))
    return record(run, steps=STEPS, train__accuracy=curve(time, train), test__accuracy=shape)


def formed(arm, seed, run, *, bent=0.0):
    return passes(run, seed, bent=bent if arm == CLAIM else 1.0)


def test_erf_form():
    assert verdict(few(erf_form), formed).status is Status.PASS
    assert verdict(few(erf_form), lambda *a: formed(*a, bent=1.0)).status is Status.FAIL
    assert verdict(few(erf_form), lambda _, s, run: passes(run, s)).status is Status.INVALID


def trending(arm, seed, run, *, sharper=1.0):
    """A gap that grows with lambda, at a sharpness that is left behind, or more than keeps up."""
    if arm != CLAIM:
        return passes(run, seed, later=jitter(97 * seed + run.inputs, 0.2))
    later = run.ratio / (1.01 - run.ratio)
    return passes(run, seed, later=later, test=1.5 * (1 + later) ** (0 if sharper == 1.0 else sharper))


def test_larger_gap_less_sharp():
    assert verdict(few(larger_gap_less_sharp), trending).status is Status.PASS
    assert verdict(few(larger_gap_less_sharp), lambda *a: trending(*a, sharper=1.5)).status is Status.FAIL


def coming(arm, seed, run, *, comes=True):
    comes = comes and arm == CLAIM
    accuracy = curve(300.0, 1.8) * (1.0 if comes else 0.01)
    return record(run, steps=STEPS, test__accuracy=accuracy, test__loss=0.01)


def test_transition_above_one():
    assert verdict(few(transition_above_one), coming).status is Status.PASS
    assert verdict(few(transition_above_one), lambda *a: coming(*a, comes=False)).status is Status.FAIL
    assert verdict(few(transition_above_one), lambda _, s, run: coming(CLAIM, s, run)).status is Status.INVALID


def slow(arm, seed, run, *, change=0.0):
    odd = run.threshold != 1e-3
    return passes(run, seed, later=run.ratio, test=(4.0 if odd else 1.8) * math.exp(change * run.ratio))


def test_only_slow_motion():
    assert verdict(few(only_slow_motion), slow).status is Status.PASS
    assert verdict(few(only_slow_motion), lambda *a: slow(*a, change=-0.8)).status is Status.FAIL
    leaky = verdict(few(only_slow_motion), lambda arm, s, run: slow(arm, s, run.replace(threshold=1e-3)))
    assert leaky.status is Status.INVALID
