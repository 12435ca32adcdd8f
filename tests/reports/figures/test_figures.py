from __future__ import annotations

import csv
import io
import math
import re
import warnings
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from scipy import stats

from grokscape.reports.figures import canvas, tables
from grokscape.reports.figures.canvas import around
from grokscape.reports.figures.criterion import CriterionPlot, Point, criterion_plots
from grokscape.reports.figures.curves import MOST_LEVELS, Curves, curves
from grokscape.reports.figures.draw_criterion import draw_criterion
from grokscape.reports.figures.draw_curves import draw_panel, look

Data = dict[str, Any]


def plot(verdict: Data, index: int = 0) -> CriterionPlot:
    return criterion_plots(verdict)[index]


def values(found: CriterionPlot, row: int = 0) -> list[float]:
    return [point.value for point in found.rows[row].points]


def measured(verdict: Data, quantity: str, arm: str, at: float | None = None) -> list[float]:
    return [
        o["value"]
        for o in verdict["evidence"]
        if o["quantity"] == quantity and o["arm"] == arm and at in (None, o["at"])
    ]


# -- Criteria ----------------------------------------------------------------------------------------------------------


def test_a_plot_shows_every_seed_beside_the_control(stored: dict[str, Data]) -> None:
    found = plot(stored["holds"])
    assert [row.arm for row in found.rows] == ["claim", "no effect"]
    for index, row in enumerate(found.rows):
        assert values(found, index) == measured(stored["holds"], "final accuracy", row.arm)
        assert [point.seed for point in row.points] == list(range(100, 108))
    assert found.thresholds == (0.9,)
    assert found.region == (0.9, math.inf)
    assert found.rows[0].estimate == stored["holds"]["criteria"][0]["estimate"]


def test_times_are_shown_as_ratios_and_bounds(stored: dict[str, Data]) -> None:
    found = plot(stored["holds"], 1)
    early, late = (np.array(measured(stored["holds"], "delay", "claim", at)) for at in (0, 1))
    assert values(found) == (late / early).tolist()
    assert {point.bound for point in found.rows[0].points} == {"exact"}
    assert {point.bound for point in found.rows[1].points} == {"above"}
    assert found.rows[1].high is None
    assert found.log


@pytest.mark.parametrize(
    ("low", "high", "bound"), [(3.0, 3.0, "exact"), (3.0, None, "above"), (0.0, 3.0, "below"), (0.0, None, "unknown")]
)
def test_where_the_true_value_lies(stored: dict[str, Data], low: float, high: float | None, bound: str) -> None:
    one = {"seed": 100, "value": 3.0, "low": low, "high": high}
    criterion = stored["holds"]["criteria"][1] | {"contributions": [one]}
    found = plot(stored["holds"] | {"criteria": [criterion], "controls": []})
    assert found.rows[0].points == (Point(100, 3.0, bound),)


def test_order_is_shown_as_rank_correlation(stored: dict[str, Data]) -> None:
    found = plot(stored["falls"])
    assert values(found) == pytest.approx([1.0] * 8)
    ordered = [o["value"] for o in stored["falls"]["evidence"] if o["arm"] == "no effect" and o["seed"] == 100]
    expected = -stats.spearmanr([1, 2, 4, 8], [*ordered[:3], math.inf]).statistic
    assert found.rows[1].points[0].value == pytest.approx(expected)


def test_region_follows_the_requirement(stored: dict[str, Data]) -> None:
    assert plot(stored["fails"]).region == (-math.inf, 0.1)
    assert plot(stored["invalid"]).region == (0.9, 1.1)
    assert plot(stored["happens"]).region == (0.5, math.inf)


def test_wide_positive_ranges_are_logarithmic(stored: dict[str, Data]) -> None:
    assert plot(stored["undecided"]).log
    assert not plot(stored["invalid"]).log


def test_too_few_seeds_have_no_interval(stored: dict[str, Data]) -> None:
    row = plot(stored["undecided"]).rows[0]
    assert (row.low, row.high) == (None, None)
    assert len(row.points) == 3


def test_shares_show_whether_it_happened(stored: dict[str, Data]) -> None:
    assert set(values(plot(stored["happens"]))) == {1.0}
    assert set(values(plot(stored["happens"]), 1)) == {0.0}


