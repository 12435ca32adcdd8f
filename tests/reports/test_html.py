"""What both pages share: figures with their data, links, and hashes that allow the page's own style and script."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import unquote

import pytest
from jinja2 import UndefinedError

from grokscape.reports.html import Figure, arxiv_link, environment, shell


def test_a_figure_carries_its_data():
    csv = 'name,value\n"a, <b> é",1\n'
    figure = Figure("Title", (), "", csv, "effect-1.csv")
    kind, _, data = figure.href.partition(",")
    assert kind == "data:text/csv;charset=utf-8"
    assert unquote(data) == csv
    assert not set(figure.href) & set("<>\"' \n")
    assert figure.anchor == "effect-1"


@pytest.mark.parametrize("identifier", ["2309.02390", "2301.07825v2", "cond-mat/9910332", "math.ST/0412001"])
def test_links_of_arxiv(identifier):
    assert arxiv_link(identifier) == f"https://arxiv.org/abs/{identifier}"


@pytest.mark.parametrize("identifier", ["", "0", "2309.02390x", "../2309.02390", 'x"onclick="'])
def test_what_is_no_identifier_is_no_link(identifier):
    assert arxiv_link(identifier) is None


def test_the_policy_allows_the_pages_own_style_and_script_alone():
    for parts in (shell(), shell("model.css")):
        for text, allowed in ((parts["css"], parts["css_hash"]), (parts["script"], parts["script_hash"])):
            assert allowed == "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert shell()["css_hash"] != shell("model.css")["css_hash"]


def test_templates_escape_and_write_out_what_acts():
    template = environment().from_string("{{ text }}")
    assert template.render(text="<b>\x1b") == "&lt;b&gt;\\x1b"
    with pytest.raises(UndefinedError):
        template.render()
