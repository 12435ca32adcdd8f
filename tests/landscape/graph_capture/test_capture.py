"""What is captured is used only where it can be, and, where that is asked for, only if it gives the same elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from grokscape.landscape.graph_capture import captured, different_inputs, fold_constants, transpose_products

PARAMS = torch.linspace(-1, 1, 12).reshape(3, 4)
TABLE = torch.linspace(0, 2, 20).reshape(5, 4)


def with_frozen_signs(params: Tensor) -> Tensor:
    """Signs leave the graph as NumPy arrays and come back as constants."""
    return params.abs().sqrt() * torch.from_numpy(np.sign(params.detach().numpy()))


@pytest.mark.parametrize("simplify", [fold_constants, transpose_products])
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: (value, 2 * value)], ids=["a tensor", "a tuple"])
def test_other_inputs_uncover_what_was_frozen(simplify, wrap):
    def function(params: Tensor) -> Tensor | tuple[Tensor, ...]:
        return wrap(with_frozen_signs(params))

    unchecked = captured(function, PARAMS, simplify=simplify)
    assert unchecked is not function
    assert captured(function, PARAMS, simplify=simplify, check_on=different_inputs(PARAMS)) is function


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: (value, 2 * value)], ids=["a tensor", "a tuple"])
def test_what_is_the_same_everywhere_is_replayed(wrap):
    def function(params: Tensor) -> Tensor | tuple[Tensor, ...]:
        return wrap(params.exp() @ TABLE.T)

    replay = captured(function, PARAMS, simplify=transpose_products, check_on=different_inputs(PARAMS))
    assert replay is not function
    torch.testing.assert_close(replay(3 * PARAMS), function(3 * PARAMS))


def test_a_tensor_that_is_the_argument_itself_is_uncovered():
    """The tracer takes it for the argument, and a plan would put other arguments in its place."""

    def function(params: Tensor) -> Tensor:
        return params @ PARAMS.T

    assert captured(function, PARAMS, simplify=transpose_products, check_on=different_inputs(PARAMS)) is function


def test_several_arguments_are_given_as_they_were_captured():
    replay = captured(torch.add, PARAMS, -PARAMS, simplify=fold_constants)
    assert torch.equal(replay(PARAMS, 2 * PARAMS), PARAMS + 2 * PARAMS)


def test_different_inputs_differ_in_size_sign_and_direction():
    scaled, opposite, turned = different_inputs(PARAMS)
    assert torch.equal(scaled, PARAMS * 1.01)
    assert torch.equal(opposite, -PARAMS)
    assert turned.shape == PARAMS.shape
    assert torch.equal(turned.flatten(), PARAMS.flatten().flip(0))
