"""What circuits cost: claims judged on made-up records that behave as claimed, as in the control, or the other way."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.varma2023.efficiency import efficiency_by_size, efficiency_falls_with_data, slope
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.steps import STEPS, noise, record, trained, verdict

GENERALISES = 0.55  # share of the data


def test_slope_is_that_of_a_power_law():
    assert slope({size: 3.0 * size**-0.8 for size in (100, 300, 1000)}) == pytest.approx(-0.8)


# -- Efficiency of generalisation --------------------------------------------------------------------------------------


def costs(arm, seed, run, *, generalising=-0.15, memorising=-0.9, test=1.0):
    exponent = memorising if run.labels == "random" else generalising
    efficiency = run.n_train**exponent * math.exp(noise(seed + run.n_train))
    return trained(run, efficiency=efficiency, test=test if run.labels == "true" else 0.02)


def test_generalisation_efficiency():
    id = "varma2023.generalisation_efficiency"
    found = verdict(id, costs)
    assert found.status is Status.PASS
    assert found.controls[0].outcome == "falsified"
    assert [c.estimate for c in found.criteria] == pytest.approx([-0.15, 0.75], abs=0.03)
    assert verdict(id, lambda *a: costs(*a, generalising=-0.8)).status is Status.FAIL
    assert verdict(id, lambda *a: costs(*a, generalising=0.8)).status is Status.FAIL
    flat = verdict(id, lambda *a: costs(*a, generalising=-0.1, memorising=-0.1))  # memorising is as flat
    assert flat.status is Status.FAIL
    assert "less that of memorising" in flat.reason


def test_generalisation_efficiency_asks_for_networks_that_generalise():
    id = "varma2023.generalisation_efficiency"
    found = verdict(id, lambda *a: costs(*a, test=0.9))
    assert found.status is Status.INVALID
    assert "test accuracy" in found.reason


# -- Spread of efficiency ----------------------------------------------------------------------------------------------


def scattered(arm, seed, run, *, generalising=0.06, memorising=0.006):
    spread = memorising if run.labels == "random" else generalising
    efficiency = 2e-3 * math.exp(spread * np.random.default_rng(seed).standard_normal())
    return trained(run, efficiency=efficiency, test=1.0 if run.labels == "true" else 0.02)


def test_efficiency_spread():
    id = "varma2023.efficiency_spread"
    assert verdict(id, scattered).status is Status.PASS
    assert verdict(id, lambda *a: scattered(*a, generalising=0.006)).status is Status.FAIL
    alike = verdict(id, lambda *a: scattered(*a, memorising=0.06))  # memorising ones differ as much
    assert alike.status is Status.INVALID


# -- Efficiency of the whole classifier --------------------------------------------------------------------------------


def classifier(arm, seed, run, *, sign=1):
    """Falls while the network memorises, and hardly changes once it generalises."""
    share = min(run.n_train / run.task.size, GENERALISES) + 0.05 * run.n_train / run.task.size
    return trained(run, efficiency=share ** (-sign * 0.8))


def test_efficiency_falls_with_data():
    id = "varma2023.efficiency_falls_with_data"
    found = verdict(id, classifier)
    assert found.status is Status.PASS
    assert found.controls[0].outcome == "falsified"
    assert verdict(id, lambda *a: classifier(*a, sign=-1)).status is Status.FAIL
    assert verdict(id, lambda arm, s, run: trained(run, efficiency=2e-3)).status is Status.FAIL  # no order


def test_its_control_deals_out_the_same_sizes_in_another_order():
    arms = efficiency_falls_with_data.arms("quick")
    measured = {}
    for arm, at in arms.items():
        records = {label: classifier(arm, 3, run) for label, run in efficiency_falls_with_data.runs(3, at).items()}
        measured[arm] = {m.at: m.value for m in efficiency_by_size(records, at) if m.quantity == "efficiency"}
    own, exchanged = measured[CLAIM], measured["sizes exchanged"]
    assert own.keys() == exchanged.keys()
    assert sorted(own.values()) == sorted(exchanged.values())
    assert own != exchanged


# -- Efficiency of memorisation, and random labels as a stand-in -------------------------------------------------------


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
