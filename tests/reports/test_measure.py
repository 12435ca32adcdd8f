"""``grokscape measure`` as its users meet it: numbers, exit status, messages, and a page that no name can script."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from torch import nn

from landscape.measures.homogeneity import homogeneity
from landscape.problem import Problem
from reports import measure_command
from reports.cli import main
from reports.measure_page import Run, render
from reports.measuring import INSTRUMENTS, Finding
from tests.reports.conftest import HOSTILE
from tests.reports.measured import AWKWARD, TINY
from tests.reports.test_page import URLS, Page


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GROKSCAPE_DEBUG", raising=False)
    Path("tiny.py").write_text(TINY)
    Path("awkward.py").write_text(AWKWARD)
    return tmp_path


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Status, page and numbers of all that can be measured on a tiny model, quickly."""
    folder = tmp_path_factory.mktemp("measured")
    (folder / "tiny.py").write_text(TINY)
    names = ",".join(one.name for one in INSTRUMENTS if one.name != "frontier")
    page, numbers = folder / "out.html", folder / "out.json"
    target = f"{folder / 'tiny.py'}:make"
    status = main(["measure", target, "--what", names, "--quick", "--report", str(page), "--json", str(numbers)])
    return status, page.read_text(encoding="utf-8"), json.loads(numbers.read_text())


def section(html, name):
    return html.split(f'<article id="{name}"')[1].split("</article>")[0]


def text(html):
    return " ".join(Page(html).text.split())


# -- What comes out ----------------------------------------------------------------------------------------------------


def test_every_instrument_measures_and_has_its_section(everything):
    status, html, numbers = everything
    failures = {name: found["failure"] for name, found in numbers["measured"].items() if found["failure"]}
    assert failures == {}
    assert status == 0
    names = [one.name for one in INSTRUMENTS if one.name != "frontier"]
    assert [attributes["id"] for attributes in Page(html).all("article")] == names
    overview = text(html.split('<table class="instruments"')[1].split("</table>")[0])
    for name, found in numbers["measured"].items():
        shown = text(section(html, name))
        assert found["sentence"] in shown, name
        assert "could not be drawn" not in shown, name
        for term in ("Source", "Cost", "Units"):
            assert term in shown, name
        for quantity in found["quantities"]:
            assert quantity["name"] in overview


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
        "from landscape.problem import Problem\n"
        "pair = torch.randn(8, 2), torch.randint(2, (8,))\n"
        "loss = nn.functional.cross_entropy\n"
        "def problem(): return Problem(nn.Linear(2, 2), loss, pair)\n"
        "def data_set(): return nn.Linear(2, 2), loss, TensorDataset(*pair), None\n"
        "def two(): return {'problem': problem(), 'other': nn.Linear(2, 2)}\n"
        "def function(): return {'model': lambda w, x: x @ w['w'], 'parameters': {'w': torch.eye(2)}, 'loss': loss,\n"
        "                        'train': [pair, pair]}\n"
    )
    for name in ("problem", "data_set", "function"):
        assert main(["measure", f"forms.py:{name}", "--what", "homogeneity", "--json", "out.json"]) == 0
        about = json.loads(Path("out.json").read_text())["about"]
        assert about["Train data"].startswith("16 examples" if name == "function" else "8 examples")
    assert main(["measure", "forms.py:two", "--what", "straight-path", "--quick"]) == 0


# -- What goes wrong ---------------------------------------------------------------------------------------------------

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
        (["bad.py:raises"], "raises of bad.py raised ZeroDivisionError: of all things; mend it, or see where"),
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
        (["bad.py:misfit"], "the model and the loss of misfit do not work on its training data (RuntimeError: "),
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


def test_ctrl_c_keeps_what_was_finished(here):
    command = [sys.executable, "-m", "reports.cli", "measure", "awkward.py:slow", "--what", "homogeneity,slices"]
    process = subprocess.Popen(
        [*command, "--report", "out.html", "--json", "out.json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"},
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
    assert "stopped before anything was measured" in capsys.readouterr().err
    assert not list(here.glob("*.html"))


@pytest.mark.parametrize("arguments", [["measure"], ["measure", "a.py:b", "--no-such-flag"], ["measure", "a", "b"]])
def test_misuse_of_the_command_line(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["measure", "--help"])
    assert stop.value.code == 0
    told = capsys.readouterr().out
    assert "def make():" in told
    assert all(one.name in told for one in INSTRUMENTS)


def test_the_example_of_the_help_runs(here, capsys):
    with pytest.raises(SystemExit):
        main(["measure", "--help"])
    told = capsys.readouterr().out
    example = told.split("In my_model.py:\n")[1].split('"train" and "test" are')[0]
    Path("my_model.py").write_text("\n".join(line[2:] for line in example.splitlines() if "..." not in line))
    assert main(["measure", "my_model.py:make", "--what", "efficiency,line", "--quick"]) in (0, 1)
    assert "✔ line" in capsys.readouterr().out


# -- Progress ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "seconds", "line"),
    [
        (0.0, 5.0, "instrument 2 of 3, 0 %, estimating"),
        (0.25, 10.0, "instrument 2 of 3, 25 %, about 30 s to go"),
        (0.5, 600.0, "instrument 2 of 3, 50 %, about 10 min to go"),
    ],
)
def test_says_how_long_it_will_take(share, seconds, line):
    assert measure_command.eta_line(share, seconds, 1, 3) == line


