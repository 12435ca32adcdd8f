"""``grokscape measure`` as its users meet it: numbers, progress, and what Ctrl-C keeps."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn

from grokscape.reports.cli import main
from grokscape.reports.commands import measure as command
from grokscape.reports.commands import progress_bar
from grokscape.reports.model_page.instruments import all_instruments
from tests.reports.model_page.measured import AWKWARD, TINY, section, text


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GROKSCAPE_DEBUG", raising=False)
    Path("tiny.py").write_text(TINY)
    Path("awkward.py").write_text(AWKWARD)
    return tmp_path


def test_the_numbers_are_those_of_the_model(here):
    assert main(["measure", "tiny.py:make", "--what", "eigenvalues,trace", "--json", "out.json", "--seed", "3"]) == 0
    measured = json.loads(Path("out.json").read_text())["measured"]
    torch.manual_seed(3)
    made = {}
    exec(TINY, made)
    parts = made["make"]()
    flat = torch.cat([p.detach().reshape(-1) for p in parts["model"].parameters()])
    shapes = [p.shape for p in parts["model"].parameters()]

    def loss(vector):
        pieces = vector.split([shape.numel() for shape in shapes])
        named = zip(dict(parts["model"].named_parameters()), pieces, shapes, strict=True)
        tensors = {name: piece.reshape(shape) for name, piece, shape in named}
        outputs = torch.func.functional_call(parts["model"], tensors, (parts["train"][0],))
        return nn.functional.cross_entropy(outputs, parts["train"][1])

    exact = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, flat)).double().numpy()
    assert measured["eigenvalues"]["quantities"][0]["value"] == pytest.approx(exact[-1], rel=1e-4)
    assert measured["trace"]["quantities"][0]["value"] == pytest.approx(exact.sum(), rel=1e-4)


def test_the_same_seed_measures_the_same(here):
    def numbers(*more):
        main(["measure", "tiny.py:make", "--what", "line,trace", "--quick", "--json", "out.json", *more])
        found = json.loads(Path("out.json").read_text())["measured"]
        return {name: one["table"] for name, one in found.items()}

    assert numbers() == numbers()
    assert numbers() != numbers("--seed", "1")


def test_says_what_is_left_out_and_why(here, capsys):
    assert main(["measure", "tiny.py:without_test", "--quick", "--report", "out.html"]) == 0
    left_out = text(Path("out.html").read_text().split('<details class="left-out"')[1].split("</details>")[0])
    for reason in (
        "It needs test data; return 'test' too",
        "It needs two networks; return 'other' (a second model) or 'checkpoints' too",
        "It takes long, so it has to be asked for: --what frontier",
    ):
        assert reason in left_out
    told = capsys.readouterr().out
    assert re.search(r"left out.*norm-profile.*needs test data", told)
    assert re.search(r"✔ margin", told)


def test_frontier_has_its_section(here):
    assert main(["measure", "tiny.py:make", "--what", "frontier", "--quick", "--json", "out.json"]) == 0
    found = json.loads(Path("out.json").read_text())["measured"]["frontier"]
    assert "rossing" in found["sentence"]
    assert "could not be drawn" not in Path("grokscape-measured.html").read_text()


@pytest.mark.parametrize("target", ["tiny:make", "tiny.py:make"])
def test_modules_and_files_are_found(here, target, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    sys.modules.pop("tiny", None)
    assert main(["measure", target, "--what", "homogeneity"]) == 0
    sys.modules.pop("tiny", None)


def test_takes_problems_data_sets_and_a_second_model(here):
    Path("forms.py").write_text(
        "import torch\nfrom torch import nn\nfrom torch.utils.data import TensorDataset\n"
        "from grokscape.landscape.problem import Problem\n"
        "pair = torch.randn(8, 2), torch.randint(2, (8,))\n"
        "loss = nn.functional.cross_entropy\n"
        "def problem(): return Problem(nn.Linear(2, 2), loss, pair)\n"
        "def data_set(): return nn.Linear(2, 2), loss, TensorDataset(*pair), None\n"
        "def two(): return {'problem': problem(), 'other': nn.Linear(2, 2)}\n"
        "def function(): return {'model': lambda w, x: x @ w['w'], 'parameters': {'w': torch.eye(2)}, 'loss': loss,\n"
        "                        'train': [pair, pair]}\n"
        "def endless(): return {'model': nn.Linear(2, 2), 'loss': loss, 'train': iter(lambda: pair, 0), 'limit': 20}\n"
    )
    examples = {"problem": 8, "data_set": 8, "function": 16, "endless": 20}
    for name, count in examples.items():
        assert main(["measure", f"forms.py:{name}", "--what", "homogeneity", "--json", "out.json"]) == 0
        about = json.loads(Path("out.json").read_text())["about"]
        assert about["Train data"].startswith(f"{count} examples")
    assert main(["measure", "forms.py:two", "--what", "straight-path", "--quick"]) == 0


def test_ctrl_c_keeps_what_was_finished(here):
    command = [
        sys.executable,
        "-m",
        "grokscape.reports.cli",
        "measure",
        "awkward.py:slow",
        "--what",
        "homogeneity,slices",
    ]
    process = subprocess.Popen(
        [*command, "--report", "out.html", "--json", "out.json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        # A shell that runs the tests in the background leaves them deaf to Ctrl-C, and so their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert "homogeneity" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "The report holds the 1 instrument that had finished; line, plane had not." in told
    assert "Traceback" not in told
    page = Path("out.html").read_text()
    assert "homogeneous" in text(section(page, "homogeneity"))
    assert "Ctrl-C came while it ran" in text(section(page, "line"))
    assert "Ctrl-C came before it began" in text(section(page, "plane"))
    assert json.loads(Path("out.json").read_text())["unfinished"].keys() == {"line", "plane"}


def test_ctrl_c_in_the_factory_writes_nothing(here, capsys):
    Path("stop.py").write_text("def make(): raise KeyboardInterrupt")
    assert main(["measure", "stop.py:make"]) == 130
    assert "stopped; no report was written" in capsys.readouterr().err
    assert not list(here.glob("*.html"))


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["measure", "--help"])
    assert stop.value.code == 0
    told = capsys.readouterr().out
    assert "def make():" in told
    assert all(one.name in told for one in all_instruments())


def test_the_example_of_the_help_runs(here, capsys):
    with pytest.raises(SystemExit):
        main(["measure", "--help"])
    told = capsys.readouterr().out
    example = told.split("In my_model.py:\n")[1].split('"train" and "test" are')[0]
    Path("my_model.py").write_text(textwrap.dedent(example))
    assert main(["measure", "my_model.py:make", "--what", "hessian,margin,line", "--quick"]) == 0
    assert "✔ line" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("share", "seconds", "line"),
    [
        (0.0, 5.0, "estimating"),
        (0.5, 0.1, "estimating"),
        (0.25, 10.0, "about 30 s to go"),
        (0.5, 600.0, "about 10 min to go"),
    ],
)
def test_says_how_long_it_will_take(share, seconds, line):
    assert command.eta(share, seconds) == line


def test_every_long_instrument_reports_how_far_it_is(here, monkeypatch):
    reported = {}
    real = command.measure

    def spy(subject, instruments, effort, progress):
        return real(subject, instruments, effort, lambda name, share: reported.setdefault(name, []).append(share))

    monkeypatch.setattr(command, "measure", spy)
    names = "norm-profile,plane,straight-path,low-loss-path,progress"
    assert main(["measure", "tiny.py:make", "--what", names, "--quick"]) == 0
    assert list(reported) == names.split(",")
    for shares in reported.values():
        assert len(shares) > 1
        assert shares[0] == 0
        assert shares == sorted(shares)
        assert shares[-1] == pytest.approx(1)


def test_says_how_far_it_is_where_there_is_no_terminal(here, monkeypatch, capsys):
    monkeypatch.setattr(progress_bar, "INTERVAL", 0.0)
    assert main(["measure", "tiny.py:make", "--what", "line,plane", "--quick"]) == 0
    assert re.search(r"plane: \d+ %, instrument 2 of 2, (about \S+ s to go|estimating)", capsys.readouterr().out)
