"""The delay against the time that weight decay takes: what is predicted, and how each claim can come out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grokscape.landscape.optimisers import AdamW
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.truong2026a.norm_separation import (
    SHARE,
    delay_and_contraction,
    delay_is_contraction,
    delay_on_modular_addition,
)
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import course, jitter, verdict

RATE = 3e-4
AT = Setting({"optimiser": AdamW(lr=RATE), "fitted": 0.95, "generalised": 0.95})


def contracting(run, decay, *, start=17.5, end=11.0, fits=600, share=1.0, rate=RATE, last=30_000):
    """A norm that decay alone brings from start to end, where the network generalises, `share` of that delay late."""
    needed = math.log(start / end) / (rate * decay)

    def norm(steps):
        return np.maximum(start * np.exp(-rate * decay * np.maximum(steps - fits, 0)), end)

    return course(run, fits=fits, generalises=fits + needed / share, norm=norm, last=last)


def measured(**records):
    return {
        (m.quantity, m.at): m
        for m in delay_and_contraction({k.strip("_").replace("_", "."): v for k, v in records.items()}, AT)
    }


@pytest.mark.parametrize("share", [1.0, 0.5, 0.2])
def test_the_share_is_that_of_the_delay_which_pure_contraction_takes(share):
    found = measured(_0_4=contracting(None, 0.4, share=share), _0_8=contracting(None, 0.8, share=share))
    assert found[SHARE, None].value == pytest.approx(share, rel=0.02)
    assert found["largest difference between such shares", None].value < 0.02
    assert found["delay by the law", 0.4].value == pytest.approx(math.log(17.5 / 11) / (RATE * 0.4), rel=0.02)
    assert found["runs that generalise", None].value == 2


def test_a_norm_that_rises_has_a_negative_share():
    rising = course(None, fits=100, generalises=1000, norm=lambda steps: 10 + steps / 1000)
    assert measured(_0_4=rising)[SHARE, None].value < 0


def test_what_never_generalises_is_censored():
    found = measured(_0_4=course(None, fits=100, generalises=math.inf, last=2000))
    assert found["delay", 0.4].censored
    assert found["runs that generalise", None].value == 0


def student(share=1.0):
    def behave(arm, seed, label, run):
        decay = run.optimiser.weight_decay
        if arm != CLAIM:
            return course(run, fits=150, generalises=800 * jitter(seed), norm=lambda steps: 4.4 + steps / 1e3)
        return contracting(run, decay, share=share * jitter(seed))

    return behave


def test_teacher_and_student():
    assert verdict(delay_is_contraction, student()).status is Status.PASS
    assert verdict(delay_is_contraction, student(share=0.3)).status is Status.FAIL


def addition(share):
    def behave(arm, seed, label, run):
        if arm != CLAIM:
            return course(run, fits=70, generalises=math.inf, norm=lambda steps: 34 + steps / 1000, last=2000)
        return contracting(run, 1.0, start=35, end=28, fits=70, rate=2e-3, share=share * jitter(seed))

    return behave


def test_modular_addition():
    assert verdict(delay_on_modular_addition, addition(0.8)).status is Status.PASS
    assert verdict(delay_on_modular_addition, addition(0.15)).status is Status.FAIL
