"""Characters and group elements against tables from books, orthogonality and traces of matrices."""

from __future__ import annotations

import math

import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.circuits import Characters, cyclic, group, symmetric
from grokscape.landscape.measures.circuits.murnaghan import character, cycle_type, partitions
from tests.landscape.measures.circuits.planted import rotations, standard


def class_size(cycles):
    """Return how many permutations have these cycle lengths."""
    centraliser = math.prod(cycles) * math.prod(math.factorial(cycles.count(length)) for length in set(cycles))
    return math.factorial(sum(cycles)) // centraliser


def all_pairs(n):
    return torch.cartesian_prod(torch.arange(n), torch.arange(n))


def test_characters_of_s4_are_those_of_the_textbooks():
    classes = [(1, 1, 1, 1), (2, 1, 1), (2, 2), (3, 1), (4,)]
    table = {
        (4,): [1, 1, 1, 1, 1],
        (3, 1): [3, 1, -1, 0, -1],
        (2, 2): [2, 0, 2, -1, 0],
        (2, 1, 1): [3, -1, -1, 0, 1],
        (1, 1, 1, 1): [1, -1, 1, 1, -1],
    }
    assert {shape: [character(shape, cycles) for cycles in classes] for shape in partitions(4)} == table


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7])
def test_characters_are_orthogonal_and_dimensions_square_to_the_order(n):
    shapes = list(partitions(n))
    table = torch.tensor([[character(shape, cycles) for cycles in shapes] for shape in shapes], dtype=torch.float64)
    sizes = torch.tensor([class_size(cycles) for cycles in shapes], dtype=torch.float64)
    torch.testing.assert_close((table * sizes) @ table.T, math.factorial(n) * torch.eye(len(shapes)).double())
    assert table[:, -1].square().sum() == math.factorial(n)  # the last class is the identity's


@pytest.mark.parametrize("n", [3, 4, 5])
def test_the_standard_character_is_the_trace_of_its_matrices(n):
    _, matrices = standard(n)
    functions = symmetric(n, torch.zeros(0, 2, dtype=torch.int64)).functions
    traces = matrices.diagonal(dim1=1, dim2=2).sum(1)
    torch.testing.assert_close(functions[f"{n - 1},1"][:, 0], traces)


@pytest.mark.parametrize("n", [3, 4])
def test_matrix_elements_fill_the_block_of_their_representation(n):
    _, matrices = standard(n)
    characters = symmetric(n, torch.zeros(0, 2, dtype=torch.int64), matrix_elements=True)
    found = characters.projector([f"{n - 1},1"])
    elements = matrices.flatten(1) * ((n - 1) / math.factorial(n)) ** 0.5  # orthonormal, by Schur
    torch.testing.assert_close(found, elements @ elements.T)
    order = math.factorial(n)
    torch.testing.assert_close(characters.projector(), torch.eye(order).double() - 1 / order)


def test_waves_of_a_cyclic_group_span_everything_but_the_constant():
    for p in (6, 7):
        found = cyclic(p, all_pairs(p)).projector()
        torch.testing.assert_close(found, torch.eye(p).double() - 1 / p)
    assert int(cyclic(7, all_pairs(7)).projector(["2"]).trace().round()) == 2


def test_the_element_is_the_class_inverted_times_the_label():
    table, matrices = standard(3)
    pairs = all_pairs(6)
    element = symmetric(3, pairs).element
    labels = table[pairs[:, 0], pairs[:, 1]]
    wanted = matrices[:, None].mT @ matrices[None]  # rho(c)^-1 rho(y), (c, y)
    torch.testing.assert_close(matrices[element], wanted.swapaxes(0, 1)[labels])


def test_a_cyclic_group_is_a_group_like_any_other():
    pairs = all_pairs(5)
    table, _ = rotations(5)
    special, general = cyclic(5, pairs), group(table, pairs)
    assert (special.element == general.element).all()
    torch.testing.assert_close(special.projector(), general.projector())
    a, b = pairs.T
    assert (special.element == (a[:, None] + b[:, None] - torch.arange(5)) % 5).all()


def test_cycle_types():
    assert cycle_type([1, 2, 0, 4, 3, 5]) == (3, 2, 1)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: cyclic(5, torch.zeros(3, 10)), "labels are missing.*pass labels="),
        (lambda: cyclic(5, torch.tensor([[1, 7]])), "inputs hold tokens from 1 to 7, expected 0 to 4"),
        (lambda: cyclic(5, torch.zeros(1, 4), torch.tensor([9])), "labels are torch.int64.*below 5"),
        (lambda: symmetric(7, all_pairs(3)), "n is 7, expected a number from 2 to 6"),
        (lambda: group(torch.zeros(2, 2).long(), all_pairs(2)), "does not hold every element once"),
        (lambda: group(torch.tensor([[0, 2, 1], [1, 0, 2], [2, 1, 0]]), all_pairs(3)), "table is no group's"),
        (lambda: cyclic(5, all_pairs(5)).projector(["9"]), "irreps name '9', expected some of 1, 2"),
        (lambda: cyclic(5, all_pairs(5)).projector([]), "irreps are empty"),
        (
            lambda: Characters(inputs=torch.zeros(1, 2), element=torch.tensor([[0, 0]]), functions={}),
            "a row of element does not hold every number",
        ),
        (
            lambda: Characters(inputs=torch.zeros(2, 2), element=torch.tensor([[0, 1]]), functions={}),
            r"element has shape \(1, 2\).*expected int64 of shape \(2, n_classes\)",
        ),
        (
            lambda: Characters(
                inputs=torch.zeros(1, 2), element=torch.tensor([[0, 1]]), functions={"x": torch.zeros(3, 1)}
            ),
            r"functions\['x'\] has shape \(3, 1\), expected \(2, r\)",
        ),
    ],
)
def test_what_is_no_group_is_refused(build, message):
    with pytest.raises(InvalidInput, match=message):
        build()