def test_a_rule_of_somebodys_own_that_says_nothing_of_seeds_is_drawn_without_them(stored: dict[str, Data]) -> None:
    own = {"rule": "Mine", "contributions": [], "region": [None, None], "estimate": 77.0}
    found = plot(stored["fails"] | {"criteria": [stored["fails"]["criteria"][0] | own]})
    assert found.rows[0].points == ()
    assert found.rows[0].estimate == 77.0
    assert found.region is None


def test_spread_shows_how_far_every_seed_is_from_the_mean(stored: dict[str, Data]) -> None:
    found = plot(stored["varies"])
    assert found.label == "distance from the mean over seeds of effect"
    assert len(values(found)) == 8
    assert np.sqrt(np.mean(np.square(values(found)))) == pytest.approx(found.rows[0].estimate)


def test_positions_stay_on_the_axis(stored: dict[str, Data]) -> None:
    for verdict in stored.values():
        for found in criterion_plots(verdict):
            low, high = found.limits
            assert found.position(low) == pytest.approx(0.0)
            assert found.position(high) == pytest.approx(1.0)
            assert found.position(-math.inf) == 0.0
            assert found.position(math.inf) == 1.0
            assert all(low <= value <= high for row in range(2) for value in values(found, row))


def test_words_name_arms_estimates_and_threshold(stored: dict[str, Data]) -> None:
    words = plot(stored["holds"]).words
    assert words.startswith("Final accuracy exceeds 0.9. Threshold 0.9. claim: 0.95")
    assert "control no effect: " in words
    assert "over 8 seeds" in words


# -- Curves ------------------------------------------------------------------------------------------------------------


def test_several_quantities_have_a_panel_for_each_arm(stored: dict[str, Data]) -> None:
    (found,) = curves(stored["holds"])
    assert [panel.title for panel in found.panels] == ["claim", "no effect"]
    assert [line.quantity for line in found.panels[0].lines] == ["train accuracy", "test accuracy"]
    line = found.panels[0].lines[1]
    assert line.is_band
    assert line.values.shape == (8, 40)
    assert found.log_x
    assert (
        line.values[0].tolist()
        == [o["value"] for o in stored["holds"]["evidence"] if o["quantity"] == "test accuracy" and o["seed"] == 100][
            :40
        ]
    )
    low, high = line.range
    assert (low <= line.median).all()
    assert (line.median <= high).all()


def test_what_is_decided_on_order_is_drawn_unasked(stored: dict[str, Data]) -> None:
    (found,) = curves(stored["falls"])
    assert [line.arm for line in found.lines] == ["claim", "no effect"]
    assert not found.lines[0].is_band
    assert found.lines[1].mostly_censored.tolist() == [False, False, False, True]
    assert "hollow triangles" in found.note


def test_plain_quantities_have_no_curve(stored: dict[str, Data]) -> None:
    assert curves(stored["fails"]) == []
    assert curves(stored["holds"] | {"evidence": []}) == []


def test_a_curve_of_something_never_measured_is_named(stored: dict[str, Data]) -> None:
    asked = [stored["holds"]["about"]["curves"][0] | {"quantities": ["tset accuracy"]}]
    with pytest.raises(ValueError, match="the curve 'During training' names 'tset accuracy', which was not measured"):
        curves(stored["holds"] | {"about": stored["holds"]["about"] | {"curves": asked}})


def test_an_arm_without_the_quantity_is_left_out(stored: dict[str, Data]) -> None:
    evidence = [o for o in stored["falls"]["evidence"] if o["arm"] == "claim"]
    (found,) = curves(stored["falls"] | {"evidence": evidence})
    assert [line.arm for line in found.lines] == ["claim"]


def test_seeds_that_stopped_early_leave_gaps(stored: dict[str, Data]) -> None:
    evidence = [o for o in stored["falls"]["evidence"] if o["seed"] != 100 or o["at"] != 8.0]
    (found,) = curves(stored["falls"] | {"evidence": evidence})
    assert np.isnan(found.lines[0].values[0, 3])
    assert found.lines[0].n == "7 to 8"


