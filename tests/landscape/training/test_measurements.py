"""Catches measurements that mix up runs or splits, or count ties as hits; their values are the trainer's test."""

from __future__ import annotations

import math

import pytest
import torch

from grokscape.landscape.objectives import cross_entropy
from grokscape.landscape.stack import Stack
from grokscape.landscape.training.measurements import behaviour, norms


def masks(**rows: list[list[int]]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(mask, dtype=torch.bool) for name, mask in rows.items()}


def test_ties_are_misses() -> None:
    """A network that says nothing (all logits equal) knows nothing; with argmax it would score label 0."""
    logits = torch.tensor([[[1.0, 1.0, 0.0], [0.0, 2.0, 1.0], [3.0, 1.0, 3.0]]])
    labels = torch.tensor([[0, 1, 2]])
    [found] = behaviour(logits, labels, masks(test=[[1, 1, 1]]), cross_entropy)
    assert found["test", "accuracy"] == pytest.approx(1 / 3)
    assert found["test", "margin_min"] == 0.0
    assert found["test", "margin"] == pytest.approx(1 / 3)


def test_runs_and_splits_keep_apart_and_empty_splits_are_left_out() -> None:
    logits = torch.tensor([[[4.0, 0.0], [0.0, 2.0]], [[0.0, 1.0], [0.0, 8.0]]])
    labels = torch.tensor([[0, 0], [1, 1]])
    one, other = behaviour(
        logits, labels, masks(train=[[1, 0], [0, 1]], test=[[0, 1], [1, 0]], unmirrored=[[0, 0], [1, 0]]), cross_entropy
    )
    assert (one["train", "margin"], one["test", "margin"]) == (4.0, -2.0)
    assert (other["train", "margin"], other["test", "margin"], other["unmirrored", "margin"]) == (8.0, 1.0, 1.0)
    assert ("unmirrored", "margin") not in one
    assert one["train", "logit_scale"] == 2.0
    assert one["test", "label_logit"] == -1.0
    assert one["train", "loss"] == pytest.approx(math.log1p(math.exp(-4)))


def test_small_differences_of_large_float32_logits_survive() -> None:
    """Means over classes are taken in double precision: a common offset must not drown the scale of the logits."""
    logits = torch.tensor([[[10_000.0, 10_000.5]]])
    [found] = behaviour(logits, torch.tensor([[1]]), masks(train=[[1]]), cross_entropy)
    assert found["train", "logit_scale"] == pytest.approx(0.25, rel=1e-6)
    assert found["train", "label_logit"] == pytest.approx(0.25, rel=1e-9)


def test_norms_of_all_and_of_each_tensor() -> None:
    stack = Stack(torch.nn.Linear(2, 1))
    rows = stack.spread(torch.tensor([[3.0, 4.0, 12.0], [0.0, 0.0, 2.0]]))
    assert norms(stack, rows) == [
        {("", "weight_norm"): 13.0, ("", "weight_norm/weight"): 5.0, ("", "weight_norm/bias"): 12.0},
        {("", "weight_norm"): 2.0, ("", "weight_norm/weight"): 0.0, ("", "weight_norm/bias"): 2.0},
    ]
