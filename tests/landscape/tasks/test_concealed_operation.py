"""Catches labels that are not the operation's, irrelevant coordinates that tell something, and pools that differ."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks import CONCEALED, ConcealedOperation


def by_hand(operation: str, x: int, y: int, p: int) -> int:
    if operation == "x/y":
        return next(z for z in range(p) if z * y % p == x)
    return {
        "x+y": x + y,
        "x-y": x - y,
        "x^2+xy+y^2": x * x + x * y + y * y,
        "x^2+xy+y^2+x": x * x + x * y + y * y + x,
        "x*y*x": x * y * x,
    }[operation] % p


@pytest.mark.parametrize("operation", sorted(CONCEALED))
def test_labels_are_the_operation_on_the_symbols_that_the_inputs_show(operation: str) -> None:
    task = ConcealedOperation(operation=operation, dimensions=3, examples=200, draw=4)
    assert task.inputs.shape == (200, 17)
    assert task.n_outputs == 7
    x, y = task.inputs[:, :7].argmax(1), task.inputs[:, 7:14].argmax(1)
    assert torch.equal(task.inputs[:, :14].sum(1), torch.full((200,), 2.0).double())
    assert task.labels.tolist() == [by_hand(operation, a, b, 7) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    assert (y.min() == 1) == (operation == "x/y")


def test_every_pair_is_as_likely_as_every_other() -> None:
    task = ConcealedOperation(dimensions=0, examples=49_000, draw=1)
    counts = np.bincount((7 * task.pairs[:, 0] + task.pairs[:, 1]).numpy(), minlength=49)
    # Chi-square with 48 degrees of freedom: 95 is its quantile at 1 - 6e-5.
    assert ((counts - 1000) ** 2 / 1000).sum() < 95


def test_bits_are_even_and_independent_of_each_other_and_of_the_labels() -> None:
    task = ConcealedOperation(dimensions=6, examples=20_000, draw=2)
    bits = task.irrelevant
    assert set(bits.unique().tolist()) == {0.0, 1.0}
    columns = torch.cat([bits, torch.nn.functional.one_hot(task.labels, 7).double()], 1)
    correlations = torch.corrcoef(columns.T)[:6]
    correlations[:, :6] -= torch.eye(6)
    assert correlations.abs().max() < 0.035  # five standard errors
    assert (bits.mean(0) - 0.5).abs().max() < 0.018


def test_the_controls_hold_zeros_or_normal_numbers() -> None:
    assert not ConcealedOperation(dimensions=5, noise="zeros").irrelevant.any()
    normal = ConcealedOperation(dimensions=5, noise="normal", examples=5000).irrelevant
    assert normal.mean().item() == pytest.approx(0.0, abs=0.03)
    assert normal.std().item() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("noise", ["bits", "zeros", "normal"])
def test_more_concealment_is_the_same_data_with_coordinates_appended(noise: str) -> None:
    few, many = (ConcealedOperation(dimensions=n, noise=noise, draw=3) for n in (4, 9))
    assert torch.equal(few.inputs, many.inputs[:, :18])
    assert torch.equal(few.labels, many.labels)


def test_draws_differ_and_repeat() -> None:
    first, again, other = (ConcealedOperation(draw=draw) for draw in (0, 0, 1))
    assert torch.equal(first.inputs, again.inputs)
    assert not torch.equal(first.inputs, other.inputs)


@pytest.mark.parametrize(
    ("field", "value"), [("operation", "x*y"), ("p", 6), ("dimensions", -1), ("examples", 0), ("draw", -1)]
)
def test_what_makes_no_sense_is_refused(field: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=rf"ConcealedOperation\.{field} is"):
        ConcealedOperation(**{field: value})
