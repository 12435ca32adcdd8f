"""Catches an operation whose gradients are others when many networks are run together than when one is.

Every operation is trained through, in networks that each have inputs of their own: once as an ensemble, and once
network by network with plain autograd. PyTorch has had rules for many networks that were wrong without a word.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from grokscape.landscape.embeddings import RefuseFlags
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.objectives import cross_entropy
from grokscape.landscape.stack import Stack
from grokscape.landscape.training.batch_invariance import batch_dependence
from grokscape.landscape.training.gradients import OneByOne, together
from tests.landscape.training.operations import LENGTH, NETWORKS, TOKEN_NETWORKS, TOKENS, WIDTH

EXAMPLES, RUNS = 13, 3

#: For which there is no rule, so that networks are run one after another.
ONE_AFTER_ANOTHER = ("lstm", "gru", "rnn")


def data(name: str, dtype: torch.dtype, runs: int = RUNS) -> tuple[Tensor, Tensor]:
    """Return inputs of each run's own, and labels."""
    generator = torch.Generator().manual_seed(1)
    if name in TOKEN_NETWORKS:
        inputs = torch.randint(0, TOKENS, (runs, EXAMPLES, LENGTH), generator=generator)
    else:
        inputs = torch.randn(runs, EXAMPLES, WIDTH, generator=generator, dtype=torch.float64).to(dtype)
    return inputs, torch.randint(0, 3, (runs, EXAMPLES), generator=generator)


def made(name: str, dtype: torch.dtype, runs: int = RUNS) -> tuple[nn.Module, Stack, Tensor]:
    """Return a network, a stack of such, and the parameters of some."""
    torch.manual_seed(0)
    networks = [NETWORKS[name]().to(dtype) for _ in range(runs)]
    stack = Stack(networks[0])
    return networks[0], stack, stack.rows(dict(network.named_parameters()) for network in networks).detach()


@pytest.fixture(autouse=True)
def _slow_rules_are_rules() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="There is a performance drop")
        warnings.filterwarnings("ignore", message="An output with one or more elements was resized")  # PReLU's
        yield


@pytest.mark.parametrize("how", [OneByOne, together])
@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_of_many_networks_are_those_of_each(name: str, how: Any) -> None:
    plain, stack, rows = made(name, torch.float64)  # PyTorch's own module, flags and all
    inputs, labels = data(name, torch.float64)
    found = how(stack, "cross_entropy", inputs, labels)(rows)
    for row, own, right, gradient in zip(rows, inputs, labels, found, strict=True):
        parameters = {key: tensor.clone().requires_grad_() for key, tensor in stack.tensors(row).items()}
        cross_entropy(functional_call(plain, parameters, (own,)), right).mean().backward()
        for key, tensor in stack.tensors(gradient).items():
            expected = parameters[key].grad
            expected = torch.zeros_like(tensor) if expected is None else expected.to_dense()
            assert torch.allclose(tensor, expected, rtol=1e-11, atol=1e-13), key
    assert found.abs().max() > 1e-4
    assert how is OneByOne or stack._together == (name not in ONE_AFTER_ANOTHER)


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_on_shared_inputs_are_those_of_each(name: str) -> None:
    plain, stack, rows = made(name, torch.float64)
    inputs = data(name, torch.float64)[0][0]
    with torch.no_grad():
        together = stack.outputs(rows, inputs, shared=True)
        for row, outputs in zip(rows, together, strict=True):
            expected = functional_call(plain, stack.tensors(row), (inputs,))
            assert torch.allclose(outputs, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.skipif(bool(batch_dependence()), reason=batch_dependence() or "kept")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_rounds_alike_in_every_batch(name: str, dtype: torch.dtype) -> None:
    """Activations too whose last few numbers, those that fill no vector, are rounded otherwise than the others."""
    _, stack, rows = made(name, dtype, runs=4)
    inputs, labels = data(name, dtype, runs=4)
    everybody = OneByOne(stack, "cross_entropy", inputs, labels)(rows)
    for batch in (slice(0, 1), slice(1, 2), slice(3, 4), slice(1, 4)):
        found = OneByOne(stack, "cross_entropy", inputs[batch], labels[batch])(rows[batch].clone())
        assert torch.equal(found, everybody[batch])


def test_padding_has_no_gradient_in_any_network() -> None:
    """The rule that PyTorch got wrong: of many networks only the first one's padding row was left out."""
    _, stack, rows = made("embedding padding first", torch.float64)
    inputs, labels = data("embedding padding first", torch.float64)
    assert (inputs == 0).any()
    gradient = stack.tensors(together(stack, "cross_entropy", inputs, labels)(rows))["part.weight"]
    assert torch.equal(gradient[:, 0], torch.zeros_like(gradient[:, 0]))
    assert (gradient[:, 1:].abs().amax(-1) > 0).all()


class Calling(nn.Module):
    """Calls the function where the module with its flags would have been repaired."""

    def __init__(self, **flags: Any) -> None:
        super().__init__()
        self.weight, self.flags = nn.Parameter(torch.randn(TOKENS, 3)), flags

    def forward(self, tokens: Tensor) -> Tensor:
        return torch.nn.functional.embedding(tokens, self.weight, **self.flags).sum(1)


@pytest.mark.parametrize(
    "flags", [{"padding_idx": 0}, {"padding_idx": 3}, {"scale_grad_by_freq": True}, {"max_norm": 1.0}]
)
def test_flags_of_the_function_are_refused(flags: dict[str, Any]) -> None:
    stack = Stack(Calling(**flags))
    tokens = torch.zeros(2, 4, LENGTH, dtype=torch.int64)
    with pytest.raises(InvalidInput, match=next(iter(flags))):
        stack.outputs(torch.randn(2, stack.width), tokens)
    with RefuseFlags():  # without flags it may be called
        torch.nn.functional.embedding(tokens, torch.randn(TOKENS, 3))


def test_weights_that_a_forward_pass_would_rewrite_are_refused() -> None:
    with pytest.raises(InvalidInput, match="max_norm"):
        Stack(nn.Sequential(nn.Embedding(TOKENS, 3, max_norm=1.0)))


def test_bags_given_by_offsets_are_refused() -> None:
    stack = Stack(nn.EmbeddingBag(TOKENS, 3, padding_idx=0))
    with pytest.raises(InvalidInput, match="offsets"):
        stack.outputs(torch.randn(2, stack.width), torch.zeros(2, 4, dtype=torch.int64))


def test_the_users_module_stays_as_it_is() -> None:
    module = nn.Embedding(TOKENS, 3, padding_idx=1)
    stack = Stack(module)
    assert "forward" not in vars(module)
    assert stack.template is not module
    assert Stack(linear := nn.Linear(2, 2)).template is linear
