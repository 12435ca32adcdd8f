"""Liu et al. 2022: the critical fraction and the flow, on records that are made up."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.landscape.theory import parallelograms
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.liu2022.effective_loss import conservation, critical_fraction
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.toys import record, verdict

# -- The critical fraction ---------------------------------------------------------------------------------------------


def determined(arm, seed, run, *, half=0.408):
    number = len(parallelograms.pairs(run.symbols))
    middle = {"shuffled sums": 0.387, "six symbols": 0.587}.get(arm, half) + np.random.default_rng(seed).normal(0, 1e-3)
    steps = np.arange(number + 1)
    return record(run, steps=steps, all__determined=1 / (1 + np.exp(-(steps / number - middle) / 0.02)))


def test_critical_fraction():
    assert verdict(critical_fraction, determined).status is Status.PASS
    assert verdict(critical_fraction, lambda *a: determined(*a, half=0.45)).status is Status.FAIL
    assert verdict(critical_fraction, lambda _, s, run: determined(CLAIM, s, run)).status is Status.INVALID


def test_the_half_is_interpolated():
    at = Setting(critical_fraction.tiers["quick"].setting | {"others": ()})
    share = np.where(np.arange(56) < 22, 0.0, 1.0)
    share[22] = 0.25
    records = {
        label: record(run, steps=np.arange(56), all__determined=share)
        for label, run in critical_fraction.runs(0, at).items()
    }
    found = {m.quantity: m.value for m in critical_fraction.measure(records, at)}
    assert found["critical fraction"] == pytest.approx((22 + 1 / 3) / 55)


# -- The flow ----------------------------------------------------------------------------------------------------------


def flowing(arm, seed, run, *, drift=0.0, rate=1.0):
    steps = np.arange(201)
    squares = {"no division by spread": 0.5}.get(arm, drift)
    total = {"division by the norm": 0.5}.get(arm, drift)
    return record(
        run,
        steps=steps,
        all__sum=1.0 + total * steps / 200,
        all__sum_of_squares=1.0 - squares * steps / 200,
        all__residual=np.exp(-rate * steps / 10),
    )


def test_conservation():
    assert verdict(conservation, flowing).status is Status.PASS
    assert verdict(conservation, lambda *a: flowing(*a, drift=1e-6)).status is Status.FAIL
    assert verdict(conservation, lambda *a: flowing(*a, rate=1.1)).status is Status.FAIL
