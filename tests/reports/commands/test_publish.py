"""Publishing, reporting what is published, and holding a check against it, as users meet them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grokscape.predictions.checking import rooms
from grokscape.predictions.checking.published import read
from grokscape.reports.cli import main
from grokscape.reports.commands import publish as command
from tests.reports.commands.claim_files import MODULE, check

FILE = Path("out/test2026/verdicts.json")
INVALID = """
from tests.predictions.made_up.claims import claim
spoilt = claim("spoilt", control=3.0)
"""


@pytest.fixture
def out(here):
    Path("out").mkdir()
    Path("invalid.py").write_text(INVALID)
    return here


def test_what_is_published_is_drawn_without_a_store(out, capsys):
    assert check("test2026.*", "--publish-to", "out") == 1  # one fails
    told = capsys.readouterr().out
    assert "published: 3 verdicts in 1 file of" in told
    assert "as NOT RUN" in told
    page = Path("grokscape-report.html").read_bytes()
    before = FILE.read_bytes()
    assert [entry.status for entry in read(FILE)] == ["FAIL", "PASS", "NOT RUN"]
    assert main(["report", "--published", "out", "--store", "nowhere", "--report", "p.html"]) == 0
    assert "report of 3 published verdicts at the quick tier: p.html" in capsys.readouterr().out
    assert Path("p.html").read_bytes() == page
    assert main(["report", "--published", "out", "--markdown"]) == 0
    assert "| quick | stated | 1 | 1 | 0 | 1 |" in capsys.readouterr().out
    assert FILE.read_bytes() == before
    assert not Path("nowhere").exists()


def test_a_check_that_reproduces_says_so_and_exits_with_0(out, capsys):
    check("test2026.*", "--publish-to", "out")
    capsys.readouterr()
    assert check("test2026.*", "--against", str(FILE), "--json", "j.json") == 0
    told = capsys.readouterr().out
    assert f"2 same digits, 1 not there, against {FILE}" in told
    held = json.loads(Path("j.json").read_text())["against"]
    assert held["with"] == str(FILE)
    assert held["claims"]["test2026.fails"] == {"outcome": "same digits", "detail": ""}
    page = Path("grokscape-report.html").read_text()
    assert page.count(f"Same digits, against {FILE}.") == 4
    assert f"Held against {FILE}: 2 same digits" in page
    assert check("test2026.holds", "--against", "j.json") == 0


def test_another_verdict_exits_with_1(out, capsys):
    check("test2026.*", "--publish-to", "out")
    Path("changed.py").write_text(MODULE.replace("value=-2.0", "value=2.0"))
    capsys.readouterr()
    assert main(["check", "test2026.*", "--module", "changed.py", "--workers", "1", "--against", "out"]) == 1
    told = capsys.readouterr().out
    assert "1 same digits, 1 different verdict, 1 not there, against out" in told
    assert "test2026.fails: FAIL before, PASS now" in told
    assert "Different verdict (FAIL before, PASS now), against out." in Path("grokscape-report.html").read_text()
    assert main(["report", "--published", "out", "--module", "changed.py", "--report", "p.html"]) == 0
    page = Path("p.html").read_text()
    assert "Stale: 1 verdict of claims that have changed since." in page
    assert "its criteria, gates, controls, seeds or setting have changed." in page


def test_an_invalid_claim_is_not_published_and_named(out, capsys):
    arguments = ["check", "test2026.*", "--module", "my_claims.py", "--module", "invalid.py", "--workers", "1"]
    assert main([*arguments, "--publish-to", "out"]) == 2
    told = " ".join(capsys.readouterr().out.split())
    assert "nothing is published, because test2026.spoilt is INVALID; mend what is wrong" in told
    assert not FILE.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--publish"], "--publish writes the results of built-in papers, and 'test2026' is none; give a folder"),
        (["--publish-to", "nowhere"], "--publish-to is 'nowhere', expected a folder that exists"),
        (["--publish-to", "damaged"], "cannot be read as published results"),
        (["--against", "absent.json"], "there is no file absent.json"),
        (["--against", "other.json"], "its schema is 'grokscape-published/7', expected 'grokscape-published/1'"),
    ],
)
def test_bad_input_is_one_sentence_before_anything_is_trained(out, capsys, arguments, message):
    Path("damaged/test2026").mkdir(parents=True)
    Path("damaged/test2026/verdicts.json").write_text("{}")
    Path("other.json").write_text('{"schema": "grokscape-published/7"}')
    assert check("test2026.*", *arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert not Path("grokscape-store").exists()


def test_an_installed_grokscape_names_the_other_way(out, capsys, monkeypatch):
    monkeypatch.setattr(command.rooms, "checkout", lambda: None)
    assert check("test2026.*", "--publish") == 2
    assert "this Grokscape is installed without one; give a folder with --publish-to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--published", "nowhere"], "--published is 'nowhere', expected a folder"),
        (["--published", "out"], "nothing is published in out at the quick tier"),
        (["--markdown"], "--markdown is for published results; add --published"),
    ],
)
def test_a_report_of_nothing_says_so(out, capsys, arguments, message):
    assert main(["report", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_what_is_published_shows_in_the_list(out, capsys, monkeypatch):
    check("test2026.*", "--publish-to", "out")
    monkeypatch.setattr(rooms, "folder", lambda: Path("out"))
    monkeypatch.setattr(rooms, "sources", lambda: ["test2026"])
    capsys.readouterr()
    assert main(["list", "test2026.*", "--module", "my_claims.py"]) == 0
    told = capsys.readouterr().out
    assert told.count("(quick PASS") + told.count("(quick FAIL") + told.count("(quick NOT RUN") == 3
    assert main(["list", "test2026.*", "--module", "my_claims.py", "--stale"]) == 0
    assert "nothing that is published of these claims is stale" in capsys.readouterr().out
    Path("changed.py").write_text(Path("my_claims.py").read_text().replace("value=-2.0", "value=-2.0, control=-9.0"))
    assert main(["list", "test2026.*", "--module", "changed.py", "--stale"]) == 0
    told = capsys.readouterr().out
    assert "test2026.fails" in told
    assert "test2026.holds" not in told
    assert "quick: Stale: since" in told
    assert check("test2026.*", "--against", "published") == 0
    assert main(["report", "--published", "--report", "p.html"]) == 0
    capsys.readouterr()
    assert main(["list", "test2026.*", "--module", "my_claims.py", "--json"]) == 0
    by_id = {found["id"]: found["published"] for found in json.loads(capsys.readouterr().out)}
    assert by_id["test2026.fails"]["quick"]["status"] == "FAIL"
