"""Catches a parity of the wrong bits, and mirror images where inputs are no pairs."""

from __future__ import annotations

import itertools

import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks import SparseParity


@pytest.mark.parametrize(("n", "k"), [(1, 1), (4, 1), (4, 2), (5, 3), (6, 6)])
def test_label_is_the_exclusive_or_of_the_first_k_bits(n: int, k: int) -> None:
    task = SparseParity(n=n, k=k)
    assert sorted(map(tuple, task.inputs.tolist())) == list(itertools.product((0, 1), repeat=n))
    for bits, label in zip(task.inputs.tolist(), task.labels.tolist(), strict=True):
        parity = 0
        for bit in bits[:k]:
            parity ^= bit
        assert label == parity
    assert (task.size, task.n_tokens, task.n_classes, task.n_positions) == (2**n, 2, 2, n)
    assert task.inputs.dtype == task.labels.dtype == torch.int64


def test_inputs_that_are_no_pairs_have_no_mirror_images() -> None:
    task = SparseParity(n=5, k=2)
    assert task.mirror is None
    assert not task.is_commutative
    split = task.split(10, seed=0)
    assert torch.equal(split.unmirrored, split.test)


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ({"n": 17}, ["SparseParity.n", "17", "1 to 16", "2^n"]),
        ({"n": 0}, ["SparseParity.n", "0", "1 to 16"]),
        ({"n": 4, "k": 5}, ["SparseParity.k", "5", "n = 4"]),
        ({"n": 4, "k": 0}, ["SparseParity.k", "0", "n = 4"]),
    ],
    ids=["n-17", "n-0", "k-above-n", "k-0"],
)
def test_refusals_name_field_value_and_expectation(fields: dict[str, int], parts: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        SparseParity(**fields)
    assert all(part in str(refusal.value) for part in parts), refusal.value
