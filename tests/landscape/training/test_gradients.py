"""Catches a recorded gradient that differs in a bit from the one it stands for, or that outlives its data."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from landscape.ensemble import Stack
from landscape.models import Dense, Perceptron, Transformer
from landscape.objectives import OBJECTIVES
from landscape.tasks import BinaryOperation, TeacherStudent
from landscape.training import gradients
from landscape.training.gradients import Gradients
from landscape.training.stop import Stop
from tests.landscape.helpers import assert_same_bits, small_run, train, train_alone

PAIRS, VALUES = BinaryOperation(p=11), TeacherStudent(examples=40, widths=(6, 6))
NETWORKS = [
    pytest.param(PAIRS, Perceptron(width=16), "cross_entropy", id="perceptron"),
    pytest.param(PAIRS, Perceptron(width=16, activation="quadratic", bias=True, embedding=5), "mse", id="embedded"),
    pytest.param(PAIRS, Transformer(width=8, heads=2, hidden=16), "cross_entropy", id="transformer"),
    pytest.param(VALUES, Dense(widths=(9, 7), activation="tanh"), "mse", id="dense"),
]


def made(task: Any, model: Any, loss: str, runs: int = 5) -> tuple[Gradients, Tensor]:
    networks = []
    for seed in range(runs):
        network = model.build(task)
        network.initialise(seed=seed)
        networks.append(dict(network.state_dict()))
    stack = Stack(network)
    chosen = torch.stack([task.split(30, seed=seed).train for seed in range(runs)])
    inputs = task.inputs if task.inputs.dtype == torch.int64 else task.inputs.float()
    labels = task.labels if task.tolerance is None else task.labels.float()
    width = 4 * 30 * model.activations(task)
    return Gradients(stack, OBJECTIVES[loss], inputs[chosen], labels[chosen], width), stack.rows(networks)


@pytest.mark.parametrize(("task", "model", "loss"), NETWORKS)
def test_a_recorded_gradient_is_the_same_in_every_bit(
    task: Any, model: Any, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradients, "RECORD_AFTER", 2)
    gradient, rows = made(task, model, loss)
    before = list(gradient.gradients)
    for _ in range(5):
        recorded = gradient(rows)
        plain = torch.cat([one(part) for one, part in zip(before, rows.split(gradient.sizes), strict=True)])
        assert torch.equal(recorded, plain)
        assert recorded.abs().max() > 0
        rows = rows - 0.5 * recorded
    assert gradient.gradients[0] is not before[0]


@pytest.mark.parametrize(("most", "sizes"), [(5, [5]), (4, [3, 2]), (2, [3, 2]), (1, [1] * 5)])
def test_pieces_fit_the_cache_and_none_is_a_single_run_unless_all_are(
    most: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradients, "CACHE", most * 4 * 30 * 16)
    gradient, rows = made(PAIRS, Perceptron(width=16), "cross_entropy")
    assert gradient.sizes == [len(inputs) for inputs, _ in gradient.data] == sizes
    monkeypatch.setattr(gradients, "CACHE", math.inf)
    whole, _ = made(PAIRS, Perceptron(width=16), "cross_entropy")
    assert torch.allclose(gradient(rows), whole(rows), rtol=1e-5, atol=1e-7)


def test_members_that_leave_take_their_data_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorded gradient holds its data; when the ensemble shrinks, it must be made anew."""
    monkeypatch.setattr(gradients, "RECORD_AFTER", 3)
    early = Stop(quantity="accuracy", split="train", above=0.0, records=2)
    runs = [small_run(seed=seed, steps=60, stop=(early,) if seed == 1 else ()) for seed in range(4)]
    together = train(runs)
    for run in runs:
        assert_same_bits(together[run.identity], train_alone(run))
    assert together[runs[1].identity].info["last_step"] < 60