def test_thresholds_at_a_level_are_marked(stored: dict[str, Data]) -> None:
    verdict = stored["falls"]
    criterion = verdict["criteria"][0] | {"at": 4.0, "thresholds": [30.0]}
    curve = {"quantities": ["steps"], "x": "level", "y": "steps", "title": "Steps", "log_x": True, "log_y": True}
    about = verdict["about"] | {"curves": [curve]}
    (found,) = curves(verdict | {"criteria": [criterion], "about": about})
    assert found.marks == ((4.0, 30.0),)


def long(levels: int) -> Data:
    rows = [{"quantity": "q", "value": 1.0 / at, "at": float(at), "censored": False, "arm": "claim", "seed": 1}
            for at in range(1, levels + 1)]  # fmt: skip
    curve = {"quantities": ["q"], "x": "x", "y": "y", "title": "t", "log_x": True, "log_y": True}
    return {"criteria": [], "controls": [], "evidence": rows, "about": {"curves": [curve]}}


def test_long_lines_are_thinned_and_keep_their_ends() -> None:
    line = curves(long(5000))[0].lines[0]
    assert len(line.levels) <= MOST_LEVELS
    assert (line.levels[0], line.levels[-1]) == (1.0, 5000.0)
    assert line.values[0].tolist() == (1 / line.levels).tolist()


def test_log_axes_need_positive_values() -> None:
    data = long(5)
    data["evidence"] = [row | {"value": 0.0, "at": row["at"] - 1} for row in data["evidence"]]
    (found,) = curves(data)
    assert not found.log_x
    assert not found.log_y


def test_arms_differ_in_more_than_colour(stored: dict[str, Data]) -> None:
    (found,) = curves(stored["falls"])
    looks = [look(found, line) for line in found.lines]
    for aspect in ("color", "linestyle", "marker"):
        assert looks[0][aspect] != looks[1][aspect]


# -- Drawing -----------------------------------------------------------------------------------------------------------


def drawings(verdict: Data, key: str) -> list[str]:
    drawn = [draw_criterion(found, key=f"{key}-{n}") for n, found in enumerate(criterion_plots(verdict))]
    for n, figure in enumerate(curves(verdict)):
        drawn += [draw_panel(figure, panel, key=f"{key}-{n}-{m}") for m, panel in enumerate(figure.panels)]
    return [str(svg) for svg in drawn]


@pytest.mark.parametrize("name", ["holds", "falls", "fails", "undecided", "invalid", "happens"])
def test_drawings_are_small_well_formed_and_deterministic(stored: dict[str, Data], name: str) -> None:
    first, second = drawings(stored[name], "k"), drawings(stored[name], "k")
    assert first == second
    for svg in first:
        root = ET.fromstring(svg)
        assert root.tag == "svg"
        assert root.attrib["role"] == "img"
        assert root[0].tag == "title"
        assert root[0].text
        assert len(svg) < 60_000
        assert "style" not in svg
        assert "font-family" not in svg
        assert "http" not in svg


@pytest.mark.parametrize("unseen", [(0,), (0, 1)])
def test_times_that_never_came_can_be_drawn(stored: dict[str, Data], unseen: tuple[int, ...]) -> None:
    criterion = stored["holds"]["criteria"][1] | {"estimate": 0.0, "low": 0.0, "high": None}
    bounds = {"low": 0.0} | ({"high": None} if 1 in unseen else {})
    criterion["contributions"] = [one | bounds for one in criterion["contributions"]]
    found = plot(stored["holds"] | {"criteria": [criterion], "controls": []})
    assert found.log
    assert len(found.rows[0].points) == 8
    assert ET.fromstring(draw_criterion(found, key="k")).tag == "svg"


def test_colours_are_left_to_the_page(stored: dict[str, Data]) -> None:
    for name in ("holds", "falls"):
        for svg in drawings(stored[name], "k"):
            colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
            assert colours <= {"none", *canvas.COLOURS.values()}


def test_letters_are_text_of_a_legible_size(stored: dict[str, Data]) -> None:
    for svg in drawings(stored["holds"], "k"):
        texts = list(ET.fromstring(svg).iter("text"))
        assert texts
        assert all(float(text.attrib["font-size"].removesuffix("px")) >= 11 for text in texts)


