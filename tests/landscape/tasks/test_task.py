"""Catches splits and label shuffles that change between versions, leak, or depend on one another."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch

from grokscape.landscape import randomness
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks import BinaryOperation, Permutations, SparseParity, Task
from grokscape.landscape.tasks.token_task import all_pairs
from grokscape.landscape.testing import check_task

TASKS = [
    pytest.param(BinaryOperation(p=11), id="commutative"),
    pytest.param(BinaryOperation(operation="x-y", p=11), id="not-commutative"),
    pytest.param(BinaryOperation(operation="x/y", p=11), id="division"),
    pytest.param(Permutations(n=3), id="permutations"),
    pytest.param(SparseParity(n=6, k=2), id="parity"),
]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.97, 1.0])
def test_splits_are_disjoint_and_exhaustive(task: Task, share: float) -> None:
    n = task.n_train(share)
    split = task.split(n, seed=4)
    assert len(split.train) == n
    assert sorted([*split.train.tolist(), *split.test.tolist()]) == list(range(task.size))
    for part in (split.train, split.test, split.unmirrored):
        assert part.dtype == torch.int64
        assert part.tolist() == sorted(set(part.tolist()))


@pytest.mark.parametrize("task", TASKS)
def test_tasks_keep_the_contract(task: Task) -> None:
    """Splits of one seed are repeatable and nested, among other things."""
    check_task(task)


def test_seeds_differ_and_every_input_is_chosen_equally_often() -> None:
    task = BinaryOperation(p=7)
    chosen = torch.stack([torch.isin(torch.arange(49), task.split(20, seed=seed).train) for seed in range(400)])
    assert len({tuple(row) for row in chosen.tolist()}) == 400
    # Each count is hypergeometric with mean 163 and variance 97; the sum of squares is chi-square to good accuracy.
    variance = 400 * (20 / 49) * (29 / 49)
    statistic = ((chosen.sum(0) - 400 * 20 / 49) ** 2 / variance).sum().item() * 48 / 49
    assert 0.001 < scipy.stats.chi2(48).sf(statistic) < 0.999


def test_splits_never_change() -> None:
    """Golden values: whoever changes these changes the data of every run that was ever stored."""
    task = BinaryOperation(p=113)
    assert task.split(3830, seed=0).train[:10].tolist() == GOLDEN_TRAIN
    assert randomness.permutation(97 * 96, 3, "split")[:6].tolist() == GOLDEN_ORDER
    assert task.random_labels(seed=0)[:10].tolist() == GOLDEN_LABELS


GOLDEN_TRAIN = [4, 11, 21, 25, 26, 27, 36, 38, 39, 42]
GOLDEN_ORDER = [5987, 4621, 2590, 8246, 4634, 6491]
GOLDEN_LABELS = [33, 31, 103, 26, 29, 98, 32, 35, 73, 62]


@pytest.mark.parametrize("task", TASKS[:4])
@pytest.mark.parametrize("n", [1, 8, 17, 30])
def test_unmirrored_is_what_no_trained_example_mirrors(task: Task, n: int) -> None:
    split = task.split(n, seed=2)
    trained = {tuple(pair) for pair in task.inputs[split.train].tolist()}
    expected = [i for i in split.test.tolist() if tuple(reversed(task.inputs[i].tolist())) not in trained]
    assert split.unmirrored.tolist() == expected
    if n > 8:
        assert 0 < len(expected) < len(split.test)


@pytest.mark.parametrize("task", TASKS[:4])
def test_mirror_exchanges_operands_or_says_that_it_cannot(task: Task) -> None:
    pairs = list(map(tuple, task.inputs.tolist()))
    assert task.mirror is not None
    expected = [pairs.index((y, x)) if (y, x) in pairs else -1 for x, y in pairs]
    assert task.mirror.tolist() == expected
    # Division: nothing divides by zero, so zero divided by something has no mirror image.
    assert (-1 in expected) == (task == BinaryOperation(operation="x/y", p=11))


def test_inputs_without_mirror_image_are_unmirrored_whatever_is_trained() -> None:
    """Also where the last input is trained on, which the index -1 would stand for."""
    task = BinaryOperation(operation="x/y", p=11)
    split = next(s for seed in range(99) if task.size - 1 in (s := task.split(30, seed=seed)).train)
    unmatched = [i for i in split.test.tolist() if task.inputs[i, 0] == 0]
    assert unmatched
    assert set(unmatched) <= set(split.unmirrored.tolist())


def test_untrained_diagonal_is_unmirrored() -> None:
    """An input that is its own mirror image is not trained on, so nothing gives it away."""
    task = BinaryOperation(p=11)
    split = task.split(60, seed=0)
    diagonal = {i for i, (x, y) in enumerate(task.inputs.tolist()) if x == y}
    assert diagonal & set(split.test.tolist()) == diagonal & set(split.unmirrored.tolist()) != set()


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0.3, 15), (0.5, 24), (1.0, 49), (0.01, 0), (0.0102, 0), (0.011, 1), (0.32, 16)]
)
def test_fraction_is_rounded_to_examples(fraction: float, expected: int) -> None:
    task = BinaryOperation(p=7)
    assert task.n_train(fraction) == expected == round(49 * fraction)


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.01])
def test_impossible_fractions_are_refused(fraction: float) -> None:
    with pytest.raises(InvalidInput) as refusal:
        BinaryOperation(p=7).n_train(fraction)
    assert "fraction" in str(refusal.value)
    assert repr(fraction) in str(refusal.value)
    assert "(0, 1]" in str(refusal.value)


@pytest.mark.parametrize("n", [0, -3, 50])
def test_impossible_splits_are_refused(n: int) -> None:
    with pytest.raises(InvalidInput) as refusal:
        BinaryOperation(p=7).split(n, seed=0)
    message = str(refusal.value)
    assert f"n_train is {n}" in message
    assert "has 49 inputs" in message
    assert "between 1 and 49" in message


@pytest.mark.parametrize("task", TASKS)
def test_random_labels_are_repeatable_uniform_and_independent_of_the_truth(task: Task) -> None:
    labels = [task.random_labels(seed=seed) for seed in range(60)]
    assert torch.equal(labels[3], task.random_labels(seed=3))
    assert not torch.equal(labels[3], labels[4])
    assert labels[0].dtype == torch.int64
    assert labels[0].shape == (task.size,)
    together = torch.cat(labels)
    counts = torch.bincount(together, minlength=task.n_classes)
    assert len(counts) == task.n_classes
    assert 0.001 < scipy.stats.chisquare(counts).pvalue < 0.999
    # How often they hit the truth by chance, within five standard errors.
    rate, n = 1 / task.n_classes, len(together)
    hits = (together == task.labels.repeat(60)).double().mean().item()
    assert abs(hits - rate) < 5 * (rate * (1 - rate) / n) ** 0.5


def test_streams_of_one_seed_are_independent() -> None:
    """The labels of a memorisation-only twin must not tell which examples it is trained on, nor how it starts."""
    n = 4000
    order = randomness.permutation(n, 1, "split")
    rank = np.argsort(order)
    labels = randomness.integers(n, 1000, 1, "labels")
    start = randomness.generator(1, "init/hidden").standard_normal(n)
    other = randomness.permutation(n, 2, "split")
    correlations = np.corrcoef([rank, labels, start, np.argsort(other)]) - np.eye(4)
    assert np.abs(correlations).max() < 5 / n**0.5


def test_all_pairs_in_order() -> None:
    assert all_pairs(2, 3).tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
