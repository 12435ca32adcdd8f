"""Catches a wrong table: every label is compared with Python's own integers, one pair at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks import OPERATIONS, BinaryOperation

PRIMES, COMPOSITES = (2, 3, 5, 13, 23), (4, 9, 12)

#: (x, y, p) -> label, in exact integers and without inverses: division looks for the quotient.
BY_HAND: dict[str, Callable[[int, int, int], int]] = {
    "x+y": lambda x, y, p: (x + y) % p,
    "x-y": lambda x, y, p: (x - y) % p,
    "x*y": lambda x, y, p: (x * y) % p,
    "x/y": lambda x, y, p: next(z for z in range(p) if (z * y) % p == x),
    "x/y if y odd else x-y": lambda x, y, p: BY_HAND["x/y" if y % 2 else "x-y"](x, y, p),
    "x^2+y^2": lambda x, y, p: (x * x + y * y) % p,
    "x^2+xy+y^2": lambda x, y, p: (x * x + x * y + y * y) % p,
    "x^2+xy+y^2+x": lambda x, y, p: (x * x + x * y + y * y + x) % p,
    "x^3+xy": lambda x, y, p: (x * x * x + x * y) % p,
    "x^3+xy^2+y": lambda x, y, p: (x * x * x + x * y * y + y) % p,
}
DIVIDING = {"x/y", "x/y if y odd else x-y"}
COMMUTATIVE = {"x+y", "x*y", "x^2+y^2", "x^2+xy+y^2"}


@pytest.mark.parametrize("operation", BY_HAND)
def test_labels_are_those_of_exact_integers(operation: str) -> None:
    for p in PRIMES if operation in DIVIDING else PRIMES + COMPOSITES:
        task = BinaryOperation(operation=operation, p=p)
        expected = [BY_HAND[operation](x, y, p) for x, y in task.inputs.tolist()]
        assert task.labels.tolist() == expected, p
        assert task.labels.dtype == task.inputs.dtype == torch.int64


@pytest.mark.parametrize("operation", BY_HAND)
def test_inputs_are_all_pairs_once(operation: str) -> None:
    task = BinaryOperation(operation=operation, p=13)
    pairs = list(map(tuple, task.inputs.tolist()))
    assert pairs == [(x, y) for x in range(13) for y in range(13) if operation != "x/y" or y != 0]
    assert task.size == len(pairs) == (156 if operation == "x/y" else 169)
    assert (task.n_tokens, task.n_classes, task.n_positions) == (13, 13, 2)


def test_every_operation_is_tested() -> None:
    assert set(BY_HAND) == set(OPERATIONS)


@pytest.mark.parametrize("operation", BY_HAND)
def test_commutativity_is_found(operation: str) -> None:
    assert BinaryOperation(operation=operation, p=13).is_commutative == (operation in COMMUTATIVE)


def test_commutativity_depends_on_the_modulus() -> None:
    """Modulo 2, a difference is a sum."""
    assert BinaryOperation(operation="x-y", p=2).is_commutative


def test_largest_modulus_does_not_overflow() -> None:
    """Cubes of numbers below 4096 fit; spot checks, because all pairs would be 16 million."""
    x, y = torch.tensor([4095, 4094]), torch.tensor([4095, 1])
    values = OPERATIONS["x^3+xy^2+y"](x, y, 4096) % 4096
    assert values.tolist() == [BY_HAND["x^3+xy^2+y"](a, b, 4096) for a, b in ((4095, 4095), (4094, 1))]


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ({"operation": "x^y"}, ["BinaryOperation.operation", "'x^y'", "x^3+xy^2+y"]),
        ({"operation": "x/y", "p": 12}, ["BinaryOperation.p", "12", "prime", "97"]),
        ({"operation": "x/y if y odd else x-y", "p": 9}, ["BinaryOperation.p", "9", "prime"]),
        ({"p": 1}, ["BinaryOperation.p", "1", "between 2 and 4096"]),
        ({"p": 4097}, ["BinaryOperation.p", "4097", "between 2 and 4096"]),
        ({"p": 7.5}, ["BinaryOperation.p", "7.5", "integer"]),
    ],
    ids=["unknown-operation", "division-by-12", "mixed-by-9", "p-1", "p-too-large", "p-fraction"],
)
def test_refusals_name_field_value_and_expectation(fields: dict[str, object], parts: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        BinaryOperation(**fields)  # type: ignore[arg-type]
    assert all(part in str(refusal.value) for part in parts), refusal.value
