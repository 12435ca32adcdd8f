"""The toy model: how its claims can come out."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from grokscape.landscape.learners import TwoCircuits
from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.steps import STEPS, record, verdict


def toy(run, *, ratio, fits, generalises, final):
    guess = math.log(113)
    return record(
        run,
        train_loss=np.where(fits <= STEPS, 0.01, guess),
        test_loss=np.where(generalises <= STEPS, final * guess, guess),
        all_weight_gen=ratio,
        all_weight_mem=1.0,
    )


def ingredients(arm, seed, run, *, generalises=2000):
    at = {CLAIM: generalises, "equal speed": 100}.get(arm, math.inf)
    final = 0.02 if at < math.inf else 1.5
    return toy(run, ratio=8.0, fits=50, generalises=at, final=final)


def test_three_ingredients():
    id = "varma2023.toy_three_ingredients"
    assert verdict(id, ingredients).status is Status.PASS
    assert verdict(id, lambda *a: ingredients(*a, generalises=100)).status is Status.FAIL
    assert verdict(id, lambda *a: ingredients(*a, generalises=math.inf)).status is Status.FAIL
    assert verdict(id, lambda arm, s, run: ingredients(CLAIM, s, run)).status is Status.INVALID


def allocated(arm, seed, run, *, power=1.0):
    early = run.steps * run.alpha < 100
    return toy(run, ratio=1e-6 if early else run.predicted_ratio**power, fits=50, generalises=2000, final=0.02)


def test_allocation():
    id = "varma2023.toy_allocation"
    assert verdict(id, allocated).status is Status.PASS
    assert verdict(id, lambda *a: allocated(*a, power=-1.0)).status is Status.FAIL
    assert verdict(id, lambda *a: allocated(*a, power=1.01)).status is Status.FAIL


def slowed(arm, seed, run, *, sign=1):
    """Delay as alpha^-0.87, growing as the efficiencies approach each other; the more efficient circuit wins."""
    gap = run.norm_mem / run.norm_gen
    assert isinstance(run, TwoCircuits)
    delay = (run.alpha / 0.02) ** -0.87 * 100 * (10 / gap if sign > 0 else gap)
    steps = np.array([0, round(delay), round(delay) + 1, 10**6])
    losses = [5.0, 0.01, 0.01, 0.01]
    rows = [(s, split, "loss", v) for split in ("train", "test") for s, v in zip(steps, losses, strict=True)]
    rows += [(10**6, "", "weight_gen", gap**3), (10**6, "", "weight_mem", 1.0)]
    table = pd.DataFrame(rows, columns=["step", "split", "quantity", "value"])
    return Record(run, table, {}, lambda step: {})


def test_invariance():
    id = "varma2023.toy_invariance"
    assert verdict(id, slowed).status is Status.PASS
    assert verdict(id, lambda *a: slowed(*a, sign=-1)).status is Status.FAIL
