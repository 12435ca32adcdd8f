"""Every built-in claim: that it can pass, that it can fail, and that flipping the sign of its effect flips its verdict.

Records are made up to behave as the claim says, as its control says, or the other way round; what is tested is the
measurement and the judgement together, for which training would be too slow and too kind.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.learners import TwoCircuits
from grokscape.landscape.records.record import Record
from grokscape.predictions.checking.registry import load
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.testing import made_up_record, parametrize_claims, verdict_on
from grokscape.predictions.verdict import Status

CLAIMS = load().claims
STEPS = np.array([0, 1, 10, 50, 100, 1000, 2000, 2400, 2700, 2800, 2900, 3000])


def record(experiment, **quantities):
    """A record whose quantities (``split_quantity``; split "all" for none) are constants, or arrays over STEPS."""
    places = {tuple(key.split("_", 1)): values for key, values in quantities.items()}
    named = {("" if split == "all" else split, name): values for (split, name), values in places.items()}
    return made_up_record(experiment, named, steps=STEPS)


def verdict(id, behave):
    """Judge a claim on records made by ``behave(arm, seed, experiment)``."""
    return verdict_on(CLAIMS[id], lambda arm, seed, label, run: behave(arm, seed, run))


def noise(seed):
    return np.random.default_rng(seed).normal(0, 0.01)


def trained(run, *, test=0.0, unmirrored=None, efficiency=2e-3, train=1.0, loss=1e-5):
    return record(
        run,
        train_accuracy=train,
        train_loss=loss,
        test_accuracy=test,
        unmirrored_accuracy=test if unmirrored is None else unmirrored,
        all_weight_norm=70.0,
        train_margin=efficiency * 70.0**2,
    )


# -- Delayed generalisation --------------------------------------------------------------------------------------------


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


# -- Ungrokking --------------------------------------------------------------------------------------------------------


def forgetting(arm, seed, run, *, sign=1):
    share = run.n_train / run.task.size
    keeps = arm != CLAIM or (share > 0.35) == (sign > 0)
    return trained(run, test=1.0 if keeps else 0.0)


def test_ungrokking():
    id = "varma2023.ungrokking"
    assert verdict(id, forgetting).status is Status.PASS
    assert verdict(id, lambda *a: forgetting(*a, sign=-1)).status is Status.FAIL
    assert verdict(id, lambda arm, s, run: trained(run, test=1.0)).status is Status.FAIL  # nobody forgets
    confounded = verdict(id, lambda arm, s, run: forgetting(CLAIM, s, run))  # the optimiser alone forgets
    assert confounded.status is Status.INVALID
    assert "no weight decay" in confounded.reason


def test_ungrokking_starts_from_all_the_data_and_its_control_avoids_the_adam_confound():
    claim = CLAIMS["varma2023.ungrokking"]
    for arm, at in claim.arms("quick").items():
        for run in claim.runs(100, at).values():
            assert run.start.n_train == run.task.size
            assert run.start.optimiser.weight_decay == 1.0
            if arm != CLAIM and run.n_train == run.task.n_train(at.little):
                assert run.optimiser.weight_decay == 0
                assert run.optimiser.eps >= 1e-4


# -- Efficiency --------------------------------------------------------------------------------------------------------


def memorising(arm, seed, run, *, slope=-0.8):
    exponent = slope if run.labels == "random" else -0.15
    return trained(run, efficiency=run.n_train**exponent * math.exp(noise(seed)))


def test_memorisation_efficiency():
    id = "varma2023.memorisation_efficiency"
    found = verdict(id, memorising)
    assert found.status is Status.PASS
    assert found.criteria[0].estimate == pytest.approx(-0.8)
    assert verdict(id, lambda *a: memorising(*a, slope=0.8)).status is Status.FAIL
    assert verdict(id, lambda *a: memorising(*a, slope=0.0)).status is Status.FAIL
    # If generalising networks lost efficiency alike, the claim would say nothing about memorising ones.
    assert verdict(id, lambda arm, s, run: trained(run, efficiency=run.n_train**-0.8)).status is Status.INVALID


def test_efficiency_waits_for_the_norm_to_settle():
    def drifting(arm, seed, run):
        base = memorising(arm, seed, run).trajectory
        moving = record(run, all_weight_norm=np.linspace(30, 70, len(STEPS))).trajectory
        table = pd.concat([base[base["quantity"] != "weight_norm"], moving])
        return Record(run, table, {}, lambda step: {})

    assert verdict("varma2023.memorisation_efficiency", drifting).status is Status.INVALID


def twin(arm, seed, run, *, ratio=1.0):
    factor = (2.3 if arm != CLAIM else ratio) if run.labels == "true" else 1.0
    return trained(run, efficiency=2e-3 * factor * math.exp(noise(seed + run.n_train)))


def test_random_label_twin():
    id = "varma2023.random_label_twin"
    assert verdict(id, twin).status is Status.PASS
    for ratio in (0.7, 1.4):
        assert verdict(id, lambda *a, ratio=ratio: twin(*a, ratio=ratio)).status is Status.FAIL
    assert verdict(id, lambda arm, s, run: twin(CLAIM, s, run)).status is Status.INVALID


# -- Toy model ---------------------------------------------------------------------------------------------------------


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


# -- All of them -------------------------------------------------------------------------------------------------------


@parametrize_claims(CLAIMS.values())
def test_every_claim_keeps_the_contract(claim, check):
    check(claim)


def test_what_a_claim_disputes_is_another_claim():
    for claim in CLAIMS.values():
        assert set(claim.disputes) <= CLAIMS.keys() - {claim.id}, claim.id
