"""What the page and the terminal say of fragile verdicts, and of what guards a criterion."""

from __future__ import annotations

import copy
import io
import re
from typing import Any

import pytest
from rich.console import Console

from grokscape.predictions.verdict import Robustness, Status, Verdict
from grokscape.predictions.wording import guards, robustness
from grokscape.reports.claims_page.fragile import counted, mark, told
from grokscape.reports.claims_page.page import render
from grokscape.reports.commands.terminal import verdict_table

Data = dict[str, Any]


def criterion(**changes: Any) -> Data:
    return {"thresholds": [0.4], "robust_to": 0.07, "relative_to": "itself", "turns_at": 0.428,
            "turns_into": "INCONCLUSIVE"} | changes  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "The verdict changes if the threshold moves by 7 %, to 0.428: the claim is undecided beyond."),
        (
            {"relative_to": "its distance to 1", "thresholds": [0.9], "turns_at": 0.907, "turns_into": "FAIL"},
            "The verdict changes if the threshold moves by 7 % of its distance to 1, to 0.907: the claim fails beyond.",
        ),
        (
            {"relative_to": "half the window", "thresholds": [0.9, 1.1], "turns_at": 0.907, "turns_into": "PASS"},
            "The verdict changes if a threshold moves by 7 % of half the window, to 0.907: the claim holds beyond.",
        ),
        (
            {"relative_to": "a factor", "thresholds": [5.0], "turns_at": 5.35, "turns_into": "INVALID"},
            "The verdict changes if the threshold moves by a factor of 1.07, to 5.35: the claim is invalid beyond.",
        ),
        (
            {"robust_to": None, "turns_at": None},
            "No move of the threshold by less than its size changes the verdict.",
        ),
        (
            {"robust_to": 0.0, "turns_at": 0.40001, "turns_into": "PASS"},
            "To the digits shown, the threshold stands at 0.4, where the verdict changes: the claim holds beyond.",
        ),
        ({"thresholds": [0.0], "robust_to": None}, "The threshold asks for a sign: 0 has no size to be moved by."),
    ],
)
def test_how_far_a_threshold_may_move_in_words(changes: Data, sentence: str) -> None:
    assert robustness(criterion(**changes)) == sentence


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (None, ""),
        ([], "Guarded by no control: none of them fails this very criterion."),
        (["a", "b"], "Guarded by “a” and “b”."),
    ],
)
def test_guards_in_words(names: list[str] | None, sentence: str) -> None:
    assert guards({"guarded_by": names}) == sentence


def some(status: str, robustness: str, n: int) -> list[Data]:
    return [{"status": status, "robustness": robustness} for _ in range(n)]


@pytest.mark.parametrize(
    ("verdicts", "sentences"),
    [
        ([], ""),
        (some("PASS", "", 3), ""),
        (
            some("PASS", "robust", 3),
            "No verdict is fragile: none changes where a threshold is moved by a fifth of its size.",
        ),
        (
            some("PASS", "robust", 9) + some("PASS", "fragile", 3) + some("FAIL", "fragile", 1),
            "Fragile, as a threshold moved by a fifth of its size or less would change the verdict: three of 12 that "
            "hold and the one that fails.",
        ),
        (
            some("INCONCLUSIVE", "within rounding", 12) + some("INCONCLUSIVE", "", 1),
            "Within rounding, as the digits shown do not tell a threshold from where the verdict changes: 12 of 13 "
            "undecided.",
        ),
    ],
)
def test_the_count_of_fragile_verdicts_in_words(verdicts: list[Data], sentences: str) -> None:
    assert counted(verdicts) == sentences


def test_fragile_verdicts_are_marked_wherever_they_are_counted(verdicts: list[Data]) -> None:
    for verdict in verdicts:
        verdict["robustness"] = "robust" if verdict["criteria"] else ""
    one = verdicts[0]
    one["robustness"] = "fragile"
    html = render(verdicts, tier="quick")
    words = "Fragile, as a threshold moved by a fifth of its size or less would change the verdict: one of "
    assert words in html.split("</header>")[0]
    section = html.split('id="section-1"')[1].split("</section>")[0]
    assert words in section
    places = re.findall(r'<span class="fragile">fragile</span>', html)
    assert len(places) == 3  # in the overview, in its section, over its article
    assert all(f'href="#{one["id"]}"' in part for part in (html.split("</header>")[1], section))
    one["robustness"] = "something of a later version"
    assert '<span class="fragile">' not in render(verdicts, tier="quick")


def test_the_article_says_of_each_criterion_how_far_and_what_guards_it(stored: dict[str, Data]) -> None:
    verdict = stored["holds"]
    html = render([verdict], tier="quick")
    article = html.split("<article")[1].split("</article>")[0]
    rows = re.findall(r"<li><strong>(.*?)</strong> (.*?)</li>", article.split('<ul class="robust">')[1])[:2]
    assert [row[0] for row in rows] == ["Final accuracy", "Delay (ratio of times)"]
    assert re.search(r"The verdict changes if the threshold moves by .* % of its distance to 1, to 0\.9", rows[0][1])
    assert "No move of the threshold by less than its size changes the verdict." in rows[1][1]
    assert "Guarded by “no effect”." in rows[0][1]
    assert len(told(verdict)) == 2


def test_verdicts_that_were_stored_without_it_are_shown_without_it(verdicts: list[Data]) -> None:
    old = copy.deepcopy(verdicts)
    for verdict in old:
        del verdict["robustness"]
        for judged in (*verdict["criteria"], *(c for control in verdict["controls"] for c in control["criteria"])):
            for name in ("robust_to", "relative_to", "turns_at", "turns_into", "guarded_by"):
                del judged[name]
    html = render(old, tier="quick")
    assert html.count("<article") == len(old)
    assert 'class="robust"' not in html
    assert "ragile:" not in html
    assert [mark(verdict) for verdict in old] == [""] * len(old)


def test_names_of_controls_are_escaped(verdicts: list[Data]) -> None:
    verdicts[0]["criteria"][0]["guarded_by"] = ["<b>bold</b>"]
    html = render(verdicts[:1], tier="quick")
    assert "Guarded by “&lt;b&gt;bold&lt;/b&gt;”." in html


@pytest.mark.parametrize(
    ("robustness", "shown"), [(Robustness.ROBUST, False), (Robustness.FRAGILE, True), (Robustness.ROUNDING, True)]
)
def test_the_terminal_says_it_in_a_word(robustness: Robustness, shown: bool) -> None:
    console = Console(file=io.StringIO(), width=200)
    verdict = Verdict("someone2024.x", "quick", Status.PASS, "why", robustness=robustness)
    console.print(verdict_table([verdict]))
    assert ("fragile" in console.file.getvalue()) is shown  # type: ignore[attr-defined]
