"""Phase portraits: what they pair, what they leave out, and how they say it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from grokscape.reports.claims_page.page import render
from grokscape.reports.figures.portraits import portraits
from grokscape.reports.figures.tables import of_portrait
from tests.reports.claims_page.test_sections import Data, observed, verdict

PORTRAIT: Data = {
    "title": "ways to generalise", "x": "test error", "y": "complexity", "log_x": False, "log_y": True, "figure": "",
    "trajectories": [
        {"name": "a line", "x": "error", "y": "bits", "arm": "claim", "marks": [["fits", "steps to fit"]]},
        {"name": "never trained", "x": "nothing", "y": "bits", "arm": "claim", "marks": []},
    ],
}  # fmt: skip
STEPS = (1.0, 10.0, 100.0)


def painted(*, last: dict[int, float] | None = None, **changes: Any) -> Data:
    """Three seeds whose complexity is a hundredth of their error, on three steps (fewer for seeds in `last`)."""
    found = verdict("painted", portraits=[copy.deepcopy(PORTRAIT) | changes])
    path = {(s, step): (3 - n) / 4 + 0.01 * s for s in range(3) for n, step in enumerate(STEPS)}
    path = {(s, step): v for (s, step), v in path.items() if step <= (last or {}).get(s, 100)}
    found["evidence"] = [
        *observed("error", path),
        *observed("bits", {place: value / 100 for place, value in path.items()}),
        *[{**o, "at": None} for o in observed("steps to fit", {(s, 0.0): 10.0 for s in range(3)})],
    ]
    return found


def test_a_trajectory_pairs_two_quantities_step_by_step_and_marks_events_on_the_median() -> None:
    (portrait,) = portraits(painted())
    (trajectory,) = portrait.trajectories  # what was not measured has no trajectory
    assert trajectory.steps.tolist() == list(STEPS)
    assert np.allclose(trajectory.y, trajectory.x / 100)
    x, y = trajectory.median
    assert x.tolist() == pytest.approx([0.76, 0.51, 0.26])
    assert y.tolist() == pytest.approx([0.0076, 0.0051, 0.0026])
    (mark,) = trajectory.marks
    assert (mark.name, mark.step, mark.x, mark.y) == ("fits", 10, pytest.approx(0.51), pytest.approx(0.0051))
    assert portrait.log_y
    assert "a line: from (0.76, 0.0076), fits (0.51, 0.0051), to (0.26, 0.0026)" in portrait.words


def test_seeds_that_end_early_take_the_median_no_further_than_half_of_them_go() -> None:
    (portrait,) = portraits(painted(last={0: 10.0, 1: 10.0}))
    (trajectory,) = portrait.trajectories
    assert trajectory.steps[trajectory.drawn].tolist() == [1.0, 10.0]
    assert np.isnan(trajectory.x[:2, 2]).all()


def test_an_event_that_most_seeds_never_saw_has_no_mark_and_zeros_forbid_logarithms() -> None:
    found = painted()
    found["evidence"][-1]["censored"] = True
    (portrait,) = portraits(found)
    assert len(portrait.trajectories[0].marks) == 1
    assert portrait.log_y
    found["evidence"][-2]["censored"] = True
    for o in found["evidence"]:
        if o["quantity"] == "bits":
            o["value"] -= 0.0025
    (portrait,) = portraits(found)
    assert portrait.trajectories[0].marks == ()
    assert not portrait.log_y


def test_the_table_has_a_row_for_each_step_of_each_seed() -> None:
    (portrait,) = portraits(painted(last={0: 10.0}))
    rows = of_portrait(portrait).splitlines()
    assert rows[0] == "learner,seed,step,test error,complexity"
    assert len(rows) == 1 + 8
    assert rows[1] == "a line,0,1,0.75,0.0075"


def test_a_portrait_stands_in_the_page_and_is_escaped() -> None:
    html = render([painted(title="<b>ways</b>")], tier="quick")
    assert "A portrait from our runs" in html
    assert "<b>ways</b>" not in html
    assert html.count("<figcaption>&lt;b&gt;ways&lt;/b&gt;</figcaption>") == 1
    assert "Strong lines join the medians over seeds" in html
