"""Catches curvature, profiles and kernels that are wrong because of a flag of an embedding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import hessian
from torch.func import functional_call

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.curvature.traces import trace
from grokscape.landscape.measures.norm_profile.profile import norm_profile
from grokscape.landscape.measures.progress.kernel import tangent_kernel
from grokscape.landscape.problem import Problem
from grokscape.landscape.stack import Stack

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


class Scaled(nn.Embedding):
    """An embedding with a forward pass of its own."""

    def forward(self, input: Tensor) -> Tensor:
        return 3 * super().forward(input)


class HalfBags(nn.EmbeddingBag):
    """Bags with a forward pass of their own, which reads their own flag."""

    def forward(self, input: Tensor, *rest: Any) -> Tensor:  # type: ignore[override]
        return super().forward(input, *rest) / (2 if self.padding_idx is None else 4)


@pytest.mark.parametrize("kind", [Scaled, HalfBags])
@pytest.mark.parametrize("flags", [{"padding_idx": 0}, {"sparse": True}, {"scale_grad_by_freq": True}, {}])
def test_a_subclass_keeps_its_own_forward_pass(kind: Any, flags: dict[str, Any]) -> None:
    torch.manual_seed(2)
    flat = nn.Flatten() if kind is Scaled else nn.Identity()
    model = nn.Sequential(kind(5, 3, **flags), flat, nn.Tanh(), nn.Linear(12 if kind is Scaled else 3, 3)).double()
    made = Problem(model, nn.functional.cross_entropy, (TOKENS, LABELS))
    expected = nn.functional.cross_entropy(model(TOKENS), LABELS)
    assert float(made.evaluate(made.start[None])["loss"]) == pytest.approx(float(expected.detach()), rel=1e-12)
    if "scale_grad_by_freq" not in flags:
        gradients = torch.autograd.grad(expected, list(model.parameters()))
        vector = torch.cat([(part.to_dense() if part.is_sparse else part).reshape(-1) for part in gradients])
        assert torch.allclose(made.gradients(made.start[None])[1][0], vector, rtol=1e-10, atol=1e-14)
    stack = Stack(model)
    rows = stack.spread(torch.stack([made.start, made.start.flip(0)]))
    together = stack.outputs(rows, TOKENS, shared=True)
    with torch.no_grad():
        assert torch.allclose(together[0], model(TOKENS), rtol=1e-12)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_plain_bags_have_second_derivatives(mode: str) -> None:
    torch.manual_seed(3)
    bag = nn.Sequential(nn.EmbeddingBag(5, 3, mode=mode), nn.Tanh(), nn.Linear(3, 3)).double()
    made = Problem(bag, nn.functional.cross_entropy, (TOKENS, LABELS))

    def loss(vector: Tensor) -> Tensor:
        rows = vector[:15].view(5, 3)[TOKENS]
        hidden = rows.amax(1) if mode == "max" else rows.sum(1) / (4 if mode == "mean" else 1)
        logits = hidden.tanh() @ vector[15:24].view(3, 3).T + vector[24:]
        return nn.functional.cross_entropy(logits, LABELS)

    expected = hessian(loss, made.start).trace()
    assert trace(made, method="exact").estimate[0] == pytest.approx(float(expected), rel=1e-9)


def test_raw_look_ups_that_pad_are_refused() -> None:
    def model(parameters: dict[str, Tensor], tokens: Tensor) -> Tensor:
        return torch.embedding(parameters["table"], tokens, 0).mean(1)

    with pytest.raises(InvalidInput, match="padding_idx=0"):
        Problem(model, nn.functional.cross_entropy, (TOKENS, LABELS), parameters={"table": torch.randn(5, 3)})


def test_a_function_with_sparse_gradients_is_refused() -> None:
    def model(parameters: dict[str, Tensor], tokens: Tensor) -> Tensor:
        return nn.functional.embedding(tokens, parameters["table"], sparse=True).mean(1)

    with pytest.raises(InvalidInput, match=r"embedding with sparse=True, whose gradients are sparse .* leave the flag"):
        Problem(model, nn.functional.cross_entropy, (TOKENS, LABELS), parameters={"table": torch.randn(5, 3)})
