"""Catches a tier that is refused because another one draws a line more."""

from __future__ import annotations

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.drawn import require_drawn
from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.figures import Curve
from grokscape.predictions.terms import Tier
from tests.predictions.made_up.claims import claim

CURVE = Curve(quantities=("here", "at paper"), x="x", y="y", title="Two lines")
HERE = Evidence([Observation("here", 1.0, at=2.0)])
SETTING = {"value": 2.0, "fails": False}


def test_of_several_tiers_one_may_lack_a_line_and_all_together_may_not():
    several = claim(curves=(CURVE,), tiers={"quick": Tier((10,), SETTING), "paper": Tier((10,), SETTING)})
    require_drawn(several, HERE)
    with pytest.raises(InvalidInput, match="'Two lines' names 'at paper', which was not measured at any level"):
        require_drawn(several, HERE, of_all_tiers=True)
    with pytest.raises(InvalidInput, match="names 'at paper' or 'here'"):
        require_drawn(several, Evidence([Observation("another", 1.0, at=2.0)]))


def test_of_a_single_tier_every_line_must_be_there():
    with pytest.raises(InvalidInput, match="names 'at paper'"):
        require_drawn(claim(curves=(CURVE,)), HERE)
