"""The scales of a claim."""

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions import Tier, tiers


def test_each_tier_changes_the_setting_and_those_not_named_are_left_out():
    assert tiers({"width": 8, "steps": 10}, (100, 101), quick={}, paper={"width": 512}) == {
        "quick": Tier((100, 101), {"width": 8, "steps": 10}),
        "paper": Tier((100, 101), {"width": 512, "steps": 10}),
    }


def test_a_tier_may_have_seeds_of_its_own():
    found = tiers({}, {"quick": (100,), "standard": range(100, 103)}, quick={}, standard={})
    assert found["quick"].seeds == (100,)
    assert found["standard"].seeds == (100, 101, 102)


def test_no_tier_and_a_tier_without_seeds_are_refused():
    with pytest.raises(InvalidInput, match="without a tier"):
        tiers({"width": 8}, (100,))
    with pytest.raises(InvalidInput, match="tier 'paper' without seeds; seeds has only quick"):
        tiers({}, {"quick": (100,)}, quick={}, paper={})
