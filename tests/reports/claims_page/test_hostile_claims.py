"""Claims by strangers: whatever their texts hold and their code does, it is a sentence, and acts on nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grokscape.landscape.records.store import Store
from grokscape.reports.cli import main
from grokscape.reports.commands import check as commands
from tests.paths import PYTHONPATH

HEAD = """
import dataclasses, itertools, sys
import numpy as np
import pandas as pd
from grokscape.landscape.experiment import Outcome
from grokscape.predictions.evidence import Measurement
from grokscape.predictions import Control, Source, Tier
from tests.predictions.made_up.claims import Constant, claim, measure
"""

HOSTILE = r"""
text = "\x1b[2J\x1b]0;owned\x07 \ud800 \u202e LIAF \x9b [bold red]" "[/] =1+1"
def breaks(records, at):
    raise ValueError(text)
def odd(records, at):
    yield Measurement("size", 2.0)
    yield Measurement(text, 2.0, at=1.0)
source = Source(key="bad2026", title=text, authors=text, arxiv=text, url=text)
shown = dict(claim=text, where=text, theory=text, notes=text, source=source)
errs = claim(id="bad2026.errs", measure=breaks, **shown)
held = claim(id="bad2026.held", measure=odd, controls=(Control(text, {"value": 0.0}, text),), **shown)
lacks = claim(id="bad2026.lacks", needs={"no_such_package": text}, **shown)
"""


@pytest.fixture
def here(tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", PYTHONPATH)
    return tmp_path


def claims_file(code, name="my_claims.py"):
    Path(name).write_text(HEAD + code)
    return name


def shown(capsys):
    captured = capsys.readouterr()
    told = captured.out + captured.err
    told.encode()
    acting = [c for c in told if c in "\x1b\x07\x9b\u202e\x00\r" or "\ud800" <= c <= "\udfff"]
    assert not acting
    assert "Traceback" not in told
    return told


def test_texts_of_a_claim_do_nothing_to_the_terminal_and_the_page(here, capsys):
    claims_file(HOSTILE)
    assert main(["list", "bad2026.*", "--module", "my_claims.py"]) == 0
    assert r"\x1b[2J\x1b]0;owned\x07 \ud800 \u202e LIAF" in shown(capsys)
    status = main(["check", "bad2026.*", "--module", "my_claims.py", "--workers", "1", "--json", "out.json"])
    assert status == 1
    told = shown(capsys)
    assert r"ValueError: \x1b[2J" in told
    page = Path("grokscape-report.html").read_text()
    assert not {"\x1b", "\u202e", "\x9b"} & set(page)
    kept = {verdict["id"]: verdict for verdict in json.loads(Path("out.json").read_text())["verdicts"]}
    assert kept["bad2026.errs"]["reason"].startswith(r"Measuring: ValueError: \x1b[2J")
    assert main(["report"]) == 0
    shown(capsys)


def test_paths_and_arguments_do_nothing_to_the_terminal(here, capsys):
    assert main(["check", "--module", "\x1b[2J\ud800.py"]) == 2
    assert main(["list", "\u202e\x9b"]) == 2
    assert main(["report", "--store", "no\x1b[2Jwhere"]) == 2
    assert main(["report", "--store", "null\x00byte"]) == 2
    with pytest.raises(SystemExit):
        main(["check", "--workers", "1", "--no-such\x1b[2J"])
    assert r"\x1b[2J" in shown(capsys)


def test_a_terminal_that_lacks_characters_breaks_nothing(here):
    command = [sys.executable, "-m", "grokscape.reports.cli", "list", "varma2023.ungrokking"]
    found = subprocess.run(command, env={**_environment(), "PYTHONIOENCODING": "ascii"}, capture_output=True)
    assert (found.returncode, found.stderr) == (0, b"")


def _environment():
    import os

    return dict(os.environ)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; sys.exit(7)", "my_claims.py ends the program when it is imported; put what it runs"),
        ("raise BaseException('odd')", "does not import (BaseException: odd)"),
        ("raise MemoryError", "does not import (MemoryError: )"),
        ("class Mute(Exception):\n    __str__ = None\nraise Mute", "(Mute: its message cannot be shown)"),
        ("x = (", "does not import (SyntaxError: "),
        ("def f(): return f()\nf()", "does not import (RecursionError: "),
        ("claim('x', claim=3)", "the claim of 'test2026.x' is 3, expected a text"),
        ("claim('x', id=3)", "the id is 3, expected a text"),
        ("claim('x', curves=(3,))", "the curves of 'test2026.x' hold 3, expected Curve"),
        ("claim('x', needs=3)", "the needs of 'test2026.x' is 3, expected a mapping"),
        ("Source(key='x', title=3, authors='')", "the title of a source is 3, expected a text"),
        ("claim('x', runs=None)", "the runs of 'test2026.x' is None, expected a function"),
        ("claim('x', tiers={'quick': Tier(('a',), {})})", "seed 'a' of 'test2026.x' at quick is no integer"),
        ("claim('x', tiers={'quick': Tier((0.5,), {})}, calibration_seeds=())", "seed 0.5 of 'test2026.x' at quick"),
        ("claim('x', tiers={'quick': Tier((7, 7), {})})", "the seeds of 'test2026.x' at quick are given twice"),
        ("claim('x', tiers={'quick': Tier((), {})})", "the claim 'test2026.x' has no seeds at quick"),
    ],
)
def test_a_file_that_does_not_import_is_named(here, capsys, code, message):
    name = claims_file(code)
    assert main(["list", "--module", name]) == 2
    told = shown(capsys)
    assert message in told


BROKEN = {
    "endless_runs": (
        "runs=lambda seed, at: ((str(n), Constant(value=1.0, seed=n)) for n in itertools.count())",
        "runs gives more than",
    ),
    "runs_no_mapping": ("runs=lambda seed, at: 3", "runs gives 3, expected a mapping of label -> experiment"),
    "runs_none": ("runs=lambda seed, at: None", "runs gives None, expected a mapping"),
    "label_no_text": ("runs=lambda seed, at: {3: Constant(value=1.0, seed=seed)}", "the label 3, expected a text"),
    "no_experiment": ("runs=lambda seed, at: {'x': 'y'}", "runs gives 'y' for the label 'x', expected an experiment"),
    "endless_measure": (
        "measure=lambda records, at: (Measurement('size', 1.0, at=float(n)) for n in itertools.count())",
        "measure yields more than",
    ),
    "measure_none": ("measure=lambda records, at: None", "measure gives None, expected Measurements"),
    "measure_number": ("measure=lambda records, at: [1.0]", "measure yields 1.0, expected a Measurement"),
    "complex": ("measure=lambda records, at: [Measurement('size', 1j)]", "'size' is 1j, expected a number"),
    "none": ("measure=lambda records, at: [Measurement('size', None)]", "'size' is None, expected a number"),
    "text": ("measure=lambda records, at: [Measurement('size', '3')]", "'size' is '3', expected a number"),
    "huge": ("measure=lambda records, at: [Measurement('size', 10**400)]", "expected a number that a float can hold"),
    "nan": ("measure=lambda records, at: [Measurement('size', float('nan'))]", "'size' is nan"),
    "array": ("measure=lambda records, at: [Measurement('size', np.zeros(3))]", "expected a number"),
    "quantity": ("measure=lambda records, at: [Measurement(3, 1.0)]", "a quantity is named 3, expected a text"),
    "level": (
        "measure=lambda records, at: [Measurement('size', 1.0, at='x')]",
        "is measured at 'x', expected",
    ),
    "level_nan": ("measure=lambda records, at: [Measurement('size', 1.0, at=float('nan'))]", "is measured at nan"),
    "twice": ("measure=lambda records, at: [Measurement('size', 1.0)] * 2", "measured twice"),
    "exits": ("measure=lambda records, at: sys.exit(5)", "SystemExit: 5"),
    "mute": ("measure=lambda records, at: raise_mute()", "Measuring: Mute: its message cannot be shown"),
    "no_exception": ("measure=lambda records, at: raise_bare()", "BaseException: odd"),
    "value": (
        "controls=(Control('c', {'x': Silent()}, 'why'),), measure=lambda records, at: 1 / 0",
        "division by zero",
    ),
    "runs_exits": ("runs=lambda seed, at: sys.exit(5)", "SystemExit: 5"),
    "yields": ("runs=lambda seed, at: {'x': Bad(value=1.0, seed=seed, how='number')}", "yields 3, expected pairs"),
    "pair": ("runs=lambda seed, at: {'x': Bad(value=1.0, seed=seed, how='pair')}", "expected an Outcome"),
    "other": ("runs=lambda seed, at: {'x': Bad(value=1.0, seed=seed, how='other')}", "which it was not given"),
    "columns": ("runs=lambda seed, at: {'x': Bad(value=1.0, seed=seed, how='columns')}", "has no column 'step'"),
    "info": ("runs=lambda seed, at: {'x': Bad(value=1.0, seed=seed, how='info')}", "info cannot be written as JSON"),
    "train_exits": ("runs=lambda seed, at: {'x': Bad(value=1.0, seed=seed, how='exit')}", "SystemExit: 9"),
    "unpicklable": ("runs=lambda seed, at: {'x': Bad(value=1.0, seed=seed, how='odd')}", "Odd: a b"),
    "prints": ("runs=lambda seed, at: {'x': Bad(value=1.0, seed=seed, how='prints')}", "Measuring: "),
    "work": (
        "runs=lambda seed, at: {'x': Bad(value=1.0, seed=seed, wrong='lots')}",
        "work is 'lots', expected",
    ),
    "work_nan": (
        "runs=lambda seed, at: {'x': Bad(value=1.0, seed=seed, wrong='nan')}",
        "work is nan, expected",
    ),
    "key": ("runs=lambda seed, at: {'x': Bad(value=1.0, seed=seed, wrong='key')}", "batch_key is 7, expected a text"),
    "parents": ("runs=lambda seed, at: {'x': Bad(value=1.0, seed=seed, wrong='own')}", "starts from itself"),
}

BAD = """
class Mute(Exception):
    def __str__(self):
        raise ValueError

