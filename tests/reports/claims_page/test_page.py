from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from grokscape.landscape.records.store import Store
from grokscape.reports import numbers as wording
from grokscape.reports.claims_page.page import render, write_report

Data = dict[str, Any]
URLS = ("src", "href", "action", "srcset", "poster", "data", "formaction", "xlink:href")


class Page(HTMLParser):
    """The elements of a page, with their attributes and their text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]


def article(html: str, name: str) -> str:
    return html.split(f'<article id="someone2024.{name}"')[1].split("</article>")[0]


@pytest.fixture(scope="session")
def html(honest_page: str) -> str:
    return honest_page


def test_statuses_are_those_that_the_samples_promise(stored: dict[str, Data]) -> None:
    assert {name: verdict["status"] for name, verdict in stored.items()} == {
        "holds": "PASS",
        "falls": "PASS",
        "fails": "FAIL",
        "undecided": "INCONCLUSIVE",
        "invalid": "INVALID",
        "varies": "PASS",
        "happens": "PASS",
        "absent": "NOT RUN",
        "broken": "ERROR",
    }


def test_counts_each_verdict_in_words(html: str) -> None:
    counts = " ".join(Page(html.split('<ul class="counts"')[1].split("</ul>")[0]).text.split())
    assert counts.endswith("3 ✓ hold 1 ✕ fails 1 ? undecided 1 ⊘ invalid 1 ○ not run 1 ! error")
    top = " ".join(Page(html.split("<header")[1].split("</header>")[0]).text.split())
    assert "Of 8 claims that their sources state: " in top
    assert top.endswith("Counted apart, and for or against no source: 1 rival reading (1 holds).")


def test_what_no_source_states_is_counted_by_kind(verdicts: list[Data]) -> None:
    kinds = ("extension", "extension", "ours", "rival", "guess")
    apart = [
        verdict | {"about": verdict["about"] | {"kind": kind}} for verdict, kind in zip(verdicts, kinds, strict=False)
    ]
    html = render(apart, tier="quick")
    told = "2 extensions (2 hold); 1 rival reading (1 undecided); 1 claim of our own (1 fails); "
    assert f'<p class="apart">No source states them: {told}1 claim of kind guess (1 invalid).</p>' in html
    assert '<ul class="counts"' not in html
    assert "This source does not state any of the five claims checked here." in html
    assert '<option value="guess">claim of kind guess</option>' in html


def test_verdicts_whose_kind_is_not_on_record_are_counted_as_they_were(verdicts: list[Data]) -> None:
    for verdict in verdicts:
        del verdict["about"]["kind"]
    html = render(verdicts, tier="quick")
    counts = " ".join(Page(html.split('<ul class="counts"')[1].split("</ul>")[0]).text.split())
    assert counts.endswith("4 ✓ hold 1 ✕ fails 1 ? undecided 1 ⊘ invalid 1 ○ not run 1 ! error")
    assert "Of the nine claims of this source, four hold at the quick tier" in html
    assert not [
        word for word in ("apart", "Whose sentence", 'class="kind"', "state:") if word in html.split("<body")[1]
    ]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("stated", "stated by its source."),
        ("extension", "its source’s claim, held to another learner, task or range"),
        ("rival", "a rival reading, which contradicts the paper"),
        ("ours", "this project’s own"),
        ("<b>guess", "&lt;b&gt;guess."),
    ],
)
def test_every_claim_says_whose_sentence_it_is(verdicts: list[Data], kind: str, words: str) -> None:
    html = render([verdicts[0] | {"about": verdicts[0]["about"] | {"kind": kind}}], tier="quick")
    (said,) = [line for line in html.splitlines() if "Whose sentence: " in line]
    assert words in said
    assert ('class="kind"' in html) == (kind != "stated")


def test_is_the_same_for_the_same_verdicts(verdicts: list[Data], html: str) -> None:
    assert render(json.loads(json.dumps(verdicts)), tier="quick") == html


def test_does_not_change_the_verdicts(verdicts: list[Data]) -> None:
    before = json.dumps(verdicts)
    render(verdicts, tier="quick")
    assert json.dumps(verdicts) == before


@pytest.mark.parametrize("name", ["holds", "falls", "fails", "undecided", "invalid", "happens"])
def test_shows_what_a_sceptic_asks_for(html: str, stored: dict[str, Data], name: str) -> None:
    shown, verdict = article(html, name), stored[name]
    text = " ".join(Page(shown).text.split())
    assert shown.count("<svg ") >= len(verdict["criteria"])
    assert verdict["about"]["claim"] in text
    assert verdict["provenance"]["command"] in text
    assert wording.ranges(verdict["seeds"]) in text
    assert "arXiv:2401.01234" in text
    assert "figure 3" in text
    assert "One, Two, Three" in text
    assert "A theory of everything" in text
    assert "there is nothing to find" in text.lower()
    for found in verdict["criteria"] + verdict["controls"][0]["criteria"]:
        assert wording.estimate(found["estimate"], found["low"], found["high"]) in text
        assert found["threshold_from"] in text
    assert all(f'title="{seed:032x}"' in shown for seed in verdict["seeds"])


def test_says_whether_calibration_foresaw_a_verdict(verdicts: list[Data]) -> None:
    holds = verdicts[0]
    for status, anticipated, words in (
        ("PASS", "PASS", "Calibration foresaw this."),
        ("FAIL", "PASS", "Calibration did not foresee this: on its seeds the claim holds."),
        ("INCONCLUSIVE", "FAIL", "Calibration foresaw that it fails."),
    ):
        html = render([holds | {"status": status, "anticipated": anticipated}], tier="quick")
        assert f'<p class="foreseen">{words}</p>' in html
    for silent in ({"anticipated": ""}, {"status": "INVALID"}):
        assert 'class="foreseen"' not in render([holds | silent], tier="quick")


def test_shows_the_history_of_a_claim_and_whose_it_is(html: str) -> None:
    shown = " ".join(Page(article(html, "varies")).text.split())
    first = "2026-01-02: The budget is twice as long. Half of the seeds had not fitted. Judged before: 100-107."
    assert f"History {first} A gate was added. It was missing. Seeds and setting" in shown
    assert "Whose sentence: a rival reading" in shown
    assert "History" not in article(html, "holds")


@pytest.mark.parametrize(("name", "words"), [("absent", "pyhessian"), ("broken", "ValueError: no")])
def test_shows_a_verdict_without_evidence(html: str, name: str, words: str) -> None:
    shown = article(html, name)
    assert words in shown
    assert "<svg" not in shown
    assert "<table" not in shown


def test_infinite_bounds_are_words_and_signs(html: str, stored: dict[str, Data]) -> None:
    assert stored["undecided"]["criteria"][0]["low"] is None
    assert "too few seeds for an interval" in article(html, "undecided")
    assert stored["holds"]["controls"][0]["criteria"][1]["high"] is None
    assert ", ∞]" in article(html, "holds")
    assert "None" not in Page(html).text


def test_hostile_text_stays_text(hostile_page: str, html: str) -> None:
    page, honest = Page(hostile_page), Page(html)
    assert len(page.all("article")) == len(honest.all("article"))
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert Counter(tag for tag, _ in page.elements).keys() == Counter(tag for tag, _ in honest.elements).keys()
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "<img src=x onerror=window.pwned=1>" in page.text  # shown, not obeyed


def test_hostile_figures_are_drawn(hostile_page: str, html: str) -> None:
    # At least as many: hostile text names figures of the source too, and those are shown in its section again.
    assert len(Page(hostile_page).all("svg")) >= len(Page(html).all("svg"))


@pytest.mark.parametrize("kind", ["honest_page", "hostile_page"])
def test_asks_for_nothing(kind: str, request: pytest.FixtureRequest) -> None:
    page = Page(request.getfixturevalue(kind))
    urls = [attributes[name] for _, attributes in page.elements for name in URLS if name in attributes]
    assert urls
    assert not [
        u for u in urls if not u.startswith(("#", "data:text/csv;", "data:,", "https://arxiv.org/abs/2401.01234"))
    ]
    fetching = {"link", "img", "iframe", "object", "embed", "video", "audio", "source", "base"}
    assert [attributes for tag, attributes in page.elements if tag in fetching] == [{"rel": "icon", "href": "data:,"}]
    styles = " ".join(value for _, attributes in page.elements for value in attributes.values())
    assert "url(http" not in styles
    assert "@import" not in styles


def test_policy_allows_only_its_own_script_and_style(html: str) -> None:
    (policy,) = [m["content"] for m in Page(html).all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == 2
    assert not [attributes for _, attributes in Page(html).elements if "style" in attributes]


@pytest.mark.parametrize("kind", ["honest_page", "hostile_page"])
def test_ids_are_unique_and_references_lead_somewhere(kind: str, request: pytest.FixtureRequest) -> None:
    html = request.getfixturevalue(kind)
    page = Page(html)
    assert [name for name, n in Counter(page.ids).items() if n > 1] == []
    targets = [a["href"][1:] for _, a in page.elements if a.get("href", "").startswith("#")]
    targets += [a["clip-path"][5:-1] for _, a in page.elements if "clip-path" in a]
    targets += [a[name] for _, a in page.elements for name in ("aria-labelledby", "data-anchor") if name in a]
    assert set(targets) <= set(page.ids)


def test_same_id_twice_gets_two_anchors(verdicts: list[Data]) -> None:
    page = Page(render([verdicts[0], verdicts[0]], tier="quick"))
    assert max(Counter(page.ids).values()) == 1


def test_every_figure_has_words_and_data(html: str) -> None:
    page = Page(html)
    labels = [svg.get("aria-labelledby") or svg.get("aria-label") for svg in page.all("svg")]
    assert all(labels)
    files = [a for a in page.all("a") if "download" in a]
    assert len(files) == len(page.all("figure"))
    first = unquote(files[0]["href"]).split(",", 1)[1].splitlines()
    assert first[0] == "arm,seed,final accuracy,true value lies"
    assert sum(line.startswith("claim,10") for line in first) == 8


def test_nothing_checked_yet() -> None:
    html = render([], tier="standard")
    assert "grokscape check --tier standard" in html
    assert "<table" not in html


def test_complaints_are_shown() -> None:
    assert "a.json cannot be read" in render([], tier="quick", complaints=["a.json cannot be read"])


@pytest.mark.parametrize("damage", [{"criteria": [{}]}, {"evidence": [1]}, {"about": {"curves": [{}]}}, {"cost": 3}])
def test_one_damaged_verdict_does_not_take_the_others(verdicts: list[Data], damage: Data) -> None:
    html = render([verdicts[0] | damage, *verdicts[1:]], tier="quick")
    assert "The verdict on someone2024.holds cannot be shown" in html
    assert len(Page(html).all("article")) == len(verdicts) - 1


def test_a_bare_verdict_is_shown() -> None:
    html = render([{"id": "a.b", "status": "PUZZLED", "tier": "quick"}], tier="quick")
    assert "puzzled" in html
    assert len(Page(html).all("article")) == 1


def test_written_from_the_store_alone(tmp_path: Path, verdicts: list[Data]) -> None:
    store = Store(tmp_path / "store")
    folder = store.path / "verdicts" / "quick"
    folder.mkdir()
    for verdict in verdicts:
        (folder / f"{verdict['id']}.json").write_text(json.dumps(verdict))
    (folder / "torn.json").write_text("{")
    target = tmp_path / "report.html"
    assert write_report(store, "quick", target) == len(verdicts)
    text = target.read_text(encoding="utf-8")
    assert "torn.json cannot be read" in text
    assert text.split("<main")[1].count("<article") == len(verdicts)
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["report.html"]


def test_needs_neither_torch_nor_claims() -> None:
    code = (
        "import sys, grokscape.reports.claims_page.page; "
        "rooms = ('papers', 'judge', 'checking.check', 'checking.pending');"
        "there = ['grokscape.predictions.' + room for room in rooms];"
        "print([m for m in sys.modules if m == 'torch' or m.startswith(tuple(there))])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.96413, "0.9641"),
        (-3.0, "−3"),
        (-0.0, "0"),
        (1.2e-5, "1.2 × 10⁻⁵"),
        (1e-6, "10⁻⁶"),
        (40000.0, "40,000"),
        (math.inf, "∞"),
        (None, "none"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert wording.number(value) == text


def test_ranges_of_seeds() -> None:
    assert wording.ranges([100, 101, 102, 7, 9]) == "7, 9, 100–102"
