"""The same claim about another learner: what stays, what changes, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.optimisers import SGD, AdamW
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.figures import Curve
from grokscape.predictions.terms import Amendment, Calibrated, Control, Tier
from grokscape.predictions.writing.replication import replicate
from tests.predictions.made_up.claims import claim

FOUND = (Calibrated(3.0, 0.2, "0-2"),)


def moved(original, **changes):
    fields = {"tiers": {"quick": {"value": 3.0}}, "calibrated": FOUND}
    return replicate(original, "moved", "other learners", **(fields | changes))


def test_only_the_learner_and_what_was_measured_change():
    curve = Curve(quantities=("size",), x="x", y="y", title="Sizes", figure="figure 3")
    original = dataclasses.replace(claim(), curves=(curve,))
    other = moved(original)
    assert other.id == "test2026.large_moved"
    assert other.claim == "With other learners, too: what is told to be large is large."
    assert other.criteria == (dataclasses.replace(original.criteria[0], calibrated=FOUND[0]),)
    assert other.curves == (dataclasses.replace(curve, title="Sizes: other learners", figure=""),)
    assert other.tiers == {"quick": Tier(original.tiers["quick"].seeds, {"value": 3.0, "fails": False})}
    assert original.id in other.notes
    assert (original.kind, other.kind) == ("stated", "extension")
    same = ("source", "where", "theory", "runs", "measure", "gates", "controls", "calibration_seeds")
    assert all(getattr(other, name) == getattr(original, name) for name in same)


def test_what_was_amended_is_the_originals():
    original = dataclasses.replace(claim(), amendments=(Amendment(date="", what="other seeds", why="more runs"),))
    assert moved(original).amendments == ()


def test_tiers_that_are_not_named_are_left_out():
    both = dataclasses.replace(claim(), tiers={name: claim().tiers["quick"] for name in ("quick", "standard")})
    assert set(moved(both).tiers) == {"quick"}


def test_controls_may_be_changed_too():
    other = moved(claim(), controls={"small": {"fails": True}})
    assert dict(other.arms("quick")["small"]) == {"value": 0.0, "fails": True}
    assert dict(other.arms("quick")[CLAIM]) == {"value": 3.0, "fails": False}


def test_what_would_not_be_the_same_claim_is_refused():
    with pytest.raises(InvalidInput, match="1 criteria and 'moved' 2 findings"):
        moved(claim(), calibrated=FOUND * 2)
    with pytest.raises(InvalidInput, match="no tier 'paper', only quick"):
        moved(claim(), tiers={"paper": {}})
    with pytest.raises(InvalidInput, match="no control 'large', only small"):
        moved(claim(), controls={"large": {}})


def test_a_control_must_not_put_the_old_learner_back():
    control = Control("no decay", {"optimiser": AdamW(weight_decay=0.0, eps=1e-4)}, "nothing favours anything")
    original = dataclasses.replace(claim(), controls=(control,))
    changes = {"quick": {"optimiser": SGD(lr=0.1, weight_decay=1e-3)}}
    with pytest.raises(InvalidInput, match=r"the control 'no decay' of 'test2026\.large' sets its own optimiser"):
        moved(original, tiers=changes)
    plain = {"optimiser": SGD(lr=0.1)}
    assert moved(original, tiers=changes, controls={"no decay": plain}).arms("quick")["no decay"].optimiser == SGD()