def test_every_long_instrument_tells_how_far_it_is(here, monkeypatch):
    told = {}
    real = measure_command.eta_line

    def spy(share, seconds, done, total):
        told.setdefault(done, []).append(share)
        return real(share, seconds, done, total)

    monkeypatch.setattr(measure_command, "eta_line", spy)
    names = "norm-profile,plane,straight-path,low-loss-path,progress"
    assert main(["measure", "tiny.py:make", "--what", names, "--quick"]) == 0
    assert len(told) == len(names.split(","))
    for shares in told.values():
        assert len(shares) > 1
        assert shares[0] == 0
        assert shares == sorted(shares)
        assert shares[-1] == pytest.approx(1)


# -- The page ----------------------------------------------------------------------------------------------------------


def test_page_asks_for_nothing_and_allows_only_its_own(everything):
    page = Page(everything[1])
    urls = [attributes[name] for _, attributes in page.elements for name in URLS if name in attributes]
    assert urls
    assert not [u for u in urls if not u.startswith(("#", "data:text/csv;", "data:,", "https://arxiv.org/abs/"))]
    fetching = {"link", "img", "iframe", "object", "embed", "video", "audio", "source", "base"}
    assert [attributes for tag, attributes in page.elements if tag in fetching] == [{"rel": "icon", "href": "data:,"}]
    (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not [attributes for _, attributes in page.elements if "style" in attributes]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_ids_are_unique_and_references_lead_somewhere(everything):
    page = Page(everything[1])
    assert [name for name, n in Counter(page.ids).items() if n > 1] == []
    targets = [a["href"][1:] for _, a in page.elements if a.get("href", "").startswith("#")]
    targets += [a["clip-path"][5:-1] for _, a in page.elements if "clip-path" in a]
    targets += [a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a]
    assert set(targets) <= set(page.ids)


def test_every_section_has_a_figure_and_its_data(everything):
    _, html, numbers = everything
    for name, found in numbers["measured"].items():
        page = Page(section(html, name))
        assert page.all("svg"), name
        assert all(svg.get("aria-labelledby") for svg in page.all("svg"))
        (file,) = [a for a in page.all("a") if "download" in a]
        rows = unquote(file["href"]).split(",", 1)[1].splitlines()
        assert len(rows) > 1
        if name not in ("margin", "trace"):  # they draw samples, of which the table is a summary
            assert len(rows) == 1 + len(found["table"]), name


def test_colours_follow_the_theme(everything):
    svgs = re.findall(r"<svg.*?</svg>", section(everything[1], "line"), re.S)
    colours = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{3,6}|black|white)"', svgs[0]))
    assert colours == set()
    assert "var(--ink)" in svgs[0]
    assert "var(--series-0)" in svgs[0]


def finding(parameters):
    start = {name: torch.randn(2, 2, generator=torch.Generator().manual_seed(i)) for i, name in enumerate(parameters)}
    problem = Problem(
        lambda w, x: sum(x @ one for one in w.values()) + 1,
        nn.functional.cross_entropy,
        (torch.ones(4, 2), torch.tensor([0, 1, 0, 1])),
        parameters=start,
    )
    return Finding("homogeneity", homogeneity(problem), 1.0, warnings=(HOSTILE,))


def test_hostile_text_stays_text():
    def page(text):
        return render(
            Run(
                target=text,
                model=text,
                facts=[("Names", text)],
                command=text,
                findings=[finding([text]), Finding("line", None, 1.0, text)],
                left_out={"margin": text},
                unfinished={"plane": text},
                made=[("torch", text)],
            )
        )

    hostile, honest = Page(page(HOSTILE)), Page(page("plain"))
    assert len(hostile.all("script")) == 1
    assert not hostile.all("img")
    assert Counter(tag for tag, _ in hostile.elements) == Counter(tag for tag, _ in honest.elements)
    assert not [name for _, attributes in hostile.elements for name in attributes if name.startswith("on")]
    assert hostile.text.count("<img src=x onerror=window.pwned=1>") > 6
    page(HOSTILE).encode("utf-8")


def test_hostile_names_reach_the_page_from_the_command_line(here, capsys):
    name = "x<img src=x onerror=pwned=1>[red]"
    Path(f"{name}.py").write_text(
        "import torch\nfrom torch import nn\n"
        f"Bad = type({name!r}, (nn.Linear,), {{}})\n"
        "def make(): return Bad(2, 2), nn.functional.cross_entropy, (torch.randn(8, 2), torch.randint(2, (8,)))\n"
    )
    assert main(["measure", f"{name}.py:make", "--what", "homogeneity"]) == 0
    page = Page(Path("grokscape-measured.html").read_text())
    assert not page.all("img")
    assert page.text.count(name) >= 4


def test_is_the_same_for_the_same_findings():
    one = finding(["a"])
    run = Run(target="a.py:b", model="M", facts=[], command="c", findings=[one])
    assert render(run) == render(run)
    np.random.rand()  # noqa: NPY002 - whatever others draw meanwhile
    assert render(run) == render(run)


def test_a_figure_that_cannot_be_drawn_does_not_take_the_numbers(monkeypatch):
    one = finding(["a"])

    def refuse(self, ax=None):
        raise ValueError("no ink")

    monkeypatch.setattr(type(one.result), "plot", refuse)
    html = render(Run(target="a.py:b", model="M", facts=[], command="c", findings=[one]))
    assert "The figure could not be drawn (ValueError: no ink)." in text(html)
    assert "homogeneous" in text(html)


def test_the_page_is_drawn_without_torch():
    program = "import sys, reports.measure_page; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
