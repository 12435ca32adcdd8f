"""Rival readings: made-up networks that behave as a rival says, as circuit efficiency says, or as the control says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grokscape.landscape.models import Perceptron
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.records.record import Record
from grokscape.landscape.tasks import BinaryOperation
from grokscape.landscape.training.run import Run
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.reviews2023.rival_readings import (
    accuracy_and_norm,
    accuracy_by_past,
    data_size_alone,
    forgetting_by_example,
    noise_suffices,
    pressure_needs_noise,
    removed_and_unseen,
)
from grokscape.predictions.papers.varma2023.ungrokking import ungrokking
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.steps import noise, record, trained, verdict


def values(measurements):
    return {m.quantity: m.value for m in measurements if m.at is None}


# -- Plain data size ---------------------------------------------------------------------------------------------------


def by_history(arm, seed, run, *, fresh=0.03):
    """Accuracy grows with the size; a fresh network's is `fresh` (None: that of a generalised one)."""
    share = run.n_train / run.task.size
    accuracy = min(1.0, 2.5 * share) if run.start is not None or fresh is None else fresh
    return trained(run, test=accuracy + 0.1 * noise(seed + run.n_train))


def test_data_size_alone():
    id = "reviews2023.data_size_alone"
    rival = verdict(id, lambda *a: by_history(*a, fresh=None))
    assert rival.status is Status.PASS
    assert rival.controls[0].outcome == "falsified"
    history = verdict(id, by_history)
    assert history.status is Status.FAIL
    assert history.criteria[0].estimate == pytest.approx(0.81, abs=0.02)
    nothing_learnt = verdict(id, lambda arm, s, run: trained(run, test=0.03 + 0.1 * noise(s + run.n_train)))
    assert nothing_learnt.status is Status.INVALID  # sizes that make no difference either


def test_histories_differ_in_nothing_but_the_start():
    at = data_size_alone.arms("quick")[CLAIM]
    first, second = data_size_alone.runs(0, at).values()
    assert first.n_train == second.n_train
    assert first.optimiser == second.optimiser
    assert first.start.n_train == first.task.size
    assert second.start is None


# -- Forgetting --------------------------------------------------------------------------------------------------------

SMALL = {
    "task": BinaryOperation(p=7),
    "model": Perceptron(width=49),
    "optimiser": AdamW(),
    "steps": 10,
    "seen": 0.75,
    "kept": 0.3,
    "groups": "by past",
}


def start_and_retrained(seed=0, **changes):
    runs = forgetting_by_example.runs(seed, Setting(SMALL | changes))
    return runs["start"], runs["retrained"]


def knows(run, known):
    """A record of a network with one neuron for each input, which answers the `known` inputs and no others."""
    p = run.task.p
    answers = torch.where(torch.isin(torch.arange(run.task.size), known), run.task.labels, (run.task.labels + 1) % p)
    hidden, output = np.full((2, p, p * p), -1.0, np.float32), np.zeros((p * p, p), np.float32)
    for neuron, (x, y) in enumerate(run.task.inputs.tolist()):
        hidden[0, x, neuron] = hidden[1, y, neuron] = 1.0
        output[neuron, answers[neuron]] = 1.0
    made = trained(run, test=0.5)
    return Record(run, made.trajectory, made.info, lambda step: {"hidden": hidden, "output": output})


def test_groups_are_what_the_networks_saw():
    start, retrained = start_and_retrained()
    removed, unseen = removed_and_unseen(start, retrained, "by past")
    kept = retrained.task.split(retrained.n_train, seed=0).train
    assert sorted(torch.cat([removed, unseen, kept]).tolist()) == list(range(start.task.size))
    assert len(removed) == start.n_train - retrained.n_train
    halves = removed_and_unseen(start, retrained, "halves of the unseen")
    assert sorted(torch.cat(halves).tolist()) == unseen.tolist()
    assert abs(len(halves[0]) - len(halves[1])) <= 1


