"""Claims about circuits, on networks made by hand."""

from __future__ import annotations

import dataclasses

import numpy as np

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.varma2023.circuits import (
    first_kept,
    kept_steps,
    norm_reallocation,
    trigonometric_isolation,
    trigonometric_share,
)
from grokscape.predictions.papers.varma2023.ungrokking import ungrokking
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.steps import trained
from tests.predictions.papers.varma2023.by_hand import judged, made, run_on, weights_of

# -- Retraining on less ------------------------------------------------------------------------------------------------


def fading(arm, run, *, sign=1):
    """The rule's logits weaken as data are taken away, and noise comes in."""
    kept = run.n_train / run.task.size
    strength = kept if sign > 0 else 0.7 - kept
    return made(run, rule=10 * strength, noise=0.3 * (0.7 - strength))


def test_trigonometric_share():
    found = judged(trigonometric_share, fading)
    assert found.status is Status.PASS
    assert found.controls[0].outcome == "falsified"
    assert judged(trigonometric_share, lambda *a: fading(*a, sign=-1)).status is Status.FAIL
    assert judged(trigonometric_share, lambda arm, run: made(run)).status is Status.FAIL  # nothing fades


def test_its_runs_are_those_of_ungrokking():
    at = Setting(trigonometric_share.tiers["quick"].setting)
    ours = {run.identity for run in trigonometric_share.runs(3, at).values()}
    theirs = ungrokking.runs(3, Setting(ungrokking.tiers["quick"].setting)).values()
    assert ours <= {run.identity for run in theirs}


# -- Isolation ---------------------------------------------------------------------------------------------------------


def apart(arm, run, *, memorising=0.0):
    generalises = run.labels == "true"
    return made(run, rule=1.0 if generalises else memorising, noise=0.0 if generalises else 1.0)


def test_trigonometric_isolation():
    criteria = tuple(
        dataclasses.replace(c, rule=dataclasses.replace(c.rule, threshold=min(c.rule.threshold, 0.7)))
        for c in trigonometric_isolation.criteria
    )
    claim = dataclasses.replace(trigonometric_isolation, criteria=criteria)  # a share of sqrt(2/3) is the best here
    found = judged(claim, apart)
    assert found.status is Status.PASS
    assert found.controls[0].outcome == "falsified"
    assert judged(claim, lambda *a: apart(*a, memorising=1e3)).status is Status.FAIL
    assert judged(trigonometric_isolation, apart).status is Status.FAIL  # below the floor
    unable = judged(claim, lambda arm, run: made(run, test=0.5, noise=1.0))
    assert unable.status is Status.INVALID


# -- Reallocation ------------------------------------------------------------------------------------------------------

STEPS = {"scratch_steps": 3000}


def moving(arm, run, *, sign=1, learns=None):
    """Noise gives way to the rule from step 100 on, if there is one."""
    learns = run.labels == "true" if learns is None else learns
    steps = np.array([0, 1, 10, 50, 100, 1000, 2000, 2400, 2700, 2800, 2900, 3000])
    base = trained(run, train=np.where(steps >= 50, 1.0, 0.1), test=np.where(steps >= 1000, float(learns), 0.0))

    def weights(step):
        late = min(1.0, max(0.0, (step - 100) / 900))
        late = late if sign > 0 else 1 - late
        strength = 1 + late if learns else 0.0
        return weights_of(run, rule=30 * strength * late, noise=0.02 + 0.2 * (1 - late))

    return dataclasses.replace(base, load_weights=weights)


def test_norm_reallocation():
    found = judged(norm_reallocation, moving, **STEPS)
    assert found.status is Status.PASS
    assert found.controls[0].outcome == "falsified"
    assert judged(norm_reallocation, lambda *a: moving(*a, sign=-1), **STEPS).status is Status.FAIL
    never = judged(norm_reallocation, lambda *a: moving(*a, learns=False), **STEPS)
    assert never.status is Status.INVALID


def test_kept_steps_reach_from_ten_to_the_end_and_are_few():
    for tier in norm_reallocation.tiers.values():
        kept = kept_steps(Setting(tier.setting))
        assert kept[0] == 10
        assert kept[-1] == tier.setting["scratch_steps"]
        assert len(kept) == 16


def test_first_kept_step_after_a_crossing_or_the_last():
    at = Setting(STEPS)
    record = moving(CLAIM, run_on(0.5))
    assert first_kept(record, at, "train", 0.99) == min(step for step in kept_steps(at) if step >= 50)
    assert first_kept(moving(CLAIM, run_on(0.5), learns=False), at, "test", 0.9) == 3000
