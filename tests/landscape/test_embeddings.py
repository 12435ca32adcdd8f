"""Catches curvature, profiles and kernels that are wrong because of a flag of an embedding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import hessian
from torch.func import functional_call

from landscape.errors import InvalidInput
from landscape.measures.norm_profile import norm_profile
from landscape.measures.progress.kernel import tangent_kernel
from landscape.measures.trace import trace
from landscape.problem import Problem

TOKENS = torch.randint(0, 5, (12, 4), generator=torch.Generator().manual_seed(0))
LABELS = torch.randint(0, 3, (12,), generator=torch.Generator().manual_seed(1))


def network(**flags: Any) -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(nn.Embedding(5, 3, **flags), nn.Flatten(), nn.Tanh(), nn.Linear(12, 3)).double()


def problem(**flags: Any) -> Problem:
    return Problem(network(**flags), nn.functional.cross_entropy, (TOKENS, LABELS), (TOKENS.flip(0), LABELS.flip(0)))


def dense_hessian(start: Tensor, keep: Tensor | None = None) -> Tensor:
    """Return the Hessian of a plain embedding; weights that are not kept are constant."""
    plain = network()
    names = [name for name, _ in plain.named_parameters()]
    shapes = [tensor.shape for tensor in plain.parameters()]

    def loss(vector: Tensor) -> Tensor:
        if keep is not None:
            vector = torch.where(keep, vector, start)
        parts = vector.split([shape.numel() for shape in shapes])
        tensors = {name: part.view(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        return nn.functional.cross_entropy(functional_call(plain, tensors, (TOKENS,)), LABELS)

    return hessian(loss, start)


@pytest.mark.parametrize("flags", [{"scale_grad_by_freq": True}, {"sparse": True}], ids=lambda flags: next(iter(flags)))
def test_curvature_is_that_of_the_loss_whatever_a_flag_does_to_gradients(flags: dict[str, Any]) -> None:
    made = problem(**flags)
    expected = float(dense_hessian(made.start).trace())
    assert trace(made, method="exact").estimate[0] == pytest.approx(expected, rel=1e-10)


def test_the_row_that_pads_is_a_constant() -> None:
    made = problem(padding_idx=1)
    keep = torch.ones(made.size, dtype=torch.bool)
    keep[3:6] = False  # row 1 of the embedding, which comes first
    expected = float(dense_hessian(made.start, keep).trace())
    assert trace(made, method="exact").estimate[0] == pytest.approx(expected, rel=1e-10)


def test_the_tangent_kernel_of_padded_inputs_is_that_of_a_loop_over_examples() -> None:
    made, plain = problem(padding_idx=1), network(padding_idx=1)
    gradients = []
    for token in TOKENS:
        outputs = plain(token[None])[0]
        rows = [torch.autograd.grad(output, list(plain.parameters()), retain_graph=True) for output in outputs]
        gradients.append(torch.stack([torch.cat([part.reshape(-1) for part in row]) for row in rows]))
    expected = torch.einsum("icp,jcp->ij", torch.stack(gradients), torch.stack(gradients))
    assert torch.allclose(tangent_kernel(made, made.start, TOKENS), expected, rtol=1e-10)


def test_a_norm_profile_of_padded_inputs_is_that_of_each_seed_alone() -> None:
    """Every seed is trained on a part of the data of its own."""
    made = problem(padding_idx=1)
    together = norm_profile(made, norms=[3.0], seeds=[0, 1], sizes=[8], steps=60).to_frame()
    for seed in (0, 1):
        alone = norm_profile(made, norms=[3.0], seeds=[seed], sizes=[8], steps=60).to_frame()
        both = together[together["seed"] == seed]
        for column in ("loss", "accuracy", "residual"):
            assert both[column].tolist() == pytest.approx(alone[column].tolist(), rel=1e-8)


def test_an_embedding_that_rewrites_its_weights_is_refused() -> None:
    with pytest.raises(InvalidInput, match="max_norm"):
        problem(max_norm=1.0)


def test_a_function_that_pads_is_refused() -> None:
    def model(parameters: dict[str, Tensor], tokens: Tensor) -> Tensor:
        return nn.functional.embedding(tokens, parameters["table"], padding_idx=0).mean(1)

    with pytest.raises(InvalidInput, match="padding_idx"):
        Problem(model, nn.functional.cross_entropy, (TOKENS, LABELS), parameters={"table": torch.randn(5, 3)})


def test_a_function_with_sparse_gradients_is_refused() -> None:
    def model(parameters: dict[str, Tensor], tokens: Tensor) -> Tensor:
        return nn.functional.embedding(tokens, parameters["table"], sparse=True).mean(1)

    with pytest.raises(InvalidInput, match=r"embedding with sparse=True, whose gradients are sparse .* leave the flag"):
        Problem(model, nn.functional.cross_entropy, (TOKENS, LABELS), parameters={"table": torch.randn(5, 3)})
