"""Molecules: what their strings say, and how they are packed."""

import numpy as np
import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks import Molecules
from grokscape.landscape.tasks import collected_task as module
from grokscape.landscape.tasks.local_data import fingerprint
from grokscape.landscape.tasks.molecules import features, pack
from grokscape.landscape.tasks.smiles import parse


@pytest.mark.parametrize(
    ("text", "formula", "orders"),
    [
        ("C", "CHHHH", [1, 1, 1, 1]),
        ("C#N", "CNH", [1, 3]),
        ("CC(C)=O", "CCCOHHHHHH", [1] * 8 + [2]),
        ("C1CC1", "CCCHHHHHH", [1] * 9),
        ("O1C=CC=C1", "OCCCCHHHH", [1] * 7 + [2] * 2),
        ("C=1CC1", "CCCHHHH", [1] * 6 + [2]),
        ("C1C2CC1C2", "CCCCCHHHHHHHH", [1] * 14),
        ("FC(F)(F)F", "FCFFF", [1] * 4),
    ],
)
def test_strings_say_atoms_and_bonds(text, formula, orders):
    graph = parse(text)
    assert "".join(graph.elements) == formula
    assert sorted(graph.bonds.values()) == orders
    assert all(first < second for first, second in graph.bonds)


def test_acetone_has_its_double_bond_at_the_middle():
    assert {pair: order for pair, order in parse("CC(C)=O").bonds.items() if pair[1] < 4} == {
        (0, 1): 1,
        (1, 2): 1,
        (1, 3): 2,
    }


@pytest.mark.parametrize(
    "text", ["", "(C)", "C(", "C)", "C1", "C=", "=C", "[NH4+]", "c1ccccc1", "C(C)(C)(C)(C)C", "CX"]
)
def test_other_strings_are_refused(text):
    with pytest.raises(InvalidInput, match="SMILES string"):
        parse(text)


def test_features_of_hydrogen_cyanide():
    carbon, nitrogen, hydrogen = features(parse("C#N"))
    assert carbon.tolist() == [0, 1, 0, 0, 0, 6, 1, 0, 0, 1]
    assert nitrogen.tolist() == [0, 0, 1, 0, 0, 7, 1, 0, 0, 0]
    assert hydrogen.tolist() == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert features(parse("C=O"))[0, 6:9].tolist() == [0, 1, 0]  # sp2
    assert features(parse("C=C=C"))[:3, 6:9].tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0]]
    assert features(parse("C"))[0, 6:9].tolist() == [0, 0, 1]


def test_packing_leaves_room_for_the_largest():
    packed = pack(parse("C#N"), 4)
    assert packed.shape == (4, 10 + 4 * 3 + 1)
    assert packed[:, -1].tolist() == [1, 1, 1, 0]
    bonds = packed[:, 10:-1].reshape(4, 4, 3)
    assert np.array_equal(bonds, bonds.transpose(1, 0, 2))
    assert bonds[0, 1].tolist() == [0, 0, 1]
    assert bonds[0, 2].tolist() == [1, 0, 0]
    assert bonds.sum() == 4
    assert not packed[3].any()


def test_molecules_come_in_the_order_of_the_file(tmp_path, monkeypatch):
    rows = ["C,13.21", "N,9.46", '"CC(=O)N",31.83']
    file = tmp_path / "qm9.csv"
    file.write_text("SMILES,Polarizability_bohr3\n" + "\n".join(rows) + "\nnot read,0\n")
    monkeypatch.setattr(Molecules, "files", staticmethod(lambda: (file,)))
    monkeypatch.setattr(Molecules, "available", 3)
    task = Molecules(examples=2, sha256=fingerprint(Molecules.load(file)))
    assert task.labels.tolist() == [[13.21], [9.46]]
    assert task.inputs.shape == (2, 5, 10 + 15 + 1)
    assert task.tolerance == 1.0
    file.write_text("SMILES,other\nC,1\n")
    module._collection.cache_clear()
    with pytest.raises(InvalidInput, match=r"no table of molecules.*qm9pack"):
        Molecules(examples=1).inputs  # noqa: B018


@pytest.mark.skipif(bool(Molecules().missing), reason="qm9pack is not installed")
def test_the_real_molecules():
    task = Molecules(examples=250)
    assert task.inputs[0, :, -1].sum() == 5  # methane
    assert task.labels[0].item() == 13.21