def test_drawing_leaves_the_settings_of_the_process(stored: dict[str, Data]) -> None:
    import matplotlib

    matplotlib.rcParams["axes.facecolor"] = "#123456"
    try:
        svg = drawings(stored["fails"], "k")[0]
        assert matplotlib.rcParams["axes.facecolor"] == "#123456"
        assert "#123456" not in svg
    finally:
        matplotlib.rcdefaults()


def test_dollars_and_strange_letters_are_plain_text(stored: dict[str, Data]) -> None:
    verdict = stored["fails"]
    criterion = verdict["criteria"][0] | {"axis": "$\\frac{$ <漢> \x00 & \ud800"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = draw_criterion(plot(verdict | {"criteria": [criterion]}), key="k")
    assert "$\\frac{$" in svg
    assert "&lt;漢&gt;" in svg


@pytest.mark.parametrize("limits", [(0.9, 1.1), (1e-12, 20.0), (3.0, 300.0), (0.5, 80_000.0), (2.1, 2.9)])
def test_log_axes_have_a_few_ticks_within(limits: tuple[float, float]) -> None:
    ticks = canvas.log_ticks(*limits)
    assert 2 <= len(ticks) <= 6
    assert all(limits[0] <= tick <= limits[1] for tick in ticks)


def test_ticks_are_round() -> None:
    assert canvas.linear_ticks(-0.03, 1.04) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert canvas.linear_ticks(0.01, 0.7) == [0.2, 0.4, 0.6]


# -- Data --------------------------------------------------------------------------------------------------------------


def test_tables_hold_what_is_drawn(stored: dict[str, Data]) -> None:
    lines = tables.of_criterion(plot(stored["fails"])).splitlines()
    assert len(lines) == 1 + 2 * 8 + 2 * 3 + 1
    assert lines[-1] == ",threshold,0.1,"
    (band,) = curves(stored["holds"])
    assert len(tables.of_curves(band).splitlines()) == 1 + 2 * 2 * 40
    (seeds,) = curves(stored["falls"])
    text = tables.of_curves(seeds).splitlines()
    assert len(text) == 1 + 2 * 8 * 4
    assert text[-1].endswith(",yes")


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@sum", "\t=1", "-", "+1|calc", "-1e5x"])
def test_texts_of_a_table_are_no_formulas(text: str) -> None:
    """An apostrophe before them: spreadsheets run what begins with a sign, also inside quotation marks."""
    [header, row] = csv.reader(io.StringIO(tables._csv((text, "x"), [(text, "-1.5")]), newline=""))
    assert header[0] == row[0] == f"'{text}"


@pytest.mark.parametrize("before", ["", " ", "\n", "\t ", "\u00a0", "\u3000", "\ufeff", "\u200b"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_white_space_hides_a_formula(before: str, sign: str) -> None:
    text = f"{before}{sign}1+1"
    assert str(tables.harmless(text)).startswith("'")
    assert tables.harmless(f"{before}a{sign}1") == f"{before}a{sign}1" or before[:1] == "\t"


def test_a_carriage_return_ends_no_row_of_a_table() -> None:
    assert tables._csv(("x",), [("\r=1",)]).splitlines() == ["x", r"\r=1"]


@pytest.mark.parametrize("number", [-1.5, "-1.5", "-1e-07", "+3", "-inf", "nan", 7, "", None, "plain", "a=b", "’-"])
def test_numbers_and_harmless_texts_of_a_table_stay(number: object) -> None:
    assert tables._csv(("x", "y"), [(number, 1)]).splitlines()[1] == f"{'' if number is None else number},1"


def test_types_are_plain(stored: dict[str, Data]) -> None:
    assert isinstance(plot(stored["holds"]).rows[0].points[0], Point)
    assert isinstance(curves(stored["holds"])[0], Curves)


def test_limits_of_a_logarithmic_axis_are_numbers_whose_logarithm_exists() -> None:
    for values in ([3.2e-322, 1.0], [1e-300, 1e300], [0.0, 2.0]):
        low, high = around(np.array(values), True, 0.05)
        assert 0 < low < high < math.inf
    assert around(np.array([0.0, 10.0]), False, 0.1) == (-1.0, 11.0)
