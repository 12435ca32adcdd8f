"""Grokking with a rising norm: what is measured between two times, and how the claim can come out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.kumar2023.lazy_to_rich import (
    grokking_with_rising_norm,
    norm_from_fitting_to_generalising,
)
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.steps import STEPS, noise, record, verdict

ID = "kumar2023.grokking_with_rising_norm"
RISING = {0: 16.0, 100: 16.0, 1000: 17.6, 3000: 18.0}
FALLING = {0: 120.0, 100: 100.0, 1000: 36.0, 3000: 35.0}
AT = Setting({})


def grokking(run, *, fits=100, generalises=1000, norm=RISING, factor=1.0):
    """Accuracies step from 0 to 1 at the given times; the norm is interpolated between the given points."""
    return record(
        run,
        train_accuracy=np.where(fits <= STEPS, 1.0, 0.1),
        test_accuracy=np.where(generalises <= STEPS, 1.0, 0.0),
        all_weight_norm=factor * np.interp(STEPS, list(norm), list(norm.values())),
    )


def measured(found: Record):
    return {(m.quantity, m.at): m for m in norm_from_fitting_to_generalising({"run": found}, AT)}


def test_the_norm_is_compared_between_fitting_and_generalising():
    found = measured(grokking(None))
    growth = found["log of the norm at generalising over that at fitting", None].value
    assert growth == pytest.approx(math.log(17.6 / 16.0))
    assert found["norm at generalising over that at the start", None].value == pytest.approx(1.1)
    assert [found["from fitting to generalising", place].value for place in (0, 1)] == [100, 1000]
    assert found["test accuracy at fitting", None].value == 0.0
    assert found["test accuracy at the end", None].value == 1.0


def test_a_network_that_never_generalises_is_censored_at_its_last_norm():
    found = measured(grokking(None, generalises=math.inf))
    assert found["from fitting to generalising", 1].censored
    assert found["from fitting to generalising", 1].value == 3000
    growth = found["log of the norm at generalising over that at fitting", None].value
    assert growth == pytest.approx(math.log(18.0 / 16.0))


def behave(arm, seed, run, **claimed):
    own = {
        CLAIM: claimed,
        "rich start": {"generalises": 100},
        "weight decay": {"norm": FALLING},
        "random labels": {"generalises": math.inf},
    }[arm]
    return grokking(run, **own, factor=math.exp(noise(seed)))


def test_grokking_with_rising_norm():
    found = verdict(ID, behave)
    assert found.status is Status.PASS
    assert {control.outcome for control in found.controls} == {"falsified"}
    assert verdict(ID, lambda *a: behave(*a, norm=FALLING)).status is Status.FAIL
    assert verdict(ID, lambda *a: behave(*a, generalises=100)).status is Status.FAIL
    assert verdict(ID, lambda *a: behave(*a, generalises=math.inf)).status is Status.FAIL
    assert verdict(ID, lambda arm, s, run: behave(CLAIM, s, run)).status is Status.INVALID
    assert verdict(ID, lambda arm, s, run: grokking(run, fits=math.inf)).status is Status.INVALID


def test_only_the_control_that_is_named_for_it_has_weight_decay():
    decays = {
        arm: run.optimiser.weight_decay
        for arm, at in grokking_with_rising_norm.arms("quick").items()
        for run in grokking_with_rising_norm.runs(0, at).values()
    }
    assert decays.pop("weight decay") > 0
    assert set(decays.values()) == {0.0}
