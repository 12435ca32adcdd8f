"""The section of each source: its figures in order, its claims, its map."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest

from grokscape.reports.claims_page.page import render
from grokscape.reports.claims_page.summary import completed, link
from grokscape.reports.figures.curves import MOST_LEVELS, Line, curves
from grokscape.reports.figures.draw_curves import distinct, look
from grokscape.reports.figures.draw_maps import fills
from grokscape.reports.figures.maps import charts
from grokscape.reports.figures.tables import of_chart

Data = dict[str, Any]


def criterion(**changes: Any) -> Data:
    return {
        "quantity": "accuracy", "at": None, "rule": "Exceeds", "kind": "value", "axis": "accuracy",
        "region": [0.9, None], "contributions": [], "subject": "accuracy",
        "requirement": {"verb": "exceed", "rest": "0.9"},
        "outcome": "corroborated", "estimate": 0.95, "low": 0.93, "high": 0.97, "thresholds": [0.9],
        "threshold_from": "a choice", "p": 0.001, "n": 10, "false_pass": 0.02, "power": 1.0,
    } | changes  # fmt: skip


def verdict(name: str, status: str = "PASS", key: str = "someone2024", **about: Any) -> Data:
    setting = {"task": {"words": "x+y modulo 37", "data": None}, "model": {"words": "perceptron", "data": None}}
    source = {"key": key, "title": f"On {key}", "authors": "A, B, C", "arxiv": "", "url": "", "where": "section 1"}
    return completed(
        {
            "id": f"{key}.{name}", "tier": "quick", "status": status, "reason": f"The reason of {name}.",
            "criteria": [criterion()], "seeds": list(range(10)), "evidence": [],
            "about": {"claim": f"Claim {name}.", "source": source, "theory": "t", "setting": setting, **about},
        }
    )  # fmt: skip


def curve(figure: str, title: str) -> Data:
    return {"quantities": ["q"], "x": "x", "y": "y", "title": title, "log_x": False, "log_y": False, "figure": figure}


def observed(quantity: str, values: dict[tuple[int, float], float]) -> list[Data]:
    return [
        {"quantity": quantity, "value": value, "at": at, "censored": False, "arm": "claim", "seed": seed}
        for (seed, at), value in values.items()
    ]


def test_redrawn_figures_stand_in_their_sources_section_in_the_order_of_the_source() -> None:
    first = verdict("first", curves=[curve("figure 10(b)", "Tenth"), curve("", "Nowhere")])
    second = verdict("second", "FAIL", curves=[curve("figure 4", "Fourth")])
    other = verdict("other", key="another2025", curves=[curve("figure 5", "Elsewhere")])
    for each in (first, second, other):
        each["evidence"] = observed("q", {(0, 1.0): 0.1, (0, 2.0): 0.3, (1, 1.0): 0.2, (1, 2.0): 0.5})
    html = render([first, second, other], tier="quick")
    section = html.split('id="section-1"')[1].split("</section>")[0]
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", section)
    assert captions == ["Fourth", "Tenth"]
    drawn_from = re.findall(r'<p class="drawn-from">(.*?)</p>', section, flags=re.DOTALL)
    assert "Figure 4 of the paper" in drawn_from[0]
    assert 'href="#someone2024.second"' in drawn_from[0]
    assert "fails" in drawn_from[0]
    article = html.split('<article id="someone2024.second"')[1].split("</article>")[0]
    assert "<figcaption>Fourth" not in article  # once in the page is enough; the article leads to it
    (target,) = re.findall(r'class="elsewhere">.*?href="#(.*?)"', article)
    assert f'<div id="{target}" class="redrawn fail spans-1">' in section
    assert html.count('id="') == len(set(re.findall(r'\sid="([^"]+)"', html)))


def test_the_section_says_of_every_claim_what_was_measured_and_the_contents_lead_there() -> None:
    unmeasured = verdict("absent", "NOT RUN", criteria=[]) | {"criteria": []}
    html = render([verdict("first"), unmeasured, verdict("other", "FAIL", key="another2025")], tier="quick")
    rows = html.split('id="section-1"')[1].split("</section>")[0].split("<tbody")[1].split("<tr ")[1:]
    assert [re.search(r'href="#(.*?)"', row)[1] for row in rows] == ["someone2024.first", "someone2024.absent"]  # type: ignore[index]
    assert all(part in rows[0] for part in ("Claim first.", "holds", "0.95 [0.93, 0.97]", "must exceed 0.9"))
    assert "The reason of absent." in rows[1]
    contents = " ".join(re.sub(r"<.*?>", " ", html.split('class="papers"')[1].split("</nav>")[0]).split())
    assert contents.endswith(
        "On someone2024 A et al. 2024 ✓ 1 holds ○ 1 not run On another2025 A et al. 2025 ✕ 1 fails"
    )
    assert re.findall(r'href="#(section-\d)"', html.split("</nav>")[0]) == ["section-1", "section-2"]


MAP: Data = {
    "title": "A map", "x": "share", "y": "weight decay", "value": "accuracy", "log_x": True, "figure": "",
    "panels": [["warm start", [[0.5, "warm 0.5"], [1.0, "warm 1"]]], ["nothing measured", [[1.0, "cold 1"]]]],
    "boundaries": ["lost at", "never seen"],
}  # fmt: skip


def mapped() -> Data:
    found = verdict("mapped", maps=[copy.deepcopy(MAP)])
    found["evidence"] = [
        *observed("warm 0.5", {(s, 0.1): 0.05 for s in range(7)}),
        *observed("warm 1", {(s, 0.2 + 0.01 * s): 0.95 for s in range(7)}),
        *observed("lost at", {(s, 1.0): 0.15 + 0.01 * s for s in range(7)}),
    ]
    return found


def test_a_map_keeps_every_point_and_takes_boundaries_as_medians_over_seeds() -> None:
    (chart,) = charts(mapped())
    assert chart.rows == (0.5, 1.0)
    (plane,) = chart.planes  # what was not measured has no panel
    assert len(plane.points) == 14
    assert {(p.x, p.value) for p in plane.points if p.y == 0.5} == {(0.1, 0.05)}
    (boundary,) = chart.boundaries
    assert boundary.y == (1.0,)
    assert boundary.estimate == pytest.approx((0.18,))
    assert boundary.low == pytest.approx((0.15,))
    assert boundary.high == pytest.approx((0.21,))


def test_a_map_without_boundaries_is_described_without_them() -> None:
    with_lines, found = mapped(), mapped()
    found["about"]["maps"][0]["boundaries"] = []
    (chart,), (other,) = charts(found), charts(with_lines)
    words = chart.words(chart.planes[0])
    assert ". ." not in words
    assert "medians" not in chart.note
    assert "medians" in other.note
    assert other.words(other.planes[0]).startswith(words)


def test_a_map_is_drawn_in_the_section_in_the_colours_of_its_values() -> None:
    html = render([mapped()], tier="quick")
    assert html.count("<figcaption>A map</figcaption>") == 1
    drawn = html.split("<figcaption>A map</figcaption>")[1].split("</figure>")[0]
    points = [fill[1] for use in re.findall(r"<use [^>]*>", drawn) if (fill := re.search(r'fill="(#\w{6})"', use))]
    colours = fills(6)
    assert points.count(colours[0]) == 7 + 1  # one more in the legend
    assert points.count(colours[-1]) == 7 + 1
    assert points.count(colours[2]) == 1


KINDS = (("stays", 0.0), ("comes late", 0.5), ("comes soon", 1.0))


def kinds(rows: int = 2) -> Data:
    """A map of kinds: in each row three seeds of one kind at x = 1, and of three kinds at x = 10."""
    panels = [["kind", [[float(y), f"kind {y}"] for y in range(rows)]]]
    asked = MAP | {"panels": panels, "boundaries": [], "categories": KINDS, "value": "what happens"}
    found = verdict("kinds", maps=[asked])
    places = {(seed, 1.0): 0.5 for seed in range(3)} | {(seed, 10.0): KINDS[seed][1] for seed in range(3)}
    found["evidence"] = [o for y in range(rows) for o in observed(f"kind {y}", places)]
    return found


def drawing(found: Data) -> str:
    html = render([found], tier="quick")
    return html.split("<figcaption>A map</figcaption>")[1].split("</figure>")[0]


@pytest.mark.parametrize("rows", [2, 12])
def test_a_map_of_kinds_names_them(rows: int) -> None:
    (chart,) = charts(kinds(rows))
    assert chart.classes(chart.planes[0]).tolist() == [1, 1, 1, 0, 1, 2] * rows
    drawn = drawing(kinds(rows))
    for (name, _), colour in zip(KINDS, fills(3), strict=True):
        assert f">{name}</text>" in drawn
        assert colour in drawn
    assert "0.1 to 0.3" not in drawn
    # As numbers for those who go on with them, the names too.
    assert of_chart(chart).splitlines()[4] == "kind,0,10,0,stays,,"
    # In words: how many of each.
    assert f"what happens of {6 * rows} trainings by share and weight decay." in drawn
    assert f"stays {rows}, comes late {4 * rows}, comes soon {rows}." in drawn


def test_many_rows_are_tiles_divided_among_seeds() -> None:
    """Every place is as wide as it is apart from the next, and its seeds share it in the order of their kinds."""
    drawn = drawing(kinds(12))
    assert "A tile is divided among the seeds" in drawn
    assert "One point is one training" not in drawn
    shares: dict[str, list[tuple[float, float, float, float]]] = {}
    for path in re.findall(r"<path [^>]*>", drawn):
        fill, line = re.search(r'fill="(#\w{6})"', path), re.search(r' d="([^"]*)"', path)
        if fill and line and fill[1] in fills(3) and line[1].count("M") > 1:
            for part in line[1].split("M")[1:]:
                corners = np.array(re.findall(r"-?[\d.]+", part), dtype=float).reshape(-1, 2)
                shares.setdefault(fill[1], []).append((*corners.min(0), *corners.max(0)))
    first, second, third = (np.array(shares[colour]) for colour in fills(3))
    assert [len(found) for found in (first, second, third)] == [12, 24, 12]
    width = second[:, 2] - second[:, 0]
    assert width == pytest.approx(width[0], abs=0.3)
    # Three seeds of a kind fill a tile, one has a third; above each other, the first kind at the bottom.
    heights = second[:, 3] - second[:, 1]
    assert sorted(heights)[12:] == pytest.approx([heights.max()] * 12, abs=0.3)
    assert sorted(heights)[:12] == pytest.approx([heights.max() / 3] * 12, abs=0.3)
    assert (np.sort(first[:, 1]) > np.sort(third[:, 3])).all()


def test_tiles_of_a_single_column_have_a_width() -> None:
    found = kinds(12)
    found["about"]["maps"][0] |= {"log_x": False}
    found["evidence"] = [o for o in found["evidence"] if o["at"] == 1.0]
    drawn = drawing(found)
    assert "comes late 36" in drawn
    assert fills(3)[1] in drawn


def test_maps_of_stores_from_before_kinds_show_shares() -> None:
    old = mapped()
    assert "categories" not in old["about"]["maps"][0]
    assert charts(old)[0].names[0] == "0 to 0.1"


def test_claims_in_dispute_stand_side_by_side_with_what_became_of_them() -> None:
    old, new = (
        verdict("old"),
        verdict("new", "FAIL", key="another2025", disputes=["someone2024.old", "someone2024.gone"]),
    )
    html = render([old, verdict("alone"), new], tier="quick")
    (row,) = re.findall(r"<tr.*?</tr>", html.split('class="disputes"')[1].split("</tbody>")[0].split("<tbody")[1], re.S)
    left, right = re.findall(r"<td.*?</td>", row, re.S)
    assert "someone2024.old" in left
    assert "holds" in left
    assert "another2025.new" in right
    assert "fails" in right
    assert "gone" not in row
    assert "In dispute" not in render([old], tier="quick")


def test_verdicts_of_stores_from_before_maps_are_shown() -> None:
    old = verdict("old")
    for name in ("maps", "curves", "portraits", "disputes"):
        old["about"].pop(name)
    assert "Claim old." in render([old], tier="quick")


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ({"arxiv": "2309.02390", "url": ""}, "https://arxiv.org/abs/2309.02390"),
        ({"arxiv": "", "url": "https://openreview.net/forum?id=x"}, "https://openreview.net/forum?id=x"),
        ({"arxiv": "", "url": "javascript:alert(1)"}, None),
        ({"arxiv": "", "url": 'https://x.org/"onclick="a'}, None),
        ({"arxiv": "", "url": ""}, None),
    ],
)
def test_only_https_addresses_become_links(source: Data, address: str | None) -> None:
    assert link(source) == address


def test_what_people_write_into_figures_and_maps_is_text() -> None:
    nasty = "<script>alert(1)</script>"
    found = mapped()
    found["about"]["maps"][0] |= {"title": nasty, "x": nasty, "value": nasty, "figure": nasty}
    found["about"]["source"] |= {"title": nasty, "url": nasty}
    html = render([found], tier="quick")
    assert html.count("<script>") == 1
    assert "&lt;script&gt;" in html


def test_where_seeds_were_measured_at_levels_of_their_own_the_median_is_of_lines_between_them() -> None:
    values = np.array([[0.0, np.nan, 1.0], [0.0, 0.8, np.nan], [0.0, np.nan, 1.0]])
    line = Line("claim", "q", np.array([1.0, 2.0, 3.0]), values, np.zeros((3, 3), bool), (0, 1, 2))
    assert line.filled[0].tolist() == [0.0, 0.5, 1.0]
    assert np.isnan(line.filled[1, 2])  # nothing is said beyond the last level of a seed
    assert line.median.tolist() == [0.0, 0.5, 1.0]


def test_single_runs_stay_visible_where_a_curve_asks_for_each_seed() -> None:
    levels = np.arange(1.0, 41.0)
    values = np.outer(np.arange(1.0, 4.0), levels)
    usual = Line("claim", "q", levels, values, np.zeros(values.shape, bool), (0, 1, 2))
    each = Line("claim", "q", levels, values, np.zeros(values.shape, bool), (0, 1, 2), each_seed=True)
    assert usual.is_band
    assert not each.is_band


def test_lines_of_many_own_levels_are_thinned_seed_by_seed_and_their_median_ends_with_the_half_of_them() -> None:
    rng = np.random.default_rng(0)
    found = verdict("own", curves=[curve("", "Own") | {"each_seed": True}])
    found["evidence"] = [
        row
        for seed in range(6)
        for row in observed("q", {(seed, float(at)): 0.5 for at in np.cumsum(rng.uniform(1, 2, 150 if seed else 300))})
    ]
    (line,) = curves(found)[0].lines
    measured = (~np.isnan(line.values)).sum(axis=1)
    assert measured.max() <= MOST_LEVELS
    assert measured.min() > MOST_LEVELS / 2
    assert len(line.drawn) <= MOST_LEVELS
    assert line.n == "3 to 6"
    assert line.levels[line.drawn[-1]] < 0.6 * line.levels[-1]  # where only the long seed goes on


def test_more_than_two_quantities_have_a_colour_and_dashes_each() -> None:
    found = verdict("three", curves=[curve("", "Three") | {"quantities": ["p", "q", "r"]}])
    found["evidence"] = [row for name in "pqr" for row in observed(name, {(0, 1.0): 0.1, (0, 2.0): 0.3})]
    (figure,) = curves(found)
    looks = [look(figure, line) for line in figure.lines]
    for aspect in ("color", "linestyle", "marker"):
        assert len({str(each[aspect]) for each in looks}) == 3


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["accuracy, warm, decay 1", "accuracy, warm, decay 2"], ["decay 1", "decay 2"]),
        (["accuracy, warm", "loss, warm"], ["accuracy, warm", "loss, warm"]),
        (["accuracy", "accuracy, warm"], ["accuracy", "accuracy, warm"]),
        (["the same, here", "the same, here"], ["the same, here", "the same, here"]),
    ],
)
def test_a_legend_leaves_out_what_all_its_names_begin_with(names: list[str], short: list[str]) -> None:
    assert distinct(names) == short
