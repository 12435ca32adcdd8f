"""Catches a hidden parity that depends on other bits than it says, or whose inputs change with their length."""

from __future__ import annotations

import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks import SampledParity


def test_labels_are_the_parity_of_the_relevant_bits_alone() -> None:
    task = SampledParity(bits=12, relevant=3, examples=4000)
    for seed in (0, 1):
        chosen = task.relevant_bits(seed)
        assert len(set(chosen.tolist())) == 3
        found = task.labels_of(seed)
        expected = (task.inputs[:, chosen[0]] != task.inputs[:, chosen[1]]) != (task.inputs[:, chosen[2]] == 1)
        assert torch.equal(found == 1, expected)
        # Knowing any single bit, or any two, says nothing about the label.
        signs = 1 - 2 * torch.cat([task.inputs, found[:, None].double()], 1)
        correlation = signs.T @ signs / task.size - torch.eye(13)
        assert correlation.abs().max() < 0.07
    assert not torch.equal(task.labels_of(0), task.labels_of(1))
    assert torch.equal(task.labels, task.labels_of(0))


def test_bits_are_fair_and_shared_between_lengths() -> None:
    short, long = SampledParity(bits=20, examples=3000), SampledParity(bits=64, examples=3000)
    assert set(long.inputs.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(long.inputs[:, :20], short.inputs)
    assert (long.inputs.mean(0) - 0.5).abs().max() < 0.04


def test_silent_bits_are_zero_and_never_relevant() -> None:
    task, without = SampledParity(bits=9, relevant=3, silent=4), SampledParity(bits=5, relevant=3)
    assert not task.inputs[:, 5:].any()
    assert torch.equal(task.inputs[:, :5], without.inputs)
    for seed in range(20):
        assert task.relevant_bits(seed).max() < 5
        assert torch.equal(task.labels_of(seed), without.labels_of(seed))


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"bits": 65}, "bits"), ({"relevant": 0}, "relevant"), ({"silent": 28}, "silent"), ({"examples": 0}, "examples")],
)
def test_impossible_tasks_are_refused(changes: dict[str, int], named: str) -> None:
    with pytest.raises(InvalidInput, match=f"SampledParity.{named} "):
        SampledParity(**changes)
