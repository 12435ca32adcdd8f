"""The command line as its users meet it: exit status, messages, and that bad input harms nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grokscape.landscape.records.store import Store
from grokscape.reports.cli import main
from tests.reports.commands.claim_files import check


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_check_writes_everything_it_promises(here, capsys):
    assert check("test2026.holds", "--json", "out.json") == 0
    told = capsys.readouterr().out
    assert "PASS" in told
    assert "1 PASS at the quick tier" in told
    data = json.loads(Path("out.json").read_text())["verdicts"]
    assert [(v["id"], v["status"]) for v in data] == [("test2026.holds", "PASS")]
    page = Path("grokscape-report.html").read_text()
    assert "test2026.holds" in page
    assert len(list(Path("grokscape-store/runs").iterdir())) == 16


def test_exit_status_and_expectations(here, capsys):
    assert check("test2026.*") == 1
    assert "test2026.fails: FAIL" in capsys.readouterr().out
    assert check("test2026.*", "--expect", "test2026.fails=FAIL:known") == 0
    assert "expected: known" in capsys.readouterr().out
    assert "was expected: known" in Path("grokscape-report.html").read_text()
    assert check("test2026.holds", "--expect", "test2026.holds=FAIL:wrong") == 1
    assert check("test2026.needy") == 0


def test_the_report_comes_from_the_store_alone(here, capsys):
    check("test2026.holds")
    first = Path("grokscape-report.html").read_bytes()
    Path("my_claims.py").unlink()
    assert main(["report", "--report", "again.html"]) == 0
    assert Path("again.html").read_bytes() == first
    assert "1 verdict" in capsys.readouterr().out


def test_list(here, capsys):
    assert main(["list", "varma2023.*"]) == 0
    told = capsys.readouterr().out
    assert "varma2023.ungrokking" in told
    assert "power2022" not in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nobody2020.nothing"], "no claim matches 'nobody2020.nothing'; of 1"),
        (["check", "--tier", "huge"], "--tier is 'huge', expected one of quick, standard, paper"),
        (["report", "--tier", "huge"], "--tier is 'huge'"),
        (["check", "--module", "absent.py"], "'absent.py' does not import"),
        (["check", "--module", "twice.py"], "'varma2023.ungrokking' of twice.py is taken by"),
        (["check", "--module", "bare.py"], "'test2026.large' has no controls; add a Control"),
        (["check", "--workers", "0"], "--workers is 0, expected at least 1"),
        (["check", "--expect", "x"], "is not ID=VERDICT:reason"),
        (["check", "--expect", "a1.b=FAIL:why"], "--expect names 'a1.b'"),
        (["check", "--report", "no/such/folder/x.html"], "cannot be written"),
        (["check", "--device", "abacus"], "--device is 'abacus', expected cpu"),
        (["check", "--store", "newer"], "has store format 99, this Grokscape reads up to 1; upgrade"),
        (["store", "verify", "--store", "newer"], "has store format 99"),
        (["check", "--store", "foreign"], "is no Grokscape store"),
        (["check", "--store", "foreign/thesis.txt/x"], "Not a directory"),
        (
            ["check", "test2026.holds", "--tier", "paper", "--module", "my_claims.py"],
            "no chosen claim has a paper tier; they can be checked at: quick",
        ),
        (["store", "ls", "--store", "nowhere"], "there is no store at nowhere"),
        (["report", "--store", "nowhere"], "there is no store at nowhere"),
    ],
)
def test_bad_input_is_one_clear_sentence_and_harms_nothing(here, capsys, arguments, message):
    for folder, name, content in (("newer", "store.json", '{"format": 99}'), ("foreign", "thesis.txt", "years")):
        (here / folder).mkdir()
        (here / folder / name).write_text(content)
    Path("bare.py").write_text("from tests.predictions.made_up.claims import claim\nx = claim(controls=())")
    Path("twice.py").write_text(
        "from dataclasses import replace\nfrom grokscape.predictions.papers.varma2023.ungrokking import ungrokking\n"
        "again = replace(ungrokking, claim='Mine now.')"
    )
    before = contents(here)
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert contents(here) == before


@pytest.mark.parametrize("arguments", [[], ["dance"], ["check", "--no-such-flag"], ["store"]])
def test_misuse_of_the_command_line(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["store", "--help"]])
def test_help_teaches(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 8


def test_help_loads_nothing_heavy():
    program = (
        "import sys; from grokscape.reports.cli import parser; parser(); "
        "assert not {'torch', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_ctrl_c_loses_nothing(here):
    """Interrupted in the middle of a long check: status 130, a sentence, and the same command finishes the rest."""
    Path("slow_claims.py").write_text(SLOW)
    command = [sys.executable, "-m", "grokscape.reports.cli", "check", "slow2026.*", "--module", "slow_claims.py"]
    process = subprocess.Popen(
        [*command, "--workers", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that runs the tests in the background leaves them deaf to Ctrl-C, and so their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    runs = Path("grokscape-store/runs")
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and not (runs.is_dir() and len(finished(runs)) >= 2):
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert "the same command goes on" in told
    kept = {folder.name: folder.stat().st_mtime_ns for folder in finished(runs)}
    assert 2 <= len(kept) < 12
    assert not list(Store("grokscape-store").verify())
    Path("go").touch()
    subprocess.run([*command, "--workers", "1"], check=True, capture_output=True)
    now = {folder.name: folder.stat().st_mtime_ns for folder in finished(runs)}
    assert len(now) == 12
    assert {name: now[name] for name in kept} == kept


def finished(runs):
    return [folder for folder in runs.iterdir() if not folder.name.startswith(".")]


SLOW = """
import dataclasses, time
from pathlib import Path
from grokscape.predictions import Source, Tier
from tests.predictions.made_up.claims import Constant, claim

@dataclasses.dataclass(frozen=True, kw_only=True)
class Slow(Constant, kind="test_slow"):
    @property
    def batch_key(self):
        return str(self.seed)

    @classmethod
    def train(cls, batch, session):
        if not Path("go").exists():
            time.sleep(0.7)
        yield from super().train(batch, session)

source = Source(key="slow2026", title="Slow", authors="S", arxiv="0")
tier = Tier((10, 11, 12, 13, 14, 15), {"value": 2.0, "fails": False})
slow = claim(id="slow2026.slow", source=source, tiers={"quick": tier},
             runs=lambda seed, at: {"only": Slow(value=at.value, seed=seed)})
"""
