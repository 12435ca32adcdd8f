"""Claims about ungrokking: which subsets are kept, and what is measured of kept and removed examples."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.landscape.optimisers import AdamW
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.varma2023.setup import full_data_run
from grokscape.predictions.papers.varma2023.ungrokking import removal_alone, ungrokking
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.sweeps import evidence, noise, record, verdict


def removing(arm, seed, run, *, forgets=True, kept=1.0):
    few = run.n_train < 0.3 * run.task.size and run.optimiser.weight_decay > 0
    left = 0.002 * noise(run.seed, 0.5) if few and forgets else 1.0
    return record(run, left, train=np.array([1.0, 1.0, kept, 1.0, 1.0]))


def test_three_independent_subsets_are_kept_of_one_network():
    at = Setting(removal_alone.tiers["quick"].setting)
    runs = removal_alone.runs(4, at).values()
    assert {run.start for run in runs} == {full_data_run(4, at)}
    kept = [set(run.task.split(run.n_train, seed=run.seed).train.tolist()) for run in runs]
    assert [len(subset) for subset in kept] == [137] * 3
    # Independent subsets of a tenth share about a tenth of their examples.
    assert all(len(a & b) < 30 for i, a in enumerate(kept) for b in kept[:i])


def test_the_controls_share_their_runs_with_those_of_ungrokking():
    runs = {run for arm, at in ungrokking.arms("quick").items() for run in ungrokking.runs(4, at).values()}
    for arm, at in removal_alone.arms("quick").items():
        if arm != CLAIM:
            assert set(removal_alone.runs(4, at).values()) <= runs
    without = Setting(removal_alone.arms("quick")["no weight decay"])
    (run,) = removal_alone.runs(4, without).values()
    assert run.optimiser == AdamW(lr=1e-2, weight_decay=0.0, eps=1e-4)


def test_removal_alone():
    seeds = range(100, 107)  # where all of them agree, falsifying one criterion of two takes seven
    found = verdict(removal_alone, removing, seeds)
    assert found.status is Status.PASS
    assert found.p < 1e-3
    assert {control.outcome for control in found.controls} == {"falsified"}
    assert verdict(removal_alone, lambda *a: removing(*a, forgets=False), seeds).status is Status.FAIL
    # Kept examples that were lost on the way would make it forgetting of another kind.
    assert verdict(removal_alone, lambda *a: removing(*a, kept=0.5), seeds).status is Status.FAIL


def test_the_best_of_the_subsets_counts():
    def one_survives(arm, seed, run):
        return record(run, 1.0 if run.seed >= 2000 else 0.0)

    found = evidence(removal_alone, one_survives, (100,))
    assert found.sample("largest accuracy on removed examples, as a multiple of chance").values == pytest.approx([37])
    assert found.sample("lowest accuracy on kept examples minus largest on removed").values == pytest.approx([0])
    assert found.sample("accuracy on removed examples").values.tolist() == [[0.0, 0.0, 1.0]]


# -- Ungrokking --------------------------------------------------------------------------------------------------------


def forgetting(arm, seed, run, *, sign=1):
    share = run.n_train / run.task.size
    keeps = arm != CLAIM or (share > 0.35) == (sign > 0)
    return record(run, 1.0 if keeps else 0.0)


SEEDS = range(100, 110)


def test_ungrokking():
    assert verdict(ungrokking, forgetting, SEEDS).status is Status.PASS
    assert verdict(ungrokking, lambda *a: forgetting(*a, sign=-1), SEEDS).status is Status.FAIL
    assert verdict(ungrokking, lambda arm, s, run: record(run, 1.0), SEEDS).status is Status.FAIL  # nobody forgets
    confounded = verdict(
        ungrokking, lambda arm, s, run: forgetting(CLAIM, s, run), SEEDS
    )  # the optimiser alone forgets
    assert confounded.status is Status.INVALID
    assert "no weight decay" in confounded.reason


def test_ungrokking_starts_from_all_the_data_and_its_control_avoids_the_adam_confound():
    for arm, at in ungrokking.arms("quick").items():
        for run in ungrokking.runs(100, at).values():
            assert run.start.n_train == run.task.size
            assert run.start.optimiser.weight_decay == 1.0
            if arm != CLAIM and run.n_train == run.task.n_train(at.little):
                assert run.optimiser.weight_decay == 0
                assert run.optimiser.eps >= 1e-4
