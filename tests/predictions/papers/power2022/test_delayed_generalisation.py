"""Delayed generalisation: how the claim can come out."""

from __future__ import annotations

import numpy as np

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.steps import STEPS, trained, verdict


def grokking(arm, seed, run, *, when=2000, after=1.0):
    generalises = arm == CLAIM
    test = np.where(when <= STEPS, after, 0.0) if generalises else 0.02
    return trained(run, test=test, train=np.where(STEPS >= 50, 1.0, 0.1))


def test_delayed_generalisation():
    id = "power2022.delayed_generalisation"
    assert verdict(id, grokking).status is Status.PASS
    at_once = verdict(id, lambda *a: grokking(*a, when=50))
    assert at_once.status is Status.FAIL
    assert "Delay" in at_once.reason
    assert verdict(id, lambda *a: grokking(*a, after=0.05)).status is Status.FAIL
    everybody = verdict(id, lambda arm, seed, run: grokking(CLAIM, seed, run))
    assert everybody.status is Status.INVALID


def test_delayed_generalisation_needs_networks_that_fit():
    unfit = verdict("power2022.delayed_generalisation", lambda arm, seed, run: trained(run, test=1.0, train=0.5))
    assert unfit.status is Status.INVALID
    assert "gate" in unfit.reason
