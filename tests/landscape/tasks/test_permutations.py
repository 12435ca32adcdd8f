"""Catches a multiplication table that is no group's, and composition in the wrong order."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks import Permutations


def table(n: int, word: str = "xy") -> torch.Tensor:
    """Return the label of (x, y) as a square table."""
    task = Permutations(n=n, word=word)  # type: ignore[arg-type]
    return task.labels.view(task.n_classes, task.n_classes)


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("word", ["xy", "xyx^-1", "xyx"])
def test_words_are_composed_one_image_at_a_time(n: int, word: str) -> None:
    elements = list(itertools.permutations(range(n)))
    number = {element: index for index, element in enumerate(elements)}
    found = table(n, word)
    for (a, x), (b, y) in itertools.product(enumerate(elements), repeat=2):
        inverse = [x.index(i) for i in range(n)]
        if word == "xy":
            image = tuple(x[y[i]] for i in range(n))
        elif word == "xyx":
            image = tuple(x[y[x[i]]] for i in range(n))
        else:
            image = tuple(x[y[inverse[i]]] for i in range(n))
        assert found[a, b] == number[image]


@pytest.mark.parametrize("n", [3, 4, 5])
def test_composition_is_a_group(n: int) -> None:
    product = table(n)
    order = math.factorial(n)
    everything = torch.arange(order)
    assert torch.equal(product[0], everything)  # the identity comes first
    assert torch.equal(product[:, 0], everything)
    # Every row and column holds every element once: each has an inverse.
    assert torch.equal(product.sort(0).values, everything[:, None].expand(order, order))
    assert torch.equal(product.sort(1).values, everything.expand(order, order))
    assert torch.equal(product[product], product[:, product])  # (xy)z = x(yz) for all triples


def test_conjugates_keep_their_cycle_type() -> None:
    task = Permutations(n=5, word="xyx^-1")
    fixed_points = (task.elements == torch.arange(5)).sum(1)
    assert torch.equal(fixed_points[task.labels], fixed_points[task.inputs[:, 1]])


@pytest.mark.parametrize("n", [2, 5])
def test_sizes(n: int) -> None:
    task = Permutations(n=n)
    order = math.factorial(n)
    assert (task.size, task.n_tokens, task.n_classes, task.n_positions) == (order**2, order, order, 2)
    assert task.inputs.tolist() == [[x, y] for x in range(order) for y in range(order)]


def test_only_the_smallest_group_commutes() -> None:
    assert [Permutations(n=n).is_commutative for n in (2, 3, 4)] == [True, False, False]


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ({"n": 7}, ["Permutations.n", "7", "2 to 6", "(n!)^2"]),
        ({"n": 1}, ["Permutations.n", "1", "2 to 6"]),
        ({"word": "yx"}, ["Permutations.word", "'yx'", "'xyx^-1'"]),
    ],
    ids=["n-7", "n-1", "word"],
)
def test_refusals_name_field_value_and_expectation(fields: dict[str, object], parts: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Permutations(**fields)  # type: ignore[arg-type]
    assert all(part in str(refusal.value) for part in parts), refusal.value
