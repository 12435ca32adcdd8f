"""Catches compiled code that computes other gradients, outputs or trainings than PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.func import functional_call

from grokscape.landscape.fused import feed_forward
from grokscape.landscape.models import Dense, Perceptron
from grokscape.landscape.objectives import OBJECTIVES
from grokscape.landscape.optimisers import SGD, AdamW
from grokscape.landscape.stack import Stack
from grokscape.landscape.tasks import BinaryOperation, Permutations, SparseParity, TeacherStudent
from grokscape.landscape.training import arithmetic
from grokscape.landscape.training.network_ensemble import NetworkEnsemble
from tests.landscape.helpers import MemorySession, assert_same_bits, last_weights, small_run, train, train_alone
from tests.references import torch_optimiser, training_data

pytest.importorskip("numba")

PAIRS, MANY, VALUES = BinaryOperation(p=11), SparseParity(n=5, k=2), TeacherStudent(examples=60, widths=(6, 6))
SHAPES: dict[str, dict[str, Any]] = {
    "perceptron": {"task": PAIRS, "model": Perceptron(width=16)},
    "odd sizes": {"task": PAIRS, "model": Perceptron(width=13, bias=True)},
    "many outputs": {"task": BinaryOperation(p=17), "model": Perceptron(width=9, bias=True), "n_train": 210},
    "permutations": {"task": Permutations(n=4), "model": Perceptron(width=10, activation="quadratic")},
    "one class in two": {"task": MANY, "model": Perceptron(width=12, bias=True, embedding=3)},
    "embedded, quadratic": {
        "task": PAIRS, "model": Perceptron(width=17, activation="quadratic", bias=True, embedding=5), "loss": "mse",
    },
    "perceptron, mse": {"task": PAIRS, "model": Perceptron(width=16, activation="quadratic"), "loss": "mse"},
    "dense": {"task": VALUES, "model": Dense(widths=(9, 7), activation="tanh"), "loss": "mse"},
    "dense, no bias": {"task": VALUES, "model": Dense(widths=(16,), bias=False), "loss": "mse"},
    "deep": {"task": VALUES, "model": Dense(widths=(9, 8, 7), activation="quadratic"), "loss": "mse"},
}  # fmt: skip


def run_of(shape: dict[str, Any], **changes: Any) -> Any:
    return small_run(**({"n_train": 23} | shape | changes))


@pytest.fixture(params=[2**20, 1], ids=["whole", "blocks"], autouse=True)
def _block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute all examples at once, and in blocks of sixteen (and of seven at the end)."""
    monkeypatch.setattr(feed_forward, "BLOCK", request.param)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SHAPES)
def test_gradients_and_outputs_are_those_of_autograd(name: str, dtype: str) -> None:
    ensemble = NetworkEnsemble([run_of(SHAPES[name], seed=s, dtype=dtype) for s in range(3)], MemorySession())
    assert ensemble.logs[0].arithmetic == [arithmetic.COMPILED]
    tolerance = {"float32": 2e-6, "float64": 1e-14}[dtype]
    ensemble.rows.add_(torch.randn(ensemble.rows.shape, generator=torch.Generator().manual_seed(0)), alpha=0.1)
    ensemble.rows[:] = ensemble.stack.spread(ensemble.stack.compact(ensemble.rows))
    found = ensemble.gradients(ensemble.rows).clone()
    loss = OBJECTIVES[ensemble.first.loss]
    for row, gradient, inputs, labels in zip(
        ensemble.rows, found, ensemble.train_inputs, ensemble.train_labels, strict=True
    ):
        leaf = row.double().clone().requires_grad_()
        template = ensemble.stack.template.double()
        inputs = inputs.double() if inputs.is_floating_point() else inputs
        labels = labels.double() if labels.is_floating_point() else labels
        outputs = functional_call(template, ensemble.stack.tensors(leaf), (inputs,))
        expected = torch.autograd.grad(loss(outputs, labels).mean(), leaf)[0]
        assert (gradient - expected).abs().max() <= tolerance * expected.abs().max()
        assert expected.abs().max() > 1e-3
        everything = ensemble.inputs.double() if ensemble.inputs.is_floating_point() else ensemble.inputs
        exact = functional_call(template, ensemble.stack.tensors(row.double()), (everything,))
        assert (ensemble.output(row) - exact).abs().max() <= tolerance * exact.abs().max()
    assert not (ensemble.stack.spread(ensemble.stack.compact(found)) - found).any()  # nothing between parameters


@pytest.mark.parametrize("optimiser", [AdamW(lr=1e-2), SGD(lr=2e-3, momentum=0.8, weight_decay=1e-3)])
@pytest.mark.parametrize("name", SHAPES)
def test_a_training_is_that_of_torch_optim_step_by_step(name: str, optimiser: Any) -> None:
    run = run_of(SHAPES[name], dtype="float64", optimiser=optimiser, steps=60)
    outcome = train_alone(run)
    assert outcome.info["arithmetic"] == arithmetic.COMPILED
    network = run.model.build(run.task).double()
    network.initialise(seed=run.seed)
    inputs, labels = training_data(run)
    inputs, labels = (one.double() if one.is_floating_point() else one for one in (inputs, labels))
    steps = torch_optimiser(run.optimiser, list(network.parameters()))
    for _ in range(run.steps):
        steps.zero_grad()
        OBJECTIVES[run.loss](network(inputs), labels).mean().backward()
        steps.step()
    for name, parameter in network.named_parameters():
        assert np.allclose(last_weights(outcome)[name], parameter.detach().numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SHAPES)
def test_bits_do_not_depend_on_the_batch(name: str, dtype: str) -> None:
    runs = [run_of(SHAPES[name], seed=s, dtype=dtype) for s in range(4)]
    everybody = train(runs)
    for run in runs[::3]:
        assert_same_bits(train_alone(run), everybody[run.identity])
    for batch in (runs[1:3], runs[::-1]):
        for identity, outcome in train(batch).items():
            assert_same_bits(outcome, everybody[identity])


@pytest.mark.parametrize("name", SHAPES)
def test_a_record_is_that_of_pytorch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [run_of(SHAPES[name], seed=s, steps=6) for s in range(2)]
    compiled = NetworkEnsemble(runs, MemorySession()).measure()
    monkeypatch.setenv(arithmetic.SWITCH, "0")
    plain = NetworkEnsemble(runs, MemorySession()).measure()
    for one, other in zip(compiled, plain, strict=True):
        assert one.keys() == other.keys()
        assert ("train", "loss") in one
        for key, value in one.items():
            assert value == pytest.approx(other[key], rel=2e-6, abs=2e-7), key


def test_a_run_that_diverges_says_so() -> None:
    for shape in ("perceptron", "dense", "embedded, quadratic"):
        outcome = train_alone(run_of(SHAPES[shape], optimiser=SGD(lr=1e30), steps=50))
        assert outcome.info["stopped_by"] == "diverged", shape


def test_other_losses_are_left_to_pytorch() -> None:
    run = run_of(SHAPES["perceptron"])
    stack = Stack(run.model.build(run.task))
    offered = run.model.fused(run.task)
    inputs, labels = (one[None] for one in training_data(run))
    assert offered.gradient(stack, torch.float32, "hinge", inputs, labels) is None
