"""The commands of those who look for claims or write them: list, calibrate, new."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions import papers
from grokscape.predictions.checking.registry import load
from grokscape.predictions.terms import Source
from grokscape.predictions.testing import check_explained
from grokscape.reports.cli import main
from grokscape.reports.commands import new
from grokscape.reports.commands.listing import WIDTH, cited

UNCALIBRATED = """
import dataclasses
from tests.predictions.made_up.claims import claim
made = claim("new", kind="ours")
mine = dataclasses.replace(made, criteria=(dataclasses.replace(made.criteria[0], calibrated=None),))
del made
"""


@pytest.fixture
def here(tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(request.config.rootpath))
    Path("my_claims.py").write_text(UNCALIBRATED)
    return tmp_path


# -- list --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("authors", "arxiv", "url", "words"),
    [
        ("Me", "", "", "Me 2027"),
        ("Me, You", "2701.00001", "", "Me and You 2027 (arXiv:2701.00001)"),
        ("Me and You", "", "https://me.org", "Me and You 2027 (https://me.org)"),
        ("Me, You, They", "", "", "Me et al. 2027"),
        ("", "", "", "me2027"),
    ],
)
def test_papers_are_cited_by_what_they_have(authors, arxiv, url, words):
    assert cited(Source(key="me2027", title="T", authors=authors, arxiv=arxiv, url=url)) == words


def test_the_list_is_compact_and_grouped_by_paper(here, capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    claims = load().claims
    keys = {claim.source.key for claim in claims.values()}
    assert len(lines) <= 2 * len(claims) + 2 * len(keys) + 2
    assert max(map(len, lines)) <= WIDTH
    shown = [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("   ")]
    assert sorted(shown) == sorted(claims)
    assert [id.split(".")[0] for id in shown] == sorted(id.split(".")[0] for id in shown)
    total, _, kinds = lines[-1].partition(": ")
    assert total == f"{len(claims)} claims of {len(keys)} papers"
    counted = Counter(claim.kind for claim in claims.values())
    assert kinds == (
        f"{counted['stated']} stated, {counted['extension']} extensions, {counted['rival']} rival readings and "
        f"{counted['ours']} claims of our own"
    )


def test_the_list_as_data(here, capsys):
    assert main(["list", "--json", "--module", "my_claims.py", "--kind", "ours", "--paper", "test2026"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed["id"] == "test2026.new"
    assert listed["tiers"] == {"quick": 8}
    assert (listed["kind"], listed["paper"], listed["where"]) == ("ours", "test2026", "section 1")


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        (["--paper", "power2022"], lambda claim: claim.source.key == "power2022"),
        (["--theory", "circuit EFFICIENCY"], lambda claim: "circuit efficiency" in claim.theory),
        (["--tier", "paper"], lambda claim: "paper" in claim.tiers),
        (["varma2023.*", "--tier", "standard"], lambda c: c.source.key == "varma2023" and "standard" in c.tiers),
    ],
)
def test_filters(here, capsys, options, passes):
    assert main(["list", *options, "--json"]) == 0
    found = {claim["id"] for claim in json.loads(capsys.readouterr().out)}
    assert found == {id for id, claim in load().claims.items() if passes(claim)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--paper", "varma2032"], "--paper is 'varma2032', which no claim here has; there is 'varma2023'"),
        (["--theory", "luck"], "--theory is 'luck', which no claim here has; there is"),
        (["--kind", "theirs"], "--kind is 'theirs', which no claim here has; there is 'extension', 'ours', 'rival'"),
        (["--tier", "quik"], "--tier is 'quik', which no claim here has; there is 'quick'"),
        (["power2022.*", "--kind", "rival"], "no claim passes --kind rival; leave one out"),
    ],
)
def test_filters_that_nothing_passes(here, capsys, options, message):
    assert main(["list", *options]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


# -- calibrate ---------------------------------------------------------------------------------------------------------


def test_calibrate_prints_what_to_paste_and_how_the_rule_errs(here, capsys):
    arguments = ["test2026.new", "--module", "my_claims.py", "--workers", "1"]
    assert main(["check", *arguments]) == 1
    assert "run grokscape calibrate test2026.new --module my_claims.py" in " ".join(capsys.readouterr().out.split())
    assert main(["calibrate", *arguments]) == 0
    told = capsys.readouterr().out
    assert "test2026.new: calibration seeds 0-2 in the setting of quick" in told
    assert re.search("size (must )?exceeds? 1:", told)
    assert "found 2.001, spread 0.001; in controls: small 0.001" in told
    assert "quick, 8 seeds: power 100 %, false positives" in told
    assert 'calibrated=Calibrated(2.001, 0.001, "0-2")' in told
    assert (
        not list(Path("grokscape-store/verdicts").glob("quick/*new*"))
        or "ERROR" in next(Path("grokscape-store/verdicts/quick").glob("*new*")).read_text()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["calibrate", "test2026.nwe", "--module", "my_claims.py"], "nearest are test2026.new"),
        (["calibrate", "test2026.new", "--module", "my_claims.py", "--tier", "standard"], "has no standard tier"),
        (["calibrate", "test2026.new", "--module", "my_claims.py", "--tier", "huge"], "--tier is 'huge'"),
        (["calibrate", "test2026.new", "--module", "my_claims.py", "--workers", "0"], "--workers is 0"),
    ],
)
def test_calibrate_refuses_misuse(here, capsys, arguments, message):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


# -- new ---------------------------------------------------------------------------------------------------------------

TITLE = 'Grokking "explained" by \\dice\\ {and} luck'


def test_a_new_paper_runs_as_it_is_written_and_is_undecided(here, capsys, pytester):
    arguments = ["new", "paper", "doe2027", TITLE, "--arxiv", "2701.01234", "--authors", "Doe, Roe", "--folder", "mine"]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert "grokscape calibrate doe2027.first_claim --module mine/doe2027_claims.py" in told
    claim = load(["mine/doe2027_claims.py"]).claims["doe2027.first_claim"]
    assert (claim.source.title, claim.source.authors, claim.source.arxiv) == (TITLE, "Doe, Roe", "2701.01234")
    with pytest.raises(AssertionError, match="not filled in yet: TODO"):
        check_explained(claim)
    check = ["check", "doe2027.*", "--module", "mine/doe2027_claims.py", "--workers", "1", "--json", "out.json"]
    assert main(check) == 0
    (verdict,) = json.loads(Path("out.json").read_text())["verdicts"]
    assert verdict["status"] == "INCONCLUSIVE"
    pytester.runpytest("-p", "no:grokscape", "mine").assert_outcomes(passed=1)
    assert main(arguments) == 2
    assert "is there already, and nothing is overwritten" in capsys.readouterr().err


def test_a_new_paper_in_a_source_checkout(here, capsys, monkeypatch):
    """In a checkout that is not this one; its papers are imported as the built-in ones are."""
    monkeypatch.setattr(new, "checkout", lambda: here)
    assert main(["new", "paper", "roe2028", TITLE]) == 0
    home = here / "predictions" / "papers"
    assert sorted(path.name for path in (home / "roe2028").iterdir()) == ["__init__.py", "first_claim.py"]
    assert sorted(path.name for path in (here / "tests/predictions/papers/roe2028").iterdir()) == [
        "__init__.py",
        "test_first_claim.py",
    ]
    monkeypatch.setattr(papers, "__path__", [*papers.__path__, str(home)])
    found = load()
    assert found.claims["roe2028.first_claim"].source.title == TITLE
    assert "What is checked" in __import__("grokscape.predictions.papers.roe2028", fromlist=["SOURCE"]).__doc__
    compile((here / "tests/predictions/papers/roe2028/test_first_claim.py").read_text(), "test", "exec")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Doe2027", "T"], "the key is 'Doe2027', expected an author and a year in lower case, such as doe2027"),
        (["../doe2027", "T"], "the key is '../doe2027'"),
        (["varma2023", "T"], "the key 'varma2023' is that of a built-in paper; add a claim to its folder"),
        (["doe2027", " "], "the title is empty"),
        (
            ["doe2027", "T", "--arxiv", "arXiv:2701"],
            "--arxiv is 'arXiv:2701', expected an identifier such as",
        ),
    ],
)
def test_new_refuses_misuse_and_writes_nothing(here, capsys, arguments, message):
    before = sorted(here.rglob("*"))
    assert main(["new", "paper", *arguments, "--folder", "mine"]) == 2
    assert message in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


def test_an_installed_grokscape_needs_a_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(papers, "__path__", [str(tmp_path / "site-packages" / "grokscape" / "predictions" / "papers")])
    with pytest.raises(InvalidInput, match="is installed, and no source checkout; give a folder of your own with"):
        new.checkout()
