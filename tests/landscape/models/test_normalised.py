"""Catches a LayerNorm in the wrong place, and the scale of weights that it must hide or leave."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from grokscape.landscape.models import NormalisedPerceptron, Perceptron
from grokscape.landscape.tasks import BinaryOperation

TASK = BinaryOperation(p=7)
FORMS = [{}, {"activation": "quadratic"}, {"embedding": 6}, {"bias": True}]


def build(model, dtype=torch.float64):
    network = model.build(TASK).to(dtype)
    network.initialise(seed=3, scale=4.0)
    return network


@pytest.mark.parametrize("form", FORMS)
def test_it_is_the_perceptron_with_a_layernorm_before_its_output(form):
    network, plain = build(NormalisedPerceptron(width=9, **form)), build(Perceptron(width=9, **form))
    with torch.no_grad():
        output = plain.output.clone()
        plain.output = nn.Parameter(torch.eye(9, dtype=torch.float64))  # the hidden layer itself comes out
        if plain.output_bias is not None:
            plain.output_bias = None
        expected = nn.LayerNorm(9, elementwise_affine=False, dtype=torch.float64)(plain(TASK.inputs)) @ output
        assert torch.allclose(network(TASK.inputs), expected, rtol=1e-10)


def test_the_scale_of_the_hidden_weights_is_hidden_and_that_of_the_output_is_not():
    network = build(NormalisedPerceptron(width=50))
    before = network(TASK.inputs)
    with torch.no_grad():
        network.hidden *= 100.0
        assert torch.allclose(network(TASK.inputs), before, atol=2e-4)  # eps, against a variance near 1
        network.output *= 2.0
        assert torch.allclose(network(TASK.inputs), 2 * before, atol=4e-4)


def test_runs_of_it_are_other_runs():
    assert NormalisedPerceptron(width=9).identity != Perceptron(width=9).identity
    assert NormalisedPerceptron(width=9).kind == "normalised_perceptron"
