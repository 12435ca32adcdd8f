"""Molecules as graphs, and how easily an electric field polarises them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks.collected_task import CollectedTask
from grokscape.landscape.tasks.local_data import in_package
from grokscape.landscape.tasks.smiles import MolecularGraph, parse

ELEMENTS = ("H", "C", "N", "O", "F")
ATOMIC_NUMBER = {"H": 1, "C": 6, "N": 7, "O": 8, "F": 9}


def features(molecule: MolecularGraph) -> np.ndarray:
    """Describe each atom: element (one of five), atomic number, sp, sp2 or sp3, and how many hydrogens it holds.

    Returns
    -------
    array of float, shape (atoms, 10)
        Hybridisation is read from the bonds: sp with a triple or two double bonds, sp2 with one double bond, else sp3;
        hydrogens have none.
    """
    table = np.zeros((len(molecule.elements), 10))
    for atom, element in enumerate(molecule.elements):
        bonds = [(pair, order) for pair, order in molecule.bonds.items() if atom in pair]
        partners = [pair[0] + pair[1] - atom for pair, _ in bonds]
        table[atom, ELEMENTS.index(element)] = 1.0
        table[atom, 5] = ATOMIC_NUMBER[element]
        if element != "H":
            unsaturated = min(sum(order - 1 for _, order in bonds), 2)
            table[atom, 8 - unsaturated] = 1.0
        table[atom, 9] = sum(molecule.elements[partner] == "H" for partner in partners)
    return table


@dataclass(frozen=True, kw_only=True)
class Molecules(CollectedTask, kind="molecules"):
    """Isotropic polarizability of small organic molecules (QM9, Ramakrishnan et al. 2014), from the package qm9pack.

    An input is one molecule, packed into a tensor of shape (atoms, 10 + 3 * atoms + 1): for each atom its `features`,
    its bonds to every atom (single, double, triple; all 0 where there is none), and 1, or 0 where there is no atom
    because the molecule has fewer than the largest. Labels are in cubic bohr, of shape (N, 1). The molecules are the
    first 250 of QM9, all with at most five heavy atoms; examples are the first of them, not in random order, as in
    the paper.

    Parameters
    ----------
    within : float
        Squared error, in bohr to the power of six, below which an answer counts as correct.
    """

    examples: int = 100
    sha256: str = "a941762579f61ae4d3e2fde7b5edd528fba9b2b56b0f18b8c154817d7a4a3603"
    within: float = 1.0

    available: ClassVar[int] = 250
    advice: ClassVar[str] = "pip install qm9pack (100 MB)"
    #: Numbers for each atom, and for each bond.
    node_features: ClassVar[int] = 10
    edge_features: ClassVar[int] = 3

    def validate(self) -> None:
        super().validate()
        if self.within <= 0:
            self.refuse("within", "a positive number")

    @property
    def n_outputs(self) -> int:
        return 1

    @property
    def tolerance(self) -> float:
        return self.within

    @classmethod
    def files(cls) -> tuple[Path | None, ...]:
        return (in_package("qm9pack", "data/qm9_part1.csv"),)

    @classmethod
    def load(cls, *files: Path) -> tuple[np.ndarray, ...]:
        """Return the SMILES strings as bytes, and polarizabilities."""
        with files[0].open("rb") as file:
            # The file has 70 MB and longer lines than any molecule here needs.
            lines = [file.readline(10_000).decode(errors="replace") for _ in range(cls.available + 1)]
        rows = csv.DictReader(io.StringIO("".join(lines), newline=""))
        try:
            kept = [(row["SMILES"].encode("ascii"), float(row["Polarizability_bohr3"])) for row in rows]
        except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
            raise InvalidInput(f"{files[0]} is no table of molecules ({error}): {cls.advice}") from None
        return np.array([text for text, _ in kept], "S32"), np.array([value for _, value in kept])

    def examples_of(self, chosen: np.ndarray, *collection: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        texts, values = (part[: len(chosen)] for part in collection)
        graphs = [parse(text.decode()) for text in texts.tolist()]
        room = max(len(graph.elements) for graph in graphs)
        return np.stack([pack(graph, room) for graph in graphs]), values[:, None]


def pack(graph: MolecularGraph, room: int) -> np.ndarray:
    """Return a graph as `Molecules` describes, with room for so many atoms."""
    atoms = len(graph.elements)
    edges = np.zeros((room, room, Molecules.edge_features))
    for (first, second), order in graph.bonds.items():
        edges[[first, second], [second, first], order - 1] = 1.0
    table = np.zeros((room, Molecules.node_features + edges[0].size + 1))
    table[:atoms, : Molecules.node_features] = features(graph)
    table[:, Molecules.node_features : -1] = edges.reshape(room, -1)
    table[:atoms, -1] = 1.0
    return table
