"""Catches a dense network that is not the layers of `torch.nn` with the same weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.models import Dense, Perceptron, Transformer
from grokscape.landscape.tasks import BinaryOperation, TeacherStudent

TASK = TeacherStudent(features=4, outputs=3, widths=(8,), examples=20)
UNITS: dict[str, Any] = {"relu": nn.ReLU, "tanh": nn.Tanh}


@pytest.mark.parametrize("activation", UNITS)
@pytest.mark.parametrize("bias", [True, False])
def test_outputs_are_those_of_linear_layers(activation: str, bias: bool) -> None:
    network = Dense(widths=(7, 5), activation=activation, bias=bias).build(TASK).double()
    network.initialise(seed=3)
    layers: list[nn.Module] = []
    for place, weight in enumerate(network.weights):
        layer = nn.Linear(*weight.shape, bias=bias).double()
        with torch.no_grad():
            layer.weight.copy_(weight.T)
            if bias:
                layer.bias.copy_(network.biases[place])
        layers += [layer, UNITS[activation]()]
    reference = nn.Sequential(*layers[:-1])
    assert torch.allclose(network(TASK.inputs), reference(TASK.inputs), rtol=1e-12)
    assert network(TASK.inputs).shape == (20, 3)


def test_weights_and_biases_start_with_the_variance_of_linear_layers() -> None:
    wide = TeacherStudent(features=300, outputs=3, widths=(8,), examples=2)
    network = Dense(widths=(400,)).build(wide)
    network.initialise(seed=0, scale=2.0)
    linear = nn.Linear(300, 400)
    for ours, theirs in ((network.weights[0], linear.weight), (network.biases[0], linear.bias)):
        assert (ours.std() / theirs.std()).item() == pytest.approx(2.0, rel=0.1)


def test_without_bias_relu_is_homogeneous_of_the_number_of_layers() -> None:
    network = Dense(widths=(7, 5), bias=False).build(TASK).double()
    network.initialise(seed=3)
    before = network(TASK.inputs)
    with torch.no_grad():
        for weight in network.weights:
            weight.mul_(1.5)
    assert torch.allclose(network(TASK.inputs), 1.5**3 * before, rtol=1e-12)


def test_networks_refuse_inputs_of_the_other_kind() -> None:
    with pytest.raises(InvalidInput, match="Dense reads vectors of numbers"):
        Dense().build(BinaryOperation(p=5))
    for model in (Perceptron(), Transformer()):
        with pytest.raises(InvalidInput, match="reads tokens, but the inputs of TeacherStudent"):
            model.build(TASK)
    with pytest.raises(InvalidInput, match=r"Dense\.widths is"):
        Dense(widths=())
