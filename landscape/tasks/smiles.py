"""Molecules written as SMILES strings (Weininger 1988), without charges, aromatic atoms or stereochemistry."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grokscape.landscape.errors import InvalidInput

#: Bonds that each element makes in a neutral molecule.
VALENCE = {"H": 1, "C": 4, "N": 3, "O": 2, "F": 1}
ORDERS = {"": 1, "-": 1, "=": 2, "#": 3}

TOKEN = re.compile(r"[CNOF]|[-=#]|[0-9]|[()]|(?P<unknown>.)")


@dataclass(frozen=True)
class MolecularGraph:
    """Atoms and bonds, hydrogens included.

    Attributes
    ----------
    elements : tuple of str
        Heavy atoms in the order of the string, then the hydrogens.
    bonds : dict
        (first atom, second atom) -> 1, 2 or 3, each bond once, the first atom the smaller index.
    """

    elements: tuple[str, ...]
    bonds: dict[tuple[int, int], int]


def parse(text: str) -> MolecularGraph:
    """Return the molecule that a SMILES string describes; hydrogens fill up the valences.

    Raises
    ------
    InvalidInput
        If the string has parts that are not read here, or makes no sense.
    """
    elements: list[str] = []
    bonds: dict[tuple[int, int], int] = {}
    branches: list[int] = []
    rings: dict[str, tuple[int, str]] = {}
    last, order = -1, ""

    def refuse(why: str) -> InvalidInput:
        return InvalidInput(f"the SMILES string {text!r} {why}; expected C, N, O, F, bonds, branches and rings")

    for token in TOKEN.finditer(text):
        part = token.group()
        if token["unknown"] is not None:
            raise refuse(f"has {part!r}")
        if part in ORDERS:
            order = part
            continue
        if part in VALENCE:
            elements.append(part)
            if last < 0 and order:
                raise refuse(f"begins with {order!r}")
            if last >= 0:
                bonds[last, len(elements) - 1] = ORDERS[order]
            last = len(elements) - 1
        elif last < 0:
            raise refuse(f"begins with {part!r}")
        elif part == "(":
            branches.append(last)
        elif part == ")":
            if not branches:
                raise refuse("closes a branch that was not opened")
            last = branches.pop()
        elif part in rings:
            first, opened = rings.pop(part)
            bonds[first, last] = ORDERS[order or opened]
        else:
            rings[part] = (last, order)
        order = ""
    if branches or rings or order or not elements:
        raise refuse("is not complete")
    used = [sum(order for pair, order in bonds.items() if atom in pair) for atom in range(len(elements))]
    for atom, element in enumerate(list(elements)):
        if used[atom] > VALENCE[element]:
            raise refuse(f"has a {element} with {used[atom]} bonds")
        for _ in range(VALENCE[element] - used[atom]):
            bonds[atom, len(elements)] = 1
            elements.append("H")
    return MolecularGraph(tuple(elements), bonds)
