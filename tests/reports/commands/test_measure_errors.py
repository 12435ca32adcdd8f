"""What goes wrong with ``grokscape measure`` is reported in one sentence, and harms nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grokscape.reports.cli import main
from tests.reports.model_page.measured import AWKWARD, section, text


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GROKSCAPE_DEBUG", raising=False)
    Path("awkward.py").write_text(AWKWARD)
    return tmp_path


BAD = """
import torch
from torch import nn

pair = torch.randn(8, 2), torch.randint(2, (8,))
loss = nn.functional.cross_entropy
number = 3

def good(): return nn.Linear(2, 2), loss, pair
def needs(n, *, size=3): return good()
def raises(): raise ZeroDivisionError("of all things\\nsecond line")
def ends(): raise SystemExit(3)
def nothing(): good()
def model(): return nn.Linear(2, 2)
def long(): return good() + (None, None)
def short(): return {"model": nn.Linear(2, 2), "loss": loss}
def extra(): return {"model": nn.Linear(2, 2), "loss": loss, "train": pair, "tests": pair}
def loss_name(): return nn.Linear(2, 2), "cross_entropy", pair
def loss_shape(): return nn.Linear(2, 2), lambda z, y: z, pair
def frozen(): return nn.Linear(2, 2).requires_grad_(False), loss, pair
def empty(): return nn.Linear(2, 2), loss, (torch.zeros(0, 2), torch.zeros(0, dtype=torch.long))
def misfit(): return nn.Linear(3, 2), loss, pair
def bad_test(): return nn.Linear(2, 2), loss, pair, (torch.randn(8, 3), pair[1])
def steps(): return {"model": nn.Linear(2, 2), "loss": loss, "train": pair, "checkpoints": {"end": nn.Linear(2, 2)}}
def shapes(): return {"model": nn.Linear(2, 2), "loss": loss, "train": pair, "checkpoints": [nn.Linear(2, 3)]}
def bad_weights():
    model = nn.Linear(2, 2)
    model.weight.data[0, 0] = torch.nan
    return model, loss, pair
"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bad.py"], "TARGET is 'bad.py', expected path.py:factory or package.module:factory; there are: good, needs"),
        (["bad.py:"], "TARGET is 'bad.py:', expected path.py:factory"),
        (["bat.py:good"], "there is no file 'bat.py'; did you mean 'bad.py'?"),
        (["nowhere/x.py:good"], "there is no file 'nowhere/x.py'; give the path of a Python file"),
        (["no.such.module:good"], "module 'no.such.module' does not import (ModuleNotFoundError"),
        (["broken.py:make"], "module 'broken.py' does not import (SyntaxError"),
        (["quits.py:make"], "quits.py ends the program when it is imported; put what it runs under if __name__"),
        (["bad.py:goood"], "there is no function 'goood' in bad.py; did you mean 'good'? there are: good, needs"),
        (["bad.py:number"], "number in bad.py is an int, expected a function without arguments"),
        (["bad.py:needs"], "needs in bad.py needs n, expected a function without arguments; give defaults, or write"),
        (["bad.py:raises"], "raises of bad.py raised ZeroDivisionError: of all things; fix it, or see where"),
        (["bad.py:ends"], "ends of bad.py raised SystemExit: 3"),
        (["bad.py:nothing"], "nothing returned nothing, expected a dict with 'model', 'loss', 'train'"),
        (["bad.py:model"], "model returned a model (Linear), expected a dict with 'model', 'loss', 'train'"),
        (["bad.py:long"], "long returned a tuple of 5, expected a dict with"),
        (["bad.py:short"], "short returned a dict without 'train', expected"),
        (["bad.py:extra"], "extra returned a dict with 'tests', did you mean 'test'? expected keys among model, loss"),
        (["bad.py:loss_name"], "loss_name returned cannot be measured: loss is 'cross_entropy', expected a function"),
        (["bad.py:loss_shape"], "loss returned shape (8, 2) and torch.float32 on 8 examples, expected a scalar"),
        (["bad.py:frozen"], "no parameter requires a gradient, so there is nothing to vary; unfreeze some"),
        (["bad.py:empty"], "train data are empty, expected at least one example"),
        (["bad.py:misfit"], "misfit returned cannot be measured: the model fails on the first batch of the train"),
        (["bad.py:bad_test"], "bad_test returned cannot be measured: the model fails on the first batch of the test"),
        (["bad.py:bad_weights"], "parameter 'weight' holds NaN or infinite weights; measure an earlier checkpoint"),
        (["bad.py:steps"], "steps returned a checkpoint of step 'end', expected an integer"),
        (["bad.py:shapes"], "checkpoint 0 of shapes has (3, 2) for parameter 'weight', expected shape (2, 2)"),
        (["bad.py:good", "--what", "hesian"], "--what names 'hesian', did you mean 'hessian'? expected some of "),
        (["bad.py:good", "--what", ","], "--what names nothing, expected some of efficiency, hessian"),
        (["bad.py:good", "--what", "norm-profile"], "nothing can be measured on bad.py:good (norm-profile: it "),
        (["bad.py:good", "--report", "no/such/x.html"], "cannot be written: expected a file name in a folder"),
        (["bad.py:good", "--seed", "-1"], "--seed is -1, expected a number that is not negative"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_sentence_and_writes_nothing(here, capsys, arguments, message):
    Path("bad.py").write_text(BAD)
    Path("broken.py").write_text("def make(:")
    Path("quits.py").write_text("import sys\nsys.exit(0)")
    assert main(["measure", *arguments]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert not list(here.glob("*.html"))


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_debugging_shows_where(here, capsys, monkeypatch, how):
    Path("bad.py").write_text(BAD)
    if how == "environment":
        monkeypatch.setenv("GROKSCAPE_DEBUG", "1")
    assert main(["measure", "bad.py:raises", *(["--debug"] if how == "flag" else [])]) == 2
    told = capsys.readouterr().err
    assert 'raise ZeroDivisionError("of all things' in told
    assert "second line" in told


def test_one_that_fails_does_not_take_the_others_with_it(here, capsys):
    command = ["measure", "awkward.py:stiff", "--what", "eigenvalues,line", "--quick", "--json", "out.json"]
    assert main(command) == 1
    told = capsys.readouterr()
    assert "failed" in told.out
    assert "Traceback" not in told.out + told.err
    page = Path("grokscape-measured.html").read_text()
    assert "RuntimeError: no second derivative here" in text(section(page, "eigenvalues"))
    assert "training loss is" in text(section(page, "line"))
    measured = json.loads(Path("out.json").read_text())["measured"]
    assert measured["line"]["failure"] == ""
    assert "no second" in measured["eigenvalues"]["failure"]


@pytest.mark.parametrize("arguments", [["measure"], ["measure", "a.py:b", "--no-such-flag"], ["measure", "a", "b"]])
def test_misuse_of_the_command_line(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_an_initialisation_that_fails_leaves_out_what_needs_it(here, capsys):
    Path("fresh.py").write_text(
        BAD + "def fresh(): return {'model': nn.Linear(2, 2), 'loss': loss, 'train': pair, 'test': pair,\n"
        "                      'initialise': lambda seed: {}['nothing']}\n"
    )
    assert main(["measure", "fresh.py:fresh", "--what", "norm-profile,homogeneity"]) == 0
    told = capsys.readouterr().out
    assert "left out  norm-profile  KeyError: 'nothing'" in told
    assert "✔ homogeneity" in told
