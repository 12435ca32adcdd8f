"""Catches an optimiser whose step is not that of its ``torch.optim`` namesake, or that mixes hyper-parameters of rows.

The trainer's tests run the same optimisers, but on gradients that a wrong step changes too, and with few settings.
"""

from __future__ import annotations

import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.optimisers import SGD, AdamW, Optimiser
from tests.references import torch_optimiser

ADAMW = [
    AdamW(lr=1e-3, weight_decay=1.0, beta1=0.9, beta2=0.98, eps=1e-8),
    AdamW(lr=3e-2, weight_decay=0.0, beta1=0.8, beta2=0.999, eps=1e-4),
    AdamW(lr=1e-2, weight_decay=5.0, beta1=0.0, beta2=0.5, eps=1e-8),
    AdamW(lr=0.0, weight_decay=1.0, beta1=0.95, beta2=0.0, eps=1e-6),
]
SGDS = [
    SGD(lr=0.1),
    SGD(lr=0.5, weight_decay=0.1),
    SGD(lr=0.01, momentum=0.9),
    SGD(lr=0.05, weight_decay=0.3, momentum=0.5),
]


@pytest.mark.parametrize("described", [ADAMW, SGDS], ids=["adamw", "sgd"])
def test_every_row_steps_like_torch_optim(described: list[Optimiser]) -> None:
    source = torch.Generator().manual_seed(5)
    kind = type(described[0])
    rows = torch.randn(len(described), 30, dtype=torch.float64, generator=source)
    references = [torch.nn.Parameter(row.clone()) for row in rows]
    optimisers = [torch_optimiser(o, [p]) for o, p in zip(described, references, strict=True)]
    state, rates = kind.initial_state(rows), kind.rates(described, rows)
    for number in range(1, 51):
        # From large through small to zero: eps and the first step's bias corrections all get their turn.
        gradient = torch.randn(rows.shape, dtype=torch.float64, generator=source) * 10.0 ** -(number % 12)
        gradient[:, number % 7] = 0.0
        kind.step(rows, gradient, state, rates, torch.tensor(float(number), dtype=torch.float64))
        for index, (reference, optimiser) in enumerate(zip(references, optimisers, strict=True)):
            reference.grad = gradient[index].clone()
            optimiser.step()
            difference = (rows[index] - reference).abs() / reference.abs()
            assert difference.max() <= 1e-12, f"{described[index]} at step {number}"


@pytest.mark.parametrize("described", [ADAMW, SGDS], ids=["adamw", "sgd"])
def test_a_row_does_not_see_its_neighbours(described: list[Optimiser]) -> None:
    source = torch.Generator().manual_seed(6)
    kind = type(described[0])
    start = torch.randn(len(described), 9, generator=source)
    gradients = torch.randn(5, *start.shape, generator=source)

    def after(members: list[int]) -> torch.Tensor:
        rows = start[members].clone()
        state, rates = kind.initial_state(rows), kind.rates([described[m] for m in members], rows)
        for number, gradient in enumerate(gradients, 1):
            kind.step(rows, gradient[members], state, rates, torch.tensor(float(number)))
        return rows

    together = after([0, 1, 2, 3])
    for member in range(4):
        assert torch.equal(together[member], after([member])[0])


@pytest.mark.parametrize(
    ("kind", "field", "value", "expectation"),
    [
        (AdamW, "lr", -1e-3, "not negative"),
        (AdamW, "weight_decay", -1.0, "not negative"),
        (AdamW, "beta1", 1.0, "[0, 1)"),
        (AdamW, "beta2", -0.1, "[0, 1)"),
        (AdamW, "eps", 0.0, "positive"),
        (SGD, "lr", -0.1, "not negative"),
        (SGD, "momentum", 1.0, "[0, 1)"),
    ],
)
def test_refuses_what_torch_optim_would_diverge_on(
    kind: type[Optimiser], field: str, value: float, expectation: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        kind(**{field: value})
    for part in (f"{kind.__name__}.{field}", repr(value), expectation):
        assert part in str(refusal.value)
