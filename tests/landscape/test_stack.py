"""Catches a stack that shuffles parameters, or serves anyone's ``nn.Module`` otherwise than by calling it."""

from __future__ import annotations

import torch
from torch import nn

from grokscape.landscape.stack import Stack


def networks(count: int) -> list[nn.Module]:
    torch.manual_seed(0)
    return [nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2, bias=False)).double() for _ in range(count)]


def params_of(stack: Stack, modules: list[nn.Module]) -> torch.Tensor:
    return stack.rows({name: p.detach() for name, p in module.named_parameters()} for module in modules)


def test_rows_and_tensors_are_inverse() -> None:
    modules = networks(3)
    stack = Stack(modules[0])
    params = params_of(stack, modules)
    assert stack.size == 3 * 4 + 4 + 4 * 2
    assert params.shape == (3, stack.width) == (3, 3 * 16)  # each of three tensors begins on a boundary
    tensors = stack.tensors(params)
    assert list(tensors) == stack.names == [name for name, _ in modules[0].named_parameters()]
    for index, module in enumerate(modules):
        for name, parameter in module.named_parameters():
            assert torch.equal(tensors[name][index], parameter)
        assert torch.equal(stack.row({name: tensor[index] for name, tensor in tensors.items()}), params[index])


def test_outputs_are_those_of_each_network_on_its_own_inputs() -> None:
    modules = networks(3)
    stack = Stack(networks(1)[0])
    params = params_of(stack, modules)
    own, shared = torch.randn(3, 5, 3).double(), torch.randn(5, 3).double()
    with torch.no_grad():
        for index, module in enumerate(modules):
            assert torch.allclose(stack.outputs(params, own)[index], module(own[index]), rtol=1e-13)
            assert torch.allclose(stack.outputs(params, shared, shared=True)[index], module(shared), rtol=1e-13)


def test_gradients_reach_the_rows_and_not_the_template() -> None:
    modules = networks(2)
    stack = Stack(modules[0])
    params = params_of(stack, modules).requires_grad_(True)
    inputs = torch.randn(2, 5, 3).double()
    stack.outputs(params, inputs).square().sum().backward()
    assert params.grad is not None
    found = stack.tensors(params.grad)
    assert all(parameter.grad is None for parameter in modules[0].parameters())
    for index, module in enumerate(modules):
        module(inputs[index]).square().sum().backward()
        for name, parameter in module.named_parameters():
            assert parameter.grad is not None
            assert torch.allclose(found[name][index], parameter.grad, rtol=1e-12)