class Silent:
    def __repr__(self):
        raise ValueError

def raise_mute():
    raise Mute

def raise_bare():
    raise BaseException("odd")

class Odd(Exception):
    def __init__(self, a, b):
        super().__init__(f"{a} {b}")

@dataclasses.dataclass(frozen=True, kw_only=True)
class Bad(Constant, kind="test_bad"):
    how: str = ""
    wrong: str = ""

    @property
    def batch_key(self):
        return 7 if self.wrong == "key" else self.how

    @property
    def work(self):
        return {"lots": "lots", "nan": float("nan")}.get(self.wrong, 1.0)

    @property
    def parents(self):
        return (self,) if self.wrong == "own" else ()

    @classmethod
    def train(cls, batch, session):
        how = batch[0].how
        table = pd.DataFrame([(0, "", "x", 1.0)], columns=["step", "split", "quantity", "value"])
        for one in batch:
            if how == "number":
                yield 3
            elif how == "pair":
                yield one, 3
            elif how == "other":
                yield Constant(value=1.0, seed=3), Outcome(table)
            elif how == "columns":
                yield one, Outcome(pd.DataFrame({"x": [1]}))
            elif how == "info":
                yield one, Outcome(table, {}, {"x": object()})
            elif how == "exit":
                sys.exit(9)
            elif how == "odd":
                raise Odd("a", "b")
            elif how == "prints":
                sys.stdout.buffer.write(bytes(range(256)))
                sys.stdout.flush()
                yield one, Outcome(table, {}, {"last_step": 0})
