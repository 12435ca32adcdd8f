"""The section of a source in a browser: beside each other where there is room, below each other where there is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from grokscape.reports.claims_page.page import render
from tests.reports.claims_page.test_browser import Browser, browser, pytestmark
from tests.reports.claims_page.test_sections import curve, mapped, observed, verdict

__all__ = ["browser", "pytestmark"]


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source with two drawings of one figure, a figure of two panels, and a map."""
    first = verdict("first", curves=[curve("figure 3", "One way"), curve("figure 3", "Another way")])
    second = verdict("second", "FAIL", curves=[curve("figure 4", "Two panels") | {"quantities": ["q", "r"]}])
    second["controls"] = [{"name": "control", "why": "w", "outcome": "falsified", "criteria": second["criteria"]}]
    points = {(seed, at): 0.1 * at + 0.01 * seed for seed in range(3) for at in (1.0, 2.0, 3.0)}
    for each in (first, second):
        each["evidence"] = [*observed("q", points), *observed("r", points)]
    second["evidence"] += [row | {"arm": "control"} for row in second["evidence"]]
    path = tmp_path_factory.mktemp("sections") / "report.html"
    path.write_text(render([first, second, mapped()], tier="quick"), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_figures_are_side_by_side_or_stacked(browser: Browser, sections: Path, width: int, scheme: str) -> None:
    browser.open(sections, width=width, scheme=scheme)
    boxes = browser.run(
        "return [...document.querySelectorAll('.redrawn')].map((e) => e.getBoundingClientRect())"
        ".map((box) => [box.left, box.top + scrollY, box.right, box.bottom + scrollY])"
    )
    assert len(boxes) == 4
    beside = abs(boxes[0][1] - boxes[1][1]) < 1 and boxes[0][2] <= boxes[1][0]
    assert beside == (width == 1280)
    for (left, top, right, bottom), (_, below, _, _) in zip(boxes, boxes[2:], strict=False):
        assert 0 <= left < right <= width
        assert top < bottom <= below
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.errors() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_of_a_map_are_seen_against_the_page(browser: Browser, sections: Path, scheme: str) -> None:
    """Colours stay what they are; outline and boundaries follow the page."""
    browser.open(sections, scheme=scheme)
    ink, soft, points, lines = browser.run(
        """
        const colour = (selector) => getComputedStyle(document.querySelector(selector)).color;
        const strokes = (selector) => [...document.querySelectorAll('.redrawn.map ' + selector)]
          .map((element) => getComputedStyle(element).stroke);
        return [colour('body'), colour('.soft'), strokes('use'), strokes('path')];
        """
    )
    assert points.count(soft) >= 14
    assert lines.count(ink) >= 3  # the boundary, its interval, its entry in the legend


def test_an_article_leads_to_its_redrawn_figure(browser: Browser, sections: Path) -> None:
    browser.open(sections)
    browser.run("document.documentElement.style.scrollBehavior = 'auto'")
    browser.one("[id='someone2024.second'] .elsewhere a").click()
    top = browser.run("return document.querySelector('.redrawn:target').getBoundingClientRect().top")
    assert 0 <= top < 100
