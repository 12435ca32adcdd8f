"""Catches figures that would vanish because what they name was never measured."""

from __future__ import annotations

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.drawn import MOST_NAMES, require_drawn
from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.figures import Curve, PhaseDiagram, PhasePortrait, Trajectory
from tests.predictions.made_up.claims import claim

LEVELLED = ("test accuracy", "train accuracy", "norm")
EVIDENCE = Evidence(
    [
        *(Observation(q, 0.5, at=at, arm="claim", seed=10) for q in LEVELLED for at in (1.0, 2.0)),
        Observation("only of the control", 0.5, at=1.0, arm="small", seed=10),
        Observation("steps to fit", 7.0, arm="claim", seed=10),
    ]
)


def curve(*quantities):
    return Curve(quantities=quantities, x="step", y="accuracy", title="During training")


def chart(**changes):
    fields = {"panels": (("warm", ((0.5, "test accuracy"), (1.0, "in no tier"))),), "boundaries": ("never seen",)}
    return PhaseDiagram(**(fields | changes), x="x", y="y", value="v", title="Where")


def portrait(**changes):
    fields = {"x": "norm", "y": "test accuracy", "marks": (("fits", "steps to fit"),)}
    return PhasePortrait(trajectories=(Trajectory(name="one", **(fields | changes)),), x="x", y="y", title="Ways")


@pytest.mark.parametrize(
    "drawn",
    [
        {"curves": (curve(*LEVELLED), curve("only of the control"))},
        {"maps": (chart(),)},  # rows that this tier lacks, and boundaries that nobody saw, are no error
        {"portraits": (portrait(),)},
    ],
)
def test_what_was_measured_may_be_drawn(drawn):
    require_drawn(claim(**drawn), EVIDENCE)


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        (
            {"curves": (curve("train accuracy", "tset accuracy"),)},
            "the curve 'During training' names 'tset accuracy', which was not measured at any level in any arm; "
            "measured there: 'test accuracy', 'train accuracy', ",
        ),
        ({"curves": (curve("steps to fit"),)}, "names 'steps to fit', which was not measured at any level"),
        (
            {"maps": (chart(panels=(("warm", ((0.5, "a"), (1.0, "b"))),)),)},
            "the panel 'warm' of the map 'Where' names 'a' or 'b', which was not measured at any level in arm 'claim'",
        ),
        ({"portraits": (portrait(x="nrom"),)}, "the trajectory 'one' of the portrait 'Ways' names 'nrom'"),
        (
            {"portraits": (portrait(marks=(("fits", "step to fit"),)),)},
            "names 'step to fit', which was not measured in",
        ),
        ({"portraits": (portrait(arm="smal"),)}, "in arm 'smal'; measured there: nothing"),
    ],
)
def test_what_was_not_measured_is_named_with_what_was(drawn, message):
    with pytest.raises(InvalidInput) as caught:
        require_drawn(claim(**drawn), EVIDENCE)
    assert message in str(caught.value)


def test_long_lists_are_cut():
    many = Evidence([Observation(f"q{n}", 0.5, at=1.0, seed=10) for n in range(MOST_NAMES + 3)])
    with pytest.raises(InvalidInput, match="and 3 others"):
        require_drawn(claim(curves=(curve("x"),)), many)