"""


def broken_claims():
    """Return a module that makes a claim of each kind of breakage."""
    made = "\n".join(f'{name} = claim("{name}", tiers=few, {what})' for name, (what, _) in BROKEN.items())
    return f'{BAD}\nfew = {{"quick": Tier((10, 11), {{"value": 2.0, "fails": False}})}}\n{made}\n'


def test_each_way_of_misbehaving_is_an_error_of_its_claim_with_a_reason(here, capsys, monkeypatch):
    claims_file(broken_claims())
    assert main(["check", "test2026.*", "--module", "my_claims.py", "--workers", "1", "--json", "out.json"]) == 1
    capsys.readouterr()
    found = {v["id"]: v for v in json.loads(Path("out.json").read_text())["verdicts"]}
    wrong = {
        name: found[f"test2026.{name}"]["reason"]
        for name, (_, reason) in BROKEN.items()
        if reason not in found[f"test2026.{name}"]["reason"] or found[f"test2026.{name}"]["status"] != "ERROR"
    }
    assert not wrong


def test_a_plan_of_what_misbehaves_is_a_sentence(here, capsys):
    claims_file(broken_claims())
    for name in ("runs_none", "runs_exits", "endless_runs", "work_nan", "key"):
        assert main(["check", f"test2026.{name}", "--module", "my_claims.py", "--plan"]) == 1  # as the check would end
        told = shown(capsys).replace("\n", " ")
        assert f"test2026.{name}: would be an ERROR: the claim 'test2026.{name}' cannot say what it trains" in told


def test_a_plan_names_the_broken_claim_and_plans_the_others(here, capsys):
    claims_file(f'{broken_claims()}\nholds = claim("holds")')
    arguments = ["check", "test2026.key", "test2026.holds", "--module", "my_claims.py", "--plan"]
    assert main(arguments) == 1
    told = shown(capsys).replace("\n", " ")
    assert "test2026.key: would be an ERROR" in told
    assert "test2026.holds: 16 runs" in told
    assert "to train: 16 of 16 runs" in told


def test_a_plan_says_what_a_check_would_refuse_for_its_need(here, capsys, monkeypatch):
    monkeypatch.setattr("grokscape.landscape.scheduling.requirements.machine_memory", lambda: 1e6)
    assert main(["check", "varma2023.ungrokking", "--plan"]) == 0
    told = shown(capsys).replace("\n", " ")
    assert "would be refused (and" in told
    assert "GB of memory, and this machine has 0.001 GB; ask for fewer steps" in told
    assert "may be killed" not in told


def test_what_is_found_is_shown_even_if_no_file_can_be_written(here, capsys, monkeypatch):
    """A disk that fills up while the check runs: table, exit status 2, and what is missing."""
    claims_file('holds = claim("holds")')

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grokscape.predictions.checking.verdict_files.save_verdict", full)
    monkeypatch.setattr(commands, "write_output", full)
    monkeypatch.setattr(commands, "write_report", full)
    arguments = ["--module", "my_claims.py", "--workers", "1", "--json", "out.json"]
    assert main(["check", "test2026.holds", *arguments]) == 2
    told = shown(capsys).replace("\n", " ")
    assert "1 PASS at the quick tier" in told
    for missing in ("verdict on test2026.holds could not be kept", "out.json could not", "the report could not"):
        assert missing in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "--workers", "99999999999999999999"], "--workers is 99999999999999999999, expected at most 1024"),
        (["check", "--plan", "--workers", "99999999999999999999"], "expected at most 1024"),
        (
            ["measure", "x.py:make", "--seed", "99999999999999999999"],
            "--seed is 99999999999999999999, expected a number that is not negative and below 2^32",
        ),
        (["check", "--report", "x" * 250], "cannot be written"),
        (["check", "--json", "x" * 300], "cannot be written"),
        (["report", "--report", "nul\x00l"], r"nul\x00l cannot be written"),
    ],
)
def test_arguments_beyond_any_bound_are_refused_before_anything_happens(here, capsys, arguments, message):
    assert main(arguments) == 2
    assert message in shown(capsys)
    assert not Path("grokscape-store").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--report", "fifo"],
        ["check", "--json", "fifo"],
        ["report", "--report", "fifo"],
        ["measure", "x.py:make", "--report", "fifo"],
        ["measure", "x.py:make", "--json", "fifo"],
    ],
)
def test_no_output_replaces_what_is_no_file(here, capsys, arguments):
    os.mkfifo("fifo")
    assert main(arguments) == 2
    assert "fifo cannot be written: it is a FIFO" in shown(capsys)
    assert Path("fifo").is_fifo()


def test_no_output_replaces_a_file_of_the_store(here, capsys):
    store = Store("s")
    before = (store.path / "store.json").read_bytes()
    for command in (["report", "--report"], ["check", "--json"], ["measure", "x.py:make", "--json"]):
        more = [] if command[0] == "measure" else ["--store", "s"]
        assert main([*command, "s/store.json", *more]) == 2
        assert "lies in the store" in shown(capsys)
    assert (store.path / "store.json").read_bytes() == before


def test_verify_names_and_sets_aside_all_that_does_not_belong(here, capsys):
    claims_file('holds = claim("holds")')
    check = ["check", "test2026.holds", "--module", "my_claims.py", "--workers", "1", "--store", "s"]
    assert main(check) == 0
    assert main(["store", "verify", "--store", "s"]) == 0
    store = Store("s")
    run, verdict = next(store.folders()), store.path / "verdicts" / "quick"
    Path("letter").write_text("private")
    odd = {
        store.path / "notes.txt": "mine",
        run / "extra": "mine",
        store.path / "progress" / "notes": "mine",
        store.path / "locks" / "notes": "mine",
        verdict / "notes": "mine",
        verdict / "test2026.odd.json": "{}",
    }
    for path, content in odd.items():
        path.write_text(content)
    links = [folder / "link" for folder in (store.path, run, store.path / "progress", verdict)]
    for link in links:
        link.symlink_to(here / "letter")
    capsys.readouterr()
    assert main(["store", "verify", "--store", "s"]) == 1
    told = shown(capsys).replace("\n", " ")
    assert "16 sound runs, 10 set aside" in told
    for path in (*odd, *links):
        assert path.name in told
        assert not path.is_symlink()
        assert not path.exists()
    assert Path("letter").read_text() == "private"
    assert main(["store", "verify", "--store", "s"]) == 0


def test_debug_shows_where(here, capsys, monkeypatch):
    monkeypatch.setenv("GROKSCAPE_DEBUG", "1")
    assert main(["list", "nobody2020.nothing"]) == 2
    assert "Traceback" in capsys.readouterr().err