@pytest.mark.parametrize(("remembered", "difference"), [("removed", 1.0), ("unseen", -1.0), ("both", 0.0)])
def test_accuracy_by_past(remembered, difference):
    start, retrained = start_and_retrained()
    removed, unseen = removed_and_unseen(start, retrained, "by past")
    known = {"removed": removed, "unseen": unseen, "both": torch.cat([removed, unseen])}[remembered]
    records = {"start": trained(start, test=1.0), "retrained": knows(retrained, known)}
    found = values(accuracy_by_past(records, Setting(SMALL)))
    assert found["accuracy on removed less that on never seen examples"] == difference
    # What was never seen has no past: both halves are known alike, or alike unknown.
    halves = values(accuracy_by_past(records, Setting(SMALL | {"groups": "halves of the unseen"})))
    assert halves["accuracy on removed less that on never seen examples"] == 0.0


def with_memory(arm, seed, run, *, kept=0.7):
    """All of the kept and the given share of the removed examples are known, and half of the never seen."""
    if run.start is None:
        return trained(run, test=1.0)
    pairs = Run(task=run.task, model=Perceptron(width=run.task.size), n_train=run.n_train, seed=seed, steps=1)
    removed, unseen = removed_and_unseen(run.start, run, "by past")
    rng = np.random.default_rng(seed)
    known = [
        group[torch.from_numpy(rng.random(len(group)) < share)] for group, share in ((removed, kept), (unseen, 0.5))
    ]
    made = knows(pairs, torch.cat(known))
    return Record(run_with_model(run, pairs.model), made.trajectory, made.info, made.load_weights)


def run_with_model(run, model):
    """The same retraining of another architecture: that whose weights are made up."""
    start = Run(task=run.task, model=model, n_train=run.start.n_train, seed=run.seed, steps=1)
    return Run(task=run.task, model=model, n_train=run.n_train, seed=run.seed, steps=1, start=start)


def test_forgetting_by_example():
    id = "reviews2023.forgetting_by_example"
    rival = verdict(id, with_memory)
    assert rival.status is Status.PASS
    assert rival.controls[0].outcome == "falsified"
    assert verdict(id, lambda *a: with_memory(*a, kept=0.5)).status is Status.FAIL


# -- Entropy -----------------------------------------------------------------------------------------------------------


def moved(run):
    """Which of noise and pressure a run has."""
    if run.optimiser.weight_decay:
        return "pressure"
    return "noise" if run.optimiser.eps < 1e-6 else "neither"


@pytest.mark.parametrize(("claim", "mover"), [(noise_suffices, "noise"), (pressure_needs_noise, "pressure")])
def test_movers_are_what_they_are_called(claim, mover):
    arms = {arm: moved(*claim.runs(0, at).values()) for arm, at in claim.arms("quick").items()}
    assert arms.pop(CLAIM) == mover
    assert mover not in arms.values()


def test_the_quiet_control_is_that_of_ungrokking():
    (quiet,) = noise_suffices.runs(0, noise_suffices.arms("quick")["neither noise nor pressure"]).values()
    assert quiet in ungrokking.runs(0, ungrokking.arms("quick")["no weight decay"]).values()


def losing(*movers):
    return lambda arm, seed, run: trained(run, test=0.0 if moved(run) in movers else 1.0)


def test_entropy():
    noise_alone, pressure_alone = "reviews2023.noise_suffices", "reviews2023.pressure_needs_noise"
    assert verdict(noise_alone, losing("noise")).status is Status.PASS
    assert verdict(noise_alone, losing("pressure")).status is Status.FAIL
    assert verdict(noise_alone, losing("noise", "neither")).status is Status.INVALID
    assert verdict(pressure_alone, losing("noise")).status is Status.PASS
    assert verdict(pressure_alone, losing("noise", "pressure")).status is Status.FAIL
    assert verdict(pressure_alone, losing()).status is Status.INVALID


def test_growth_of_the_norm():
    at = noise_suffices.arms("quick")[CLAIM]
    (run,) = noise_suffices.runs(0, at).values()
    growing = record(
        run, train_accuracy=1.0, train_loss=0.0, test_accuracy=0.5, all_weight_norm=np.linspace(70.0, 490.0, 12)
    )
    found = values(accuracy_and_norm({"retrained": growing}, at))
    assert found["weight norm at the end over that at the start"] == pytest.approx(7.0)
    assert found["test accuracy as a multiple of chance"] == pytest.approx(0.5 * 37)
