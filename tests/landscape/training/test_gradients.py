"""Catches a recorded gradient that differs in a bit from the one it stands for, or that outlives its data."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from grokscape.landscape.models import Dense, Perceptron, Transformer
from grokscape.landscape.stack import Stack
from grokscape.landscape.tasks import BinaryOperation, TeacherStudent
from grokscape.landscape.training import gradients
from grokscape.landscape.training.gradients import OneByOne
from grokscape.landscape.training.stop import Stop
from tests.landscape.helpers import assert_same_bits, small_run, train, train_alone

PAIRS, VALUES = BinaryOperation(p=11), TeacherStudent(examples=40, widths=(6, 6))
NETWORKS = [
    pytest.param(PAIRS, Perceptron(width=16), "cross_entropy", id="perceptron"),
    pytest.param(PAIRS, Perceptron(width=16, activation="quadratic", bias=True, embedding=5), "mse", id="embedded"),
    pytest.param(PAIRS, Transformer(width=8, heads=2, hidden=16), "cross_entropy", id="transformer"),
    pytest.param(VALUES, Dense(widths=(9, 7), activation="tanh"), "mse", id="dense"),
]


def made(task: Any, model: Any, loss: str, runs: int = 5) -> tuple[OneByOne, Tensor]:
    networks = []
    for seed in range(runs):
        network = model.build(task)
        network.initialise(seed=seed)
        networks.append(dict(network.state_dict()))
    stack = Stack(network)
    chosen = torch.stack([task.split(30, seed=seed).train for seed in range(runs)])
    inputs = task.inputs if task.inputs.dtype == torch.int64 else task.inputs.float()
    labels = task.labels if task.tolerance is None else task.labels.float()
    return OneByOne(stack, loss, inputs[chosen], labels[chosen]), stack.rows(networks)


@pytest.mark.parametrize(("task", "model", "loss"), NETWORKS)
def test_a_recorded_gradient_is_the_same_in_every_bit(
    task: Any, model: Any, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradients, "RECORD_AFTER", 8)  # in the middle of the second step
    gradient, rows = made(task, model, loss)
    before = gradient.gradient
    for _ in range(5):
        recorded = gradient(rows)
        plain = torch.stack([before(row, *data) for row, data in zip(rows, gradient.data, strict=True)])
        assert torch.equal(recorded, plain)
        assert recorded.abs().max() > 0
        rows = rows - 0.5 * recorded
    assert gradient.gradient is not before


def test_every_runs_data_begin_on_a_boundary() -> None:
    gradient, rows = made(VALUES, Dense(widths=(9, 7)), "mse")
    assert rows.stride(0) % 16 == 0
    assert {tensor.data_ptr() % 64 for data in gradient.data for tensor in data} == {0}


@pytest.mark.parametrize("compiled", ["1", "0"])
def test_members_that_leave_take_their_data_with_them(compiled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What computes gradients holds the data; when the ensemble shrinks, it must be made anew."""
    monkeypatch.setattr(gradients, "RECORD_AFTER", 9)
    monkeypatch.setenv("GROKSCAPE_COMPILED", compiled)
    early = Stop(quantity="accuracy", split="train", above=0.0, records=2)
    runs = [small_run(seed=seed, steps=60, stop=(early,) if seed == 1 else ()) for seed in range(4)]
    together = train(runs)
    for run in runs:
        assert_same_bits(together[run.identity], train_alone(run))
    assert together[runs[1].identity].info["last_step"] < 60
