"""Catches kept verdicts that are read though they are damaged, of another claim or tier, or of another form."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from grokscape.landscape.records.store import Store
from grokscape.predictions.checking import verdict_files
from grokscape.predictions.checking.schema import checker
from grokscape.predictions.checking.verdict_files import load_verdicts, save_verdict
from grokscape.predictions.verdict import Status, Verdict

SCHEMA = json.loads((Path(verdict_files.__file__).parent / "verdict.schema.json").read_text())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    evidence = ({"arm": "claim", "seed": 1, "quantity": "x", "at": None, "value": 0.25, "censored": False},)
    save_verdict(store, Verdict("a.b", "quick", Status.PASS, "why", evidence=evidence, cost={"seconds": 12.5}))
    return store


@pytest.fixture
def file(store: Store) -> Path:
    return store.path / "verdicts" / "quick" / "a.b.json"


def test_a_kept_verdict_comes_back_and_fits_the_schema(store: Store, file: Path) -> None:
    jsonschema.validate(json.loads(file.read_bytes()), SCHEMA, cls=jsonschema.Draft202012Validator)
    [found], complaints = load_verdicts(store, "quick")
    assert (found["id"], found["status"], found["evidence"][0]["value"], complaints) == ("a.b", "PASS", 0.25, [])
    assert "sha256" not in found
    assert load_verdicts(store, "paper") == ([], [])


def test_a_changed_digit_is_noticed(store: Store, file: Path) -> None:
    file.write_text(file.read_text().replace("12.5", "13.5"))
    [complaint] = load_verdicts(store, "quick")[1]
    assert complaint == f"{file} cannot be read (it does not match its checksum); check the claim again"


def test_a_verdict_without_a_checksum_is_read(store: Store, file: Path) -> None:
    data = json.loads(file.read_bytes())
    del data["sha256"]
    file.write_text(json.dumps(data))
    assert len(load_verdicts(store, "quick")[0]) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "a.c"}, "another claim's verdict"),
        ({"tier": "paper"}, "a verdict of another tier"),
        ({"tier": 3}, "verdict.tier is 3"),
        ({"status": "FINE"}, "verdict.status is 'FINE'"),
        ({"schema": "grokscape-verdict/3"}, "verdict.schema is 'grokscape-verdict/3'"),
        ({"criteria": {}}, "verdict.criteria is {}, expected array"),
        ({"criteria": [{"at": 1}]}, "verdict.criteria[0] lacks 'axis'"),
        ({"evidence": [1]}, "verdict.evidence[0] is 1, expected object"),
        ({"seeds": [True]}, "verdict.seeds[0] is True, expected integer"),
        ({"runs": {"claim": {"1": {"x": "../../etc"}}}}, "expected ^[0-9a-f]{32}$"),
        ({"about": {"claim": ["x"]}}, "verdict.about.claim is ['x'], expected string"),
        ({"about": {"source": {"key": None}}}, "verdict.about.source.key is None, expected string"),
        ({"p": 1.5}, "verdict.p is 1.5, out of range"),
        ({"p": 10**400}, "401 digits"),
        ({"more": 1}, "has 'more', which no verdict has"),
    ],
)
def test_a_verdict_of_another_form_is_named(store: Store, file: Path, change: dict[str, object], reason: str) -> None:
    data = json.loads(file.read_bytes()) | change
    del data["sha256"]
    file.write_text(json.dumps(data))
    found, [complaint] = load_verdicts(store, "quick")
    assert found == []
    assert str(file) in complaint
    assert reason in complaint


@pytest.mark.parametrize("content", ["[" * 100_000, "NaN", '{"p": 1e400}', "[]", "3", ""])
def test_odd_json_is_named(store: Store, file: Path, content: str) -> None:
    file.write_text(content)
    found, complaints = load_verdicts(store, "quick")
    assert (found, len(complaints)) == ([], 1)


@pytest.mark.skipif(os.name != "posix", reason="links and FIFOs")
def test_what_is_no_file_is_named_and_not_opened(store: Store, file: Path, tmp_path: Path) -> None:
    kept = file.rename(tmp_path / "elsewhere.json")
    file.symlink_to(kept)
    os.mkfifo(file.parent / "c.d.json")
    os.truncate(kept, 2**40)
    (file.parent / "e.f.json").mkdir()
    found, complaints = load_verdicts(store, "quick")
    assert (found, len(complaints)) == ([], 3)
    save_verdict(store, Verdict("a.b", "quick", Status.PASS, "why"))
    assert kept.stat().st_size == 2**40
    assert not file.is_symlink()
    assert "a.b.json is a symbolic link" in store.complaints[0]


def test_verdicts_that_are_too_large_together_are_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    save_verdict(store, Verdict("a.c", "quick", Status.PASS, "why"))
    monkeypatch.setattr(verdict_files, "LARGEST_TOGETHER", (store.path / "verdicts/quick/a.b.json").stat().st_size + 9)
    found, [complaint] = load_verdicts(store, "quick")
    assert [data["id"] for data in found] == ["a.b"]
    assert "a.c.json cannot be read" in complaint


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"type": "number"}, [1, 2.5], [True, "1", None]),
        ({"type": ["string", "null"]}, ["", None], [0]),
        ({"enum": ["a", "b"]}, ["a"], ["c", ["a"]]),
        ({"type": "string", "pattern": "^a+$", "minLength": 2}, ["aa"], ["a", "ab", 1]),
        ({"type": ["number", "null"], "minimum": 0, "maximum": 1}, [0, 1, None], [-1, 2]),
        ({"type": "array", "items": {"$ref": "#/$defs/x"}}, [[], [1]], [[1, "1"], {}]),
        ({"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"], "additionalProperties": False},
         [{"a": None}], [{}, {"a": 1}, {"a": None, "b": 1}, []]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, [{}, {"z": 1}], [{"z": "1"}]),
    ],
)  # fmt: skip
def test_the_checker_agrees_with_json_schema(
    schema: dict[str, object], right: list[object], wrong: list[object]
) -> None:
    definitions = {"x": {"type": "integer"}}
    other = jsonschema.Draft202012Validator(schema | {"$defs": definitions})
    check = checker(schema, definitions)
    assert [check(value) == "" for value in right + wrong] == [True] * len(right) + [False] * len(wrong)
    assert [other.is_valid(value) for value in right + wrong] == [True] * len(right) + [False] * len(wrong)
