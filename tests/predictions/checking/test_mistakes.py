"""Catches mistakes in a claim that are told late, in other words than the author's, or not at all."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.checking.registry import load
from grokscape.reports.cli import main
from tests.predictions.checking.mistakes import ASKED, HEAD, MEASURED, TRIED, WRITTEN

LACKING = """
lacking = mine("lacking", measure=measuring(lambda run, *_: [Measurement("size", run.final("quality"))]))
"""


def code_of(mistakes):
    return HEAD + "\n".join(f'{name} = mine("{name}", {code})' for name, (code, _) in mistakes.items()) + "\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(code, *more):
    """Check the claims of a file; id -> verdict."""
    Path("my_claims.py").write_text(code)
    assert main(["check", "my2027.*", "--module", "my_claims.py", "--workers", "1", "--json", "out.json", *more]) == 1
    return {verdict["id"]: verdict for verdict in json.loads(Path("out.json").read_text())["verdicts"]}


def test_what_is_wrong_shows_before_anything_is_trained(here, capsys):
    found = checked(code_of(TRIED | ASKED))
    for name, (_, words) in (TRIED | ASKED).items():
        verdict = found[f"my2027.{name}"]
        assert verdict["status"] == "ERROR", verdict
        assert words in verdict["reason"]
    for name in TRIED:
        assert found[f"my2027.{name}"]["reason"].startswith("Tried on made-up records, before training: ")
    place = r"\(my_claims\.py:\d+, seed 100, arm 'claim'\)$"
    for name in ("unknown_quantity", "raises", "tuple", "runs_raise", "lr_text"):
        assert re.search(place, found[f"my2027.{name}"]["reason"])
    assert not list(Path("grokscape-store/runs").glob("*"))


def test_the_line_is_the_one_that_is_wrong(here, capsys):
    code = HEAD + '\ndef wrong(records, at):\n    norm = records["run"].final("weight_norm")\n' + (
        "    at.width\n    yield Measurement('size', norm / at.nothing)\nwrong = mine('wrong', measure=wrong)\n"
    )  # fmt: skip
    number = 1 + code.splitlines().index("    yield Measurement('size', norm / at.nothing)")
    assert f"(my_claims.py:{number}, seed 100" in checked(code)["my2027.wrong"]["reason"]


def test_what_only_numbers_show_and_what_a_learner_lacks(here, capsys):
    found = checked(code_of(MEASURED) + LACKING)
    for name, (_, words) in MEASURED.items():
        assert found[f"my2027.{name}"]["status"] == "ERROR"
        assert words in found[f"my2027.{name}"]["reason"]
    assert found["my2027.lacking"]["status"] == "NOT RUN"
    assert "a record of Run has no 'quality'" in found["my2027.lacking"]["reason"]


@pytest.mark.parametrize("code", WRITTEN)
def test_what_is_wrong_in_writing_is_told_when_the_file_is_read(here, code):
    Path("my_claims.py").write_text(f"{HEAD}\nx = {code}\n")
    with pytest.raises(InvalidInput) as refusal:
        load(["my_claims.py"])
    assert WRITTEN[code] in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_two_claims_of_one_id_in_one_file_are_refused(here):
    Path("my_claims.py").write_text(f"{HEAD}\none = mine('x')\nother = mine('x', claim='Another.')\n")
    with pytest.raises(
        InvalidInput, match=r"the id 'my2027.x' of my_claims.py is taken by my_claims.py; ids are never"
    ):
        load(["my_claims.py"])


def test_pytest_finds_the_same_errors_in_the_same_words(here, capsys, pytester):
    """In another folder, so that it finds nothing in a store; by JUnit's XML, which has whole reasons."""
    mistakes = TRIED | {"uncalibrated": ASKED["uncalibrated"]}
    code = code_of(mistakes) + LACKING
    found = checked(code)
    (pytester.path / "my_claims.py").write_text(code)
    options = ["--grokscape", "quick", "--grokscape-module", "my_claims.py", "--grokscape-workers", "1", "-k", "my2027"]
    result = pytester.runpytest_subprocess(*options, "--junitxml=out.xml")
    result.assert_outcomes(errors=len(mistakes), skipped=1)
    cases = ET.parse(pytester.path / "out.xml").iter("testcase")
    reasons = {
        case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")}["reason"] for case in cases
    }
    assert reasons == {id: verdict["reason"] for id, verdict in found.items()}
