"""Hooks that watch are taken off the copy; those that change outputs, or feed the loss, are a part of the model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.curvature.curvature import Curvature
from tests.landscape.adopted import INPUTS, LABELS, PLAIN, network, problem, trace, true_trace


@pytest.mark.parametrize("pre", [False, True])
def test_a_hook_that_watches_sees_no_evaluation_of_an_instrument(pre):
    model, seen = network(), []
    if pre:
        model[2].register_forward_pre_hook(lambda part, inputs: seen.append(inputs))
    else:
        model[2].register_forward_hook(lambda part, inputs, outputs: seen.append(outputs))
    held = problem(model)
    seen.clear()
    assert trace(held) == pytest.approx(PLAIN, rel=1e-9)
    held.gradients(torch.stack([held.start, 2 * held.start]))
    assert not seen
    model(INPUTS)
    assert len(seen) == 1


def forward(parameters, factor=1.0):
    hidden = factor * F.linear(INPUTS, parameters["0.weight"], parameters["0.bias"])
    return F.linear(torch.tanh(hidden), parameters["2.weight"], parameters["2.bias"]), hidden


def test_a_hook_that_changes_outputs_stays_beside_one_that_watches():
    model, seen = network(), []
    model[0].register_forward_hook(lambda part, inputs, outputs: 2 * outputs)
    model[0].register_forward_hook(lambda part, inputs, outputs: seen.append(outputs))
    held = problem(model)
    seen.clear()
    truth = true_trace(network(), lambda p: F.cross_entropy(forward(p, 2.0)[0], LABELS))
    assert trace(held) == pytest.approx(truth, rel=1e-9)
    assert not seen


@pytest.mark.parametrize("called", [False, True])
def test_a_hook_that_feeds_the_loss_stays(called):
    model, seen = network(), []
    model[0].register_forward_hook(lambda part, inputs, outputs: seen.append(outputs))
    if called:
        with torch.no_grad():
            model(INPUTS)
    held = problem(model, lambda z, y: F.cross_entropy(z, y) + seen[-1].square().mean())

    def loss(p):
        outputs, hidden = forward(p)
        return F.cross_entropy(outputs, LABELS) + hidden.square().mean()

    assert trace(held) == pytest.approx(true_trace(network(), loss), rel=1e-9)
    params = torch.stack([held.start, 2 * held.start])
    truth = [float(loss(held.layout.tensors(row))) for row in params]
    np.testing.assert_allclose(held.evaluate(params)["loss"], truth, rtol=1e-12)
    np.testing.assert_allclose(held.gradients(params)[0], truth, rtol=1e-12)
    with pytest.raises(InvalidInput, match="on what its hooks keep"):
        Curvature(held, kind="gauss_newton").dense()
