"""The project's own claims: where the efficiencies cross, and that the start decides between two sizes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grokscape.predictions.papers.grokscape2026.coexistence import (
    coexistence,
    crossing_of_efficiencies,
    static_prediction,
)
from grokscape.predictions.papers.varma2023.efficiency import memorisation_efficiency
from grokscape.predictions.papers.varma2023.setup import network_run
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.sweeps import evidence, noise, record, sigmoid, verdict


def networks(arm, seed, run, *, crossing=460, lost=370, found=550, margins=330):
    """Networks whose efficiencies cross at one size, and whose margins alone are equal at another."""
    decay = run.optimiser.weight_decay
    if run.start is not None:
        return record(run, sigmoid(run.n_train, lost * (1.3 if decay == 2.0 else 1.0) * noise(seed)))
    memorises = run.labels == "random" or run.n_train < 300
    efficiency, margin = 1.0, 10.0
    if memorises:
        efficiency = (run.n_train / (crossing * noise(seed + 1))) ** -0.8
        margin *= (run.n_train / (margins * noise(seed + 2))) ** -0.1
    test = 0.0 if run.labels == "random" else sigmoid(run.n_train, found * noise(seed + 3), 0.1)
    return record(run, test, efficiency=efficiency, norm=math.sqrt(margin / efficiency))


def apart(seed, at, **sizes):
    runs = static_prediction.runs(seed, at)
    return {label: networks("", seed, run, **sizes) for label, run in runs.items()}


@pytest.mark.parametrize("crossing", [200, 460, 1000])
def test_crossing_of_efficiencies(crossing):
    at = Setting(static_prediction.tiers["quick"].setting)
    found, known = crossing_of_efficiencies(apart(0, at, crossing=crossing), at)
    assert known
    assert found == pytest.approx(crossing * noise(1), rel=1e-6)
    bare = Setting({**at, "kappa": 0.0})
    assert crossing_of_efficiencies(apart(0, bare, crossing=crossing), bare)[0] == pytest.approx(330 * noise(2))


def test_a_crossing_out_of_range_is_not_known():
    at = Setting(static_prediction.tiers["quick"].setting)
    assert crossing_of_efficiencies(apart(0, at, crossing=20), at) == (110, False)
    assert crossing_of_efficiencies(apart(0, at, crossing=5000), at) == (1232, False)
    found = verdict(static_prediction, lambda *a: networks(*a, crossing=5000))
    assert found.status is Status.INVALID
    assert "crossings out of range" in found.reason


def test_the_circuits_apart_are_those_of_the_claim_on_memorisation():
    at = Setting(static_prediction.tiers["quick"].setting)
    mine = set(static_prediction.runs(3, at).values())
    for arm in memorisation_efficiency.arms("quick").values():
        assert set(memorisation_efficiency.runs(3, arm).values()) <= mine


def test_static_prediction():
    found = verdict(static_prediction, networks)
    assert found.status is Status.PASS
    assert {control.outcome for control in found.controls} == {"falsified"}
    assert verdict(static_prediction, lambda *a: networks(*a, crossing=320)).status is Status.FAIL
    assert verdict(static_prediction, lambda *a: networks(*a, crossing=700)).status is Status.FAIL


def test_coexistence():
    found = verdict(coexistence, networks)
    assert found.status is Status.PASS
    assert found.p < 1e-3
    at = Setting(coexistence.tiers["quick"].setting)
    measured = evidence(coexistence, networks, (100,))
    gains = measured.sample("accuracy that the start makes")
    n = at.task.n_train(0.335)
    expected = sigmoid(n, 370 * noise(100)) - sigmoid(n, 550 * noise(103), 0.1)
    assert gains.levels.tolist() == [0.5, 1.0]
    assert gains.values[0] == pytest.approx([expected] * 2)
    lost = measured.sample("share of the data where generalisation is lost")
    assert lost.levels.tolist() == [0.5, 1.0, 2.0]
    assert lost.values[0] == pytest.approx(370 * noise(100) / 1369 * np.array([1.0, 1.0, 1.3]), rel=0.02)
    found_at = measured.sample("share of the data where generalisation is found", at=1.0)
    assert found_at.values == pytest.approx(550 * noise(103) / 1369, rel=0.02)
    crossing = measured.sample("share of the data where the efficiencies cross", at=1.0)
    assert crossing.values == pytest.approx(460 * noise(101) / 1369)
    drawn = {name for panel in coexistence.maps[0].panels for _, name in panel[1]} | set(coexistence.maps[0].boundaries)
    at_larger_tiers = {"test accuracy, from scratch, weight decay 2"}
    assert drawn - at_larger_tiers <= {o.quantity for o in measured.observations if o.at is not None}
    # A fresh network that finds it as early as the other loses it leaves nothing to the start.
    assert verdict(coexistence, lambda *a: networks(*a, found=360)).status is Status.FAIL


def test_the_weight_decay_where_the_start_makes_least_counts():
    def only_at_one(arm, seed, run):
        fresh = run.start is None and run.optimiser.weight_decay == 1.0
        return record(run, 0.1 if fresh else 0.9)

    found = evidence(coexistence, only_at_one, (100,))
    assert found.sample("least accuracy that the start makes").values == pytest.approx([0.0])


def test_the_control_of_coexistence_shares_its_fresh_networks():
    at = coexistence.arms("quick")["above both sizes"]
    fresh = [run for run in coexistence.runs(2, at).values() if run.start is None]
    assert fresh == [network_run(2, at, 0.6)]
    assert np.isclose(at.fraction, 0.6)
