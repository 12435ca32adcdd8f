"""Data of memorising twins: each seed's own choice of examples, and its own random labels for them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.problem import Problem


def example_order(n: int, seeds: Sequence[int]) -> Tensor:
    """Return a random order of n examples for each seed, int64 (seeds, n); the first D are its nested subsets."""
    return torch.stack([torch.from_numpy(randomness.permutation(n, seed, "frontier/examples")) for seed in seeds])


def with_random_labels(problem: Problem, seeds: Sequence[int], n_classes: int) -> Problem:
    """Return a problem that holds the training data once for each seed, with uniform random labels of its own.

    Example i of the k-th seed is number ``k n + i``: so networks of all seeds train side by side.
    """
    n = problem.count["train"]
    labels = [torch.from_numpy(randomness.integers(n, n_classes, seed, "frontier/labels")) for seed in seeds]
    return problem.subset(torch.arange(n).repeat(len(seeds))).relabelled(torch.cat(labels))
