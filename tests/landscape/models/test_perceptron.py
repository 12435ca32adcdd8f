"""Catches a perceptron that is not the dense network on one-hot operands which its look-ups stand for.

Its homogeneity, on which theories of grokking build, is checked here and nowhere else.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.models import Perceptron
from grokscape.landscape.tasks import BinaryOperation, SparseParity, Task
from tests.references import ReferencePerceptron

TASKS = [pytest.param(BinaryOperation(p=7), id="pairs"), pytest.param(SparseParity(n=5, k=2), id="five-positions")]
FORMS = [
    pytest.param({"activation": "relu"}, 2, id="relu"),
    pytest.param({"activation": "quadratic"}, 3, id="quadratic"),
    pytest.param({"activation": "relu", "embedding": 6}, 3, id="relu-embedded"),
    pytest.param({"activation": "quadratic", "embedding": 6}, 5, id="quadratic-embedded"),
]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("form", "degree"), FORMS)
@pytest.mark.parametrize("bias", [False, True], ids=["no-bias", "bias"])
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-12), (torch.float32, 1e-5)], ids=["f64", "f32"])
def test_logits_and_gradients_are_those_of_dense_layers(
    task: Task, form: dict[str, Any], degree: int, bias: bool, dtype: torch.dtype, bound: float
) -> None:
    del degree
    network = Perceptron(width=9, bias=bias, **form).build(task).to(dtype)
    network.initialise(seed=4, scale=2.0)
    source = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter.copy_(torch.randn(parameter.shape, generator=source))
    logits = network(task.inputs)
    reference = ReferencePerceptron(network, activation=form["activation"], n_tokens=task.n_tokens)
    expected = reference(task.inputs)
    assert logits.shape == (task.size, task.n_classes)
    assert (logits - expected).abs().max() <= bound * expected.abs().max()

    parameters = list(network.parameters())
    direction = torch.randn(logits.shape, generator=source, dtype=torch.float64).to(dtype)
    found = torch.autograd.grad((logits * direction).sum(), parameters)
    wanted = torch.autograd.grad((expected * direction).sum(), parameters)
    for (name, _), one, other in zip(network.named_parameters(), found, wanted, strict=True):
        assert other.abs().max() > 0, name
        assert (one - other).abs().max() <= bound * other.abs().max(), name


@pytest.mark.parametrize(("form", "degree"), FORMS)
def test_without_bias_logits_are_homogeneous_of_the_documented_degree(form: dict[str, Any], degree: int) -> None:
    task = BinaryOperation(p=7)
    network = Perceptron(width=9, **form).build(task).double()
    network.initialise(seed=1)
    plain = network(task.inputs)
    network.initialise(seed=1, scale=1.7)
    # Rounding is relative to the summands, not to a logit in which they cancel.
    assert (network(task.inputs) - 1.7**degree * plain).abs().max() <= 1e-12 * (1.7**degree * plain).abs().max()


def test_biases_start_at_zero_and_are_used() -> None:
    task = BinaryOperation(p=7)
    network = Perceptron(width=9, bias=True).build(task)
    network.initialise(seed=1)
    assert network.hidden_bias is not None
    assert network.output_bias is not None
    assert not network.hidden_bias.any()
    assert not network.output_bias.any()
    with torch.no_grad():
        network.output_bias[3] = 100.0
    assert (network(task.inputs).argmax(1) == 3).all()


@pytest.mark.parametrize(("field", "value"), [("width", 0), ("embedding", 0), ("activation", "tanh")])
def test_refuses_impossible_shapes(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Perceptron(**{field: value})
    assert f"Perceptron.{field} is {value!r}, expected" in str(refusal.value)
