"""Catches a replayed function that gives anything else than the function, or remembers more than it should."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from grokscape.landscape.graph_capture import capture, captured, fold_constants

ROWS = torch.linspace(-1, 1, 12).reshape(3, 4)
TABLE = torch.linspace(0, 2, 20).reshape(5, 4)


def replayed(function: Callable[[Tensor], Tensor], rows: Tensor) -> Callable[[Tensor], Tensor]:
    return captured(function, rows, simplify=fold_constants)


def gradient_of(loss: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def gradient(rows: Tensor) -> Tensor:
        leaf = rows.detach().requires_grad_(True)
        return torch.autograd.grad(loss(leaf), leaf)[0]

    return gradient


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gradient": gradient_of(lambda rows: (rows @ TABLE.T).relu().square().mean(1).sum()),
    "lookup": gradient_of(lambda rows: torch.nn.functional.embedding(torch.arange(3) * 0 + 1, rows).exp().sum()),
    "vmap": torch.func.vmap(torch.func.grad(lambda row: (TABLE @ row).logsumexp(0))),
    "in place": lambda rows: (rows * 2).add_(TABLE[:3]).relu_(),
    "shapes": lambda rows: rows.view(4, 3).view(3, 4).expand(3, 4).permute(1, 0).contiguous(),
    "stacked": lambda rows: torch.stack([rows, TABLE[:3].unbind(0)[1].expand(3, 4)]).sum(0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_bit_is_the_same_at_every_call(name: str) -> None:
    function = FUNCTIONS[name]
    again = replayed(function, ROWS)
    assert again is not function
    for rows in (ROWS, ROWS * 3 - 1, -ROWS, ROWS):
        before = rows.clone()
        assert torch.equal(again(rows), function(rows))
        assert torch.equal(rows, before)


def test_what_does_nothing_is_gone() -> None:
    plan = make_fx(FUNCTIONS["gradient"])(ROWS)
    before = len(plan.graph.nodes)
    fold_constants(plan)
    names = [node.name for node in plan.graph.nodes]
    assert len(names) < before
    assert not any("detach" in name or "ones_like" in name for name in names)
    # The loss itself is asked for by nobody.
    assert not any(name.startswith(("mean", "sum")) for name in names)


def test_a_function_that_writes_into_a_constant_is_left_alone() -> None:
    """Folded, the copy would be written to again and again."""

    def counting(rows: Tensor) -> Tensor:
        return rows + torch.ones(4).mul(1.0).add_(1.0)

    again = replayed(counting, ROWS)
    assert again is counting
    assert torch.equal(again(ROWS), again(ROWS))


def test_a_function_that_cannot_be_recorded_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(function: object) -> None:
        raise RuntimeError("no tracing today")

    monkeypatch.setattr(capture, "make_fx", refuse)
    function = FUNCTIONS["gradient"]
    assert replayed(function, ROWS) is function


def test_no_graph_is_left_behind() -> None:
    assert not replayed(FUNCTIONS["gradient"], ROWS)(ROWS.clone().requires_grad_(True)).requires_grad
