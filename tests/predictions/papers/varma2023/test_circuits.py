"""Trigonometric parts of logits: against closed forms and the instrument, and the claims on networks made by hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from grokscape.landscape.measures.circuits import cyclic, split_by_projection
from grokscape.landscape.models import Perceptron
from grokscape.landscape.problem import Problem
from grokscape.landscape.tasks import BinaryOperation
from grokscape.landscape.training.run import Run
from grokscape.predictions.evidence import CLAIM, Evidence, Observation
from grokscape.predictions.judge import judge
from grokscape.predictions.papers.varma2023.circuits import (
    first_kept,
    kept_steps,
    norm_reallocation,
    trigonometric_isolation,
    trigonometric_share,
)
from grokscape.predictions.papers.varma2023.logits import (
    gains,
    log_loss,
    logit_scaling,
    logits_of,
    share,
    split_of,
    trigonometric,
)
from grokscape.predictions.prediction import Setting, Tier
from grokscape.predictions.verdict import Status
from tests.predictions.test_claims import trained

P, PHASES, NOISE = 11, 8, 24
SMALL = {"task": BinaryOperation(p=P), "model": Perceptron(width=PHASES + NOISE, activation="quadratic")}


def weights_of(run, *, rule=1.0, noise=0.0):
    """A quadratic perceptron whose logits are cos(w (a + b - c)) (1 + cos(w (a - b))) / 2 times `rule`, and noise.

    Neurons (cos(w a + u) + cos(w b + u))^2 are read by cos(w c + 2 u); over eight phases u all other products cancel.
    """
    rng = np.random.default_rng(run.seed)
    angles, phases = 2 * math.pi * np.arange(P)[:, None] / P, 2 * math.pi * np.arange(PHASES) / PHASES
    operand, read = np.cos(angles + phases), np.cos(angles + 2 * phases).T / PHASES
    hidden = np.concatenate([np.stack([operand, operand]), rng.normal(size=(2, P, NOISE))], 2)
    output = np.concatenate([rule * read, noise * rng.normal(size=(NOISE, P))])
    return {"hidden": hidden, "output": output}


def made(run, *, test=1.0, train=1.0, **parts):
    weights = weights_of(run, **parts)
    return dataclasses.replace(trained(run, test=test, train=train), load_weights=lambda step: weights)


def run_on(fraction, seed=0, **changes):
    return Run(**SMALL, n_train=round(fraction * P * P), seed=seed, steps=100, **changes)


def judged(claim, behave, **setting):
    """Judge a claim about small networks made by ``behave(arm, run)``."""
    small = {"quick": Tier(claim.tiers["quick"].seeds, {**claim.tiers["quick"].setting, **SMALL, **setting})}
    claim = dataclasses.replace(claim, tiers=small)
    observations = []
    for arm, at in claim.arms("quick").items():
        for seed in claim.tiers["quick"].seeds:
            records = {label: behave(arm, run) for label, run in claim.runs(seed, at).items()}
            observations += [
                Observation(m.quantity, m.value, m.at, m.censored, arm=arm, seed=seed)
                for m in claim.measure(records, at)
            ]
    return judge(claim, "quick", Evidence(tuple(observations)))


# -- The trigonometric part --------------------------------------------------------------------------------------------


def test_share_of_a_network_made_by_hand():
    """Waves in a + b - c of amplitude (1 + cos(w (a - b))) / 2, which is 1/2 on average and has the mean square 3/8."""
    logits = logits_of(made(run_on(0.5)))
    answers = SMALL["task"].labels
    ruled = trigonometric(logits, answers)
    element = (answers[:, None] - torch.arange(P)) % P
    torch.testing.assert_close(ruled, torch.cos(2 * math.pi * element.double() / P) / 2)
    assert share(logits, answers) == pytest.approx(math.sqrt(2 / 3))


def test_share_of_a_table_is_the_root_of_the_fraction_and_nothing_where_it_is_silent():
    run = run_on(0.4)
    train, held_out = split_of(run)
    answers = run.task.labels
    table = torch.zeros(P * P, P, dtype=torch.float64)
    table[train] = F.one_hot(answers[train], P).double() - 1 / P
    assert share(table, answers) == pytest.approx(math.sqrt(len(train) / P**2))
    assert float(trigonometric(table[held_out], answers[held_out]).norm()) == 0


def test_share_of_noise_is_that_of_its_dimensions():
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=(P * P, P)))
    noise -= noise.mean(1, keepdim=True)
    assert share(noise, SMALL["task"].labels) == pytest.approx(1 / P, abs=0.05)


def test_it_is_the_projection_of_the_instrument():
    run = run_on(0.6, seed=3)
    record = made(run, noise=0.05)
    train, test = split_of(run)
    inputs, answers = run.task.inputs, run.task.labels
    network = run.model.build(run.task).double()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in record.weights().items()})
    problem = Problem(network, F.cross_entropy, (inputs[train], answers[train]), test=(inputs[test], answers[test]))
    split = split_by_projection(problem, cyclic(P, inputs), average="all", nulls=1)
    torch.testing.assert_close(trigonometric(logits_of(record), answers), split.generalising.outputs(inputs))


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
    from grokscape.predictions.papers.varma2023.ungrokking import ungrokking

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


# -- Scaling -----------------------------------------------------------------------------------------------------------


def test_log_loss_against_torch_and_far_below_its_rounding():
    rng = np.random.default_rng(1)
    logits, labels = torch.from_numpy(rng.normal(size=(50, P))), torch.from_numpy(rng.integers(0, P, 50))
    assert log_loss(logits, labels) == pytest.approx(float(F.cross_entropy(logits, labels).log()))
    certain = 200.0 * F.one_hot(labels, P).double()  # a loss of 10 exp(-200), which is no difference of floats
    assert log_loss(certain, labels) == pytest.approx(math.log(P - 1) - 200)
    wrong = 50 * certain.roll(1, 1)
    assert log_loss(wrong, labels) == pytest.approx(math.log(1e4))


def test_scaling_lowers_the_loss_of_a_perfect_network_by_what_the_closed_form_says():
    at = Setting({"factors": (1.1, 2.0)})
    run = run_on(1.0)
    found = {(m.quantity, m.at): m.value for m in gains({"generalising": made(run, rule=10.0)}, at)}
    logits, labels = logits_of(made(run, rule=10.0)), run.task.labels
    expected = F.cross_entropy(2 * logits, labels).log() - F.cross_entropy(logits, labels).log()
    assert found["log ratio of losses, generalising", 2.0] == pytest.approx(float(expected))
    assert found["training errors", None] == 0


def scaled(arm, run, *, errs=False):
    """Perfect networks answer every example; others answer by a rule that is not that of their labels."""
    perfect = arm == CLAIM and not errs
    return made(run, rule=10.0 if perfect else -10.0)


def test_logit_scaling():
    claim = dataclasses.replace(
        logit_scaling, runs=lambda seed, at: {"generalising": run_on(0.9, seed)}
    )  # random labels need training
    found = judged(claim, scaled)
    assert found.status is Status.PASS
    assert found.controls[0].outcome == "falsified"
    assert judged(claim, lambda *a: scaled(*a, errs=True)).status is Status.INVALID
