"""Catches a wrong formula in the transformer's compiled gradient, and numbers of a run that depend on its batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from grokscape.landscape.fused import transformer as fused
from grokscape.landscape.models import Transformer
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.stack import Stack
from grokscape.landscape.tasks import BinaryOperation, Permutations, SparseParity, Task
from grokscape.landscape.training import arithmetic
from grokscape.landscape.training.network_ensemble import NetworkEnsemble
from grokscape.landscape.training.run import Run
from tests.landscape.helpers import MemorySession

pytest.importorskip("numba")

BOUNDS = [
    pytest.param(torch.float64, 1e-11, id="f64"),
    pytest.param(torch.float32, 1e-5, id="f32"),
]

SHAPES = [
    pytest.param(BinaryOperation(p=7), Transformer(width=12, heads=2, hidden=20), id="two-positions"),
    pytest.param(BinaryOperation(p=5), Transformer(width=10, heads=1, hidden=13, bias=False), id="one-head-no-bias"),
    pytest.param(SparseParity(n=3, k=2), Transformer(width=20, heads=4, hidden=33), id="three-positions"),
    pytest.param(SparseParity(n=1, k=1), Transformer(width=6, heads=6, hidden=3), id="heads-of-size-one"),
    pytest.param(Permutations(n=3), Transformer(width=25, heads=5, hidden=16, bias=False), id="five-heads"),
]


def drawn(task: Task, model: Transformer, dtype: torch.dtype, *, scale: float = 0.4) -> tuple[Stack, Tensor]:
    """Return a stack and parameters of two runs, none of them zero as biases are at the start."""
    stack = Stack(model.build(task).to(dtype))
    source = torch.Generator().manual_seed(0)
    runs = [
        {name: scale * torch.randn(shape, generator=source).to(dtype) for name, shape in stack.shapes.items()}
        for _ in range(2)
    ]
    return stack, stack.rows(runs)


def assert_close(stack: Stack, found: Tensor, expected: Tensor, bound: float) -> None:
    """Compare two vectors of parameters tensor by tensor, each on its own scale."""
    tensors = stack.tensors(found)
    for name, wanted in stack.tensors(expected).items():
        assert wanted.abs().max() > 0, name
        assert (tensors[name] - wanted).abs().max() <= bound * wanted.abs().max(), name
    assert torch.equal(stack.spread(stack.compact(found)), found), "between tensors there are zeros"


@pytest.mark.parametrize("block", [1, 10**6], ids=["blocks", "one-block"])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize(("dtype", "bound"), BOUNDS)
@pytest.mark.parametrize(("task", "model"), SHAPES)
def test_gradient_and_outputs_are_those_of_pytorch(
    task: Task,
    model: Transformer,
    dtype: torch.dtype,
    bound: float,
    loss: str,
    block: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fused, "BLOCK", block)  # the smallest block has 16 examples
    stack, rows = drawn(task, model, dtype)
    chosen = torch.stack([torch.randperm(task.size, generator=torch.Generator().manual_seed(s)) for s in range(2)])
    chosen = chosen[:, : -(-task.size * 4 // 5)]
    inputs, labels = task.inputs[chosen], task.labels[chosen]
    offered = model.fused(task)
    gradient, outputs = offered.gradient(stack, dtype, loss, inputs, labels), offered.outputs(stack, dtype, task.inputs)
    assert gradient is not None
    assert outputs is not None
    gradient(rows + 1)  # nothing of an earlier gradient is left in a later one
    found = gradient(rows)
    for run, row in enumerate(rows):
        expected = arithmetic.plain_gradient(stack, loss)(row, inputs[run], labels[run])
        assert_close(stack, found[run], expected, bound)
        logits = stack.output(row, task.inputs)
        assert (outputs(row) - logits).abs().max() <= bound * logits.abs().max()


def test_attention_to_one_token_alone_does_not_overflow() -> None:
    task, model = BinaryOperation(p=5), Transformer(width=8, heads=2, hidden=12)
    stack, rows = drawn(task, model, torch.float64, scale=8.0)
    outputs = model.fused(task).outputs(stack, torch.float64, task.inputs)
    assert outputs is not None
    network = stack.tensors(rows[0])
    last = network["embed"][-1] + network["position"][-1]
    scores = torch.einsum("td,dhk,ehk,e->th", network["embed"], network["key"], network["query"], last)
    assert scores.abs().max() > 2000  # whose exponential is infinite
    logits = stack.output(rows[0], task.inputs)
    assert torch.allclose(outputs(rows[0]), logits, rtol=0, atol=1e-11 * float(logits.abs().max()))


def small_runs(**changes: Any) -> list[Run]:
    """Return three runs whose sizes are no multiples of a vector's."""
    fields: dict[str, Any] = {
        "task": BinaryOperation(p=11),
        "model": Transformer(width=20, heads=4, hidden=37),
        "n_train": 53,
        "steps": 60,
        "optimiser": AdamW(lr=1e-2, weight_decay=0.3),
    }
    return [Run(**(fields | changes), seed=seed) for seed in range(3)]


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_a_training_is_that_of_torch_optim(loss: str) -> None:
    run = small_runs(dtype="float64", loss=loss)[1]
    ensemble = NetworkEnsemble([run], MemorySession())
    assert ensemble.logs[0].arithmetic == [arithmetic.COMPILED]
    network = run.model.build(run.task).double()
    network.initialise(seed=run.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=0.3, betas=(0.9, 0.98), eps=1e-8)
    train = run.task.split(run.n_train, seed=run.seed).train
    inputs, labels = run.task.inputs[train], run.task.labels_of(run.seed)[train]
    for _ in range(run.steps):
        ensemble.advance()
        optimiser.zero_grad()
        outputs = network(inputs)
        wanted = F.one_hot(labels, outputs.shape[-1]).double()
        value = F.cross_entropy(outputs, labels) if loss == "cross_entropy" else F.mse_loss(outputs, wanted)
        value.backward()
        optimiser.step()
    for name, found in ensemble.weights(0).items():
        expected = network.get_parameter(name).detach()
        assert (torch.from_numpy(found) - expected).abs().max() <= 1e-9 * expected.abs().max(), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_alone_has_the_bits_that_it_has_in_a_batch(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "BLOCK", 1)
    runs = small_runs(dtype=dtype)
    batch = NetworkEnsemble(runs, MemorySession())
    alone = [NetworkEnsemble([run], MemorySession()) for run in runs]
    for _ in range(5):
        for ensemble in (batch, *alone):
            ensemble.advance()
    batch.keep([2, 0])
    batch.advance()
    for place, number in enumerate([2, 0]):
        alone[number].advance()
        assert alone[number].logs[0].arithmetic == [arithmetic.COMPILED]
        assert torch.equal(batch.rows[place], alone[number].rows[0])
        assert batch.measure()[place] == alone[number].measure()[0]


@pytest.mark.parametrize(
    ("task", "model"),
    [
        pytest.param(SparseParity(n=9), Transformer(width=16, heads=2, hidden=8), id="many-positions"),
        pytest.param(BinaryOperation(p=257), Transformer(width=64, heads=32, hidden=512), id="large-tables"),
    ],
)
def test_pytorch_computes_where_looking_up_does_not_pay(task: Task, model: Transformer) -> None:
    run = Run(task=task, model=model, n_train=20, seed=0, steps=2)
    session = MemorySession()
    ensemble = NetworkEnsemble([run], session)
    ensemble.advance()
    assert ensemble.logs[0].arithmetic == [arithmetic.ONLY_STEPS_COMPILED]
    assert not session.notes


def test_values_are_left_to_pytorch() -> None:
    task, model = BinaryOperation(p=5), Transformer(width=8, heads=2, hidden=12)
    stack = Stack(model.build(task))
    values = torch.zeros(1, 25, 5)
    assert model.fused(task).gradient(stack, torch.float32, "mse", task.inputs[None], values) is None
