"""Claims about the critical size: what is tried, what is fitted, and how the claims can come out."""

from __future__ import annotations

import dataclasses
import math

import pytest

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.varma2023.critical_size import (
    critical_size_from_scratch_invariance,
    hysteresis,
    share_of_bound,
    ungrokking_sharpness,
    weight_decay_invariance,
)
from grokscape.predictions.papers.varma2023.setup import NETWORKS, SEEDS, full_data_run, retraining_run
from grokscape.predictions.papers.varma2023.size_setup import SEARCH, SIZES, Sweep
from grokscape.predictions.terms import Setting, Tier
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.sweeps import evidence, noise, record, sigmoid, verdict

#: It has larger tiers only; what it measures shows on the networks of the quick one.
FROM_SCRATCH = dataclasses.replace(
    critical_size_from_scratch_invariance,
    tiers={
        "quick": Tier(SEEDS, {**NETWORKS["quick"], **SIZES, "sweeps": (Sweep("scratch"), Sweep("scratch", 0.5))}),
    },
)
AT = Setting({**NETWORKS["quick"], **SIZES, "sweeps": (Sweep("generalised"), Sweep("scratch", 0.5))})


def networks(arm, seed, run, *, half=370, scratch=550, steep=0.23, saturated=490, slower=1.03):
    """Networks as calibration found them."""
    decay = run.optimiser.weight_decay
    if run.start is None:
        middle = scratch * noise(seed + 1) * (slower * noise(seed + 2, 0.01) if decay == 0.5 else 1.0)
        return record(run, sigmoid(run.n_train, middle, 0.1))
    middle = {0.5: half / 1.025, 1.0: half, 2.0: saturated}[decay]
    return record(run, sigmoid(run.n_train, middle * noise(seed), steep), norm=54.0 if decay == 2.0 else 70.0)


# -- Sweeps ------------------------------------------------------------------------------------------------------------


def test_a_sweep_varies_the_retraining_and_never_the_start():
    for decay in (0.5, 1.0, 2.0):
        run = Sweep("generalised", decay).run(3, AT, 459)
        assert run.start == full_data_run(3, AT)
        assert (run.optimiser.weight_decay, run.n_train, run.steps) == (decay, 459, AT.steps)
    assert Sweep("generalised").run(3, AT, 274) == retraining_run(3, AT, 0.2)
    fresh = Sweep("scratch", 0.5).run(3, AT, 500)
    assert fresh.start is None
    assert (fresh.optimiser.weight_decay, fresh.n_train, fresh.steps) == (0.5, 500, 4000)


def test_sizes_that_are_tried_next_close_in_on_each_sweeps_own_critical_size():
    halves = {"generalised start, weight decay 1": 370, "from scratch, weight decay 0.5": 570}

    def train(runs):
        return {label: record(run, sigmoid(run.n_train, halves[label.split("/")[0]])) for label, run in runs.items()}

    records = train(SEARCH.first_runs(0, AT))
    assert len(records) == 8
    for _ in range(SEARCH.most):
        records |= train(SEARCH.more_runs(0, AT, records))
    assert SEARCH.more_runs(0, AT, records) == {}
    for sweep in AT.sweeps:
        tried = SEARCH.tried(records, sweep)
        assert list(tried) == sorted(tried)
        assert tried == pytest.approx({size: sigmoid(size, halves[sweep.name]) for size in tried})
        assert set(tried) - set(SEARCH.begin(AT, sweep)) <= set(SEARCH.grid(AT, sweep))
        assert SEARCH.critical_size(records, AT, sweep).estimate == pytest.approx(halves[sweep.name], rel=0.02)


def test_share_of_bound():
    run = Sweep("generalised", 2.0).run(0, AT, 459)
    parameters = 128 * (37 + 37 + 37)
    assert share_of_bound(record(run, norm=30.0)) == pytest.approx(30 / (math.sqrt(parameters) / 2))


# -- Claims ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim",
    [ungrokking_sharpness, weight_decay_invariance, hysteresis, FROM_SCRATCH],
    ids=lambda claim: claim.id,
)
def test_as_calibrated_every_claim_passes(claim):
    found = verdict(claim, networks)
    assert found.status is Status.PASS
    assert found.p < 1e-3


def test_sharpness():
    found = evidence(ungrokking_sharpness, networks, (100, 101))
    widths = found.sample("log10 of the size with 90 % over that with 10 %").values
    assert widths == pytest.approx([0.23, 0.23], abs=0.02)
    surrogate = found.sample("log10 of the size with 90 % over that with 10 %", arm="forgetting in proportion").values
    assert (surrogate > 0.6).all()
    tried = [o for o in found.observations if o.quantity.startswith("test accuracy") and o.arm == CLAIM]
    grid = len(SEARCH.grid(Setting(ungrokking_sharpness.tiers["quick"].setting), Sweep("generalised")))
    saved = found.sample("runs saved by adaptive sampling").values
    assert saved.sum() + len(tried) == 2 * grid
    assert verdict(ungrokking_sharpness, lambda *a: networks(*a, steep=0.45)).status is Status.FAIL


def test_a_critical_size_out_of_range_is_unknown_and_not_its_bound():
    for claim in (ungrokking_sharpness, hysteresis):
        found = verdict(claim, lambda *a: networks(*a, half=1200))
        assert found.status is Status.INVALID
        assert "out of range" in found.reason


def test_weight_decay_invariance():
    found = evidence(weight_decay_invariance, networks, (100, 101))
    assert found.sample("log ratio of the critical sizes").values == pytest.approx(math.log(1.025), abs=0.01)
    ratio = found.sample("log ratio of the critical sizes", arm="saturated weights").values
    assert ratio == pytest.approx(math.log(490 / 370), abs=0.02)

    def shifted(arm, seed, run):
        other = run.optimiser.weight_decay == 0.5
        return networks(arm, seed, run, half=300 if other else 370)

    assert verdict(weight_decay_invariance, shifted).status is Status.FAIL
    # A control that is invariant too leaves nothing that the claim could be told from.
    assert verdict(weight_decay_invariance, lambda *a: networks(*a, saturated=370)).status is Status.INVALID


def test_weight_decay_invariance_refuses_weights_at_the_optimisers_bound():
    def bounded(arm, seed, run):
        return record(run, sigmoid(run.n_train, 370), norm=0.9 * math.sqrt(14208) / run.optimiser.weight_decay)

    found = verdict(weight_decay_invariance, bounded)
    assert found.status is Status.INVALID
    assert "norm" in found.reason


def test_hysteresis():
    found = evidence(hysteresis, networks, (100, 101))
    expected = [math.log(370 * noise(s) / (550 * noise(s + 1))) for s in (100, 101)]
    assert found.sample("log ratio of the critical sizes").values == pytest.approx(expected, abs=0.02)
    assert found.sample("log ratio of the critical sizes", arm="the same past").values == pytest.approx(
        -math.log(1.025), abs=0.01
    )
    assert verdict(hysteresis, lambda *a: networks(*a, scratch=372)).status is Status.FAIL


def test_critical_size_from_scratch_invariance():
    found = evidence(FROM_SCRATCH, networks, (100, 101))
    expected = [-math.log(1.03 * noise(s + 2, 0.01)) for s in (100, 101)]
    assert found.sample("log ratio of the critical sizes").values == pytest.approx(expected, abs=0.02)
    found = verdict(FROM_SCRATCH, lambda *a: networks(*a, slower=0.78))
    assert found.status is Status.FAIL
