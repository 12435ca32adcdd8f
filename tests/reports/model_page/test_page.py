"""The page of ``grokscape measure``: every instrument has its section, and no name can script it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from torch import nn

from grokscape.landscape.measures.efficiency.degree import homogeneity
from grokscape.landscape.problem import Problem
from grokscape.reports.cli import main
from grokscape.reports.model_page.instruments import all_instruments
from grokscape.reports.model_page.instruments.efficiency import HOMOGENEITY, MARGIN
from grokscape.reports.model_page.instruments.slices import LINE, PLANE
from grokscape.reports.model_page.page import MeasuredModel, render
from grokscape.reports.model_page.run import InstrumentRun
from tests.reports.claims_page.test_page import URLS, Page
from tests.reports.conftest import HOSTILE
from tests.reports.model_page.measured import TINY, section, text


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Status, page and numbers of all that can be measured on a tiny model, quickly."""
    folder = tmp_path_factory.mktemp("measured")
    (folder / "tiny.py").write_text(TINY)
    names = ",".join(one.name for one in all_instruments() if one.name != "frontier")
    page, numbers = folder / "out.html", folder / "out.json"
    target = f"{folder / 'tiny.py'}:make"
    status = main(["measure", target, "--what", names, "--quick", "--report", str(page), "--json", str(numbers)])
    return status, page.read_text(encoding="utf-8"), json.loads(numbers.read_text())


def test_every_instrument_measures_and_has_its_section(everything):
    status, html, numbers = everything
    failures = {name: found["failure"] for name, found in numbers["measured"].items() if found["failure"]}
    assert failures == {}
    assert status == 0
    names = [one.name for one in all_instruments() if one.name != "frontier"]
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
        if name == "negative-eigenvalue":  # one number
            continue
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


def measured(parameters):
    start = {name: torch.randn(2, 2, generator=torch.Generator().manual_seed(i)) for i, name in enumerate(parameters)}
    problem = Problem(
        lambda w, x: sum(x @ one for one in w.values()) + 1,
        nn.functional.cross_entropy,
        (torch.ones(4, 2), torch.tensor([0, 1, 0, 1])),
        parameters=start,
    )
    return InstrumentRun(HOMOGENEITY, homogeneity(problem), 1.0, warnings=(HOSTILE,))


def test_hostile_text_stays_text():
    def page(text):
        return render(
            MeasuredModel(
                target=text,
                model=text,
                facts=[("Names", text)],
                command=text,
                runs=[measured([text]), InstrumentRun(LINE, None, 1.0, text)],
                left_out={MARGIN: text},
                unfinished={PLANE: text},
                provenance=[("torch", text)],
            )
        )

    hostile, honest = Page(page(HOSTILE)), Page(page("plain"))
    assert len(hostile.all("script")) == 1
    assert not hostile.all("img")
    assert Counter(tag for tag, _ in hostile.elements) == Counter(tag for tag, _ in honest.elements)
    assert not [name for _, attributes in hostile.elements for name in attributes if name.startswith("on")]
    assert hostile.text.count("<img src=x onerror=window.pwned=1>") > 6
    page(HOSTILE).encode("utf-8")


def test_hostile_names_reach_the_page_from_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
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


def test_is_the_same_for_the_same_results():
    one = measured(["a"])
    run = MeasuredModel(target="a.py:b", model="M", facts=[], command="c", runs=[one])
    assert render(run) == render(run)
    np.random.rand()  # noqa: NPY002 - whatever others draw meanwhile
    assert render(run) == render(run)


def test_a_figure_that_cannot_be_drawn_does_not_take_the_numbers(monkeypatch):
    one = measured(["a"])

    def refuse(self, ax=None):
        raise ValueError("no ink")

    monkeypatch.setattr(type(one.result), "plot", refuse)
    html = render(MeasuredModel(target="a.py:b", model="M", facts=[], command="c", runs=[one]))
    assert "The figure could not be drawn (ValueError: no ink)." in text(html)
    assert "homogeneous" in text(html)


def test_the_page_is_drawn_without_torch():
    program = "import sys, grokscape.reports.model_page.page; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
