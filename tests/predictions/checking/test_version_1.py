"""Verdicts of version 1, written by checks of November 2026: they are read, say the same, and can be drawn."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import jsonschema
import pytest

from grokscape.landscape.records.store import Store
from grokscape.predictions.checking import verdict_files, version_1
from grokscape.predictions.checking.verdict_files import load_verdicts
from grokscape.predictions.verdict import SCHEMA
from grokscape.predictions.wording import reason

OLD = Path(__file__).parent / "version_1"


@pytest.fixture
def read(tmp_path):
    """Read old verdicts, by the name of the claim."""
    store = Store(tmp_path / "store")
    shutil.copytree(OLD, store.path / "verdicts" / "quick")
    found, complaints = load_verdicts(store, "quick")
    assert complaints == []
    return {data["id"].split(".")[1]: data for data in found}


def old(id):
    return json.loads((OLD / f"{id}.json").read_text())


def test_they_fit_the_schema_of_today(read):
    schema = json.loads((Path(verdict_files.__file__).parent / "verdict.schema.json").read_text())
    assert len(read) == 6
    for data in read.values():
        assert data["schema"] == SCHEMA
        whole = json.loads(json.dumps(data | {"evidence": list(data["evidence"]), "anticipated": ""}))
        jsonschema.validate(whole, schema, cls=jsonschema.Draft202012Validator)


def test_numbers_and_outcomes_stay(read):
    for data in read.values():
        before = old(data["id"])
        assert data["status"] == before["status"]
        for mine, theirs in zip(data["criteria"], before["criteria"], strict=True):
            for name in ("estimate", "low", "high", "p", "n", "outcome", "thresholds", "subject"):
                assert mine[name] == theirs[name]


def test_what_the_numbers_say_is_the_reason_that_was_stored(read):
    """Word for word but for the kind of minus and of power: the sentence is made again, from data."""
    for data in read.values():
        if data["criteria"]:
            words, stored = (text.split() for text in (reason(data), old(data["id"])["reason"]))
            assert [w for w in words if w.isalpha()] == [w for w in stored if w.isalpha()]


def test_every_seed_contributes_again(read):
    spread = read["efficiency_spread"]["criteria"][0]
    assert (spread["kind"], spread["region"]) == ("spread", [spread["thresholds"][0], None])
    squares = [one["value"] ** 2 for one in spread["contributions"]]
    assert math.sqrt(sum(squares) / len(squares)) == pytest.approx(spread["estimate"])
    falling = read["spurious_dimensions_delay_processes"]["criteria"][0]
    assert len(falling["contributions"]) == falling["n"]
    shares = read["decay_makes_grokking"]["criteria"][0]
    assert sum(one["value"] for one in shares["contributions"]) / shares["n"] == pytest.approx(shares["estimate"])
    times = read["weight_decay_needed"]
    arms = [times["criteria"][0], *(control["criteria"][0] for control in times["controls"])]
    assert None in {one["high"] for found in arms for one in found["contributions"]}  # an event that never came


def test_gates_say_their_limit(read):
    gates = read["generalisation_efficiency"]["gates"]
    assert gates
    for gate, before in zip(gates, old("varma2023.generalisation_efficiency")["gates"], strict=True):
        side = "above" if gate["below"] is None else "below"
        assert before["requirement"] == f"{gate['quantity']} {side} {gate[side]:g}"


def test_a_rule_of_somebodys_own_keeps_its_words():
    found = old("varma2023.efficiency_spread")["criteria"][0] | {"rule": "Mine", "requirement": "likes 3"}
    data = version_1.upgraded({"id": "a.b", "criteria": [found]})
    assert data["criteria"][0]["requirement"] == {"verb": "like", "rest": "3"}
    assert (data["criteria"][0]["contributions"], data["criteria"][0]["region"]) == ([], [None, None])
    data = version_1.upgraded({"id": "a.b", "criteria": [found | {"requirement": "fine"}]})
    assert data["criteria"][0]["requirement"] == {"verb": "satisfy", "rest": "fine"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("BinaryOperation(operation='x*y', p=59)", "x*y modulo 59"),
        ("BinaryOperation(modulus=59)", "BinaryOperation(modulus=59)"),
        ("Perceptron(width=8, activation='relu', bias=False, embedding=None)", "perceptron (width 8, activation relu)"),
        ("Dense(widths=(9, 9), bias=True)", "multilayer perceptron (widths (9, 9), bias)"),
        ("AdamW()", "AdamW"),
        (f"Images(examples=1000, sha256='{'0af9' * 16}')", "images (examples 1000)"),
        ("__import__('os').system('true')", "__import__('os').system('true')"),
        ("Odd(1, 2)", "Odd(1, 2)"),
        ("Odd(x=open('file'))", "Odd(x=open('file'))"),
        ("(((", "((("),
    ],
)
def test_settings_are_read_and_never_evaluated(text, words):
    assert version_1.value(text) == {"words": words, "data": None}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(0.1, 0.2)", [0.1, 0.2]),
        ("'true'", "true"),
        ("{'eps': 0.0001}", {"eps": 0.0001}),
        ("None", None),
        ("()", []),
        ("(AdamW(lr=0.1), SGD())", [{"words": "AdamW (lr 0.1)", "data": None}, {"words": "SGD", "data": None}]),
    ],
)
def test_plain_values_are_data(text, value):
    assert version_1.value(text) == value


@pytest.mark.parametrize("text", ["(" * 5000, "Model(" * 300, "x\x00y", "[1, " * 2000, "9" * 5000, "1j"])
def test_any_text_of_a_setting_is_read(text):
    assert version_1.value(text)["data"] is None


def test_a_gate_that_says_nothing_is_named(tmp_path):
    store = Store(tmp_path / "store")
    folder = store.path / "verdicts" / "quick"
    folder.mkdir(parents=True, exist_ok=True)
    gate = {"arm": "claim", "quantity": "x", "requirement": "x is nice", "worst": 1.0, "met": True}
    data = {"schema": version_1.SCHEMA, "id": "a.b", "tier": "quick", "status": "PASS", "gates": [gate]}
    (folder / "a.b.json").write_text(json.dumps(data))
    found, [complaint] = load_verdicts(store, "quick")
    assert found == []
    assert "gate 'x is nice' of version 1 says neither above nor below what" in complaint
