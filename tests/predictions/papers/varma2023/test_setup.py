"""The runs that claims have in common, and the tiers."""

from __future__ import annotations

import dataclasses

from grokscape.predictions.papers.varma2023.setup import (
    NETWORKS,
    full_data_run,
    retraining_run_of,
    scratch_run,
    tiers,
)
from grokscape.predictions.terms import Setting


def test_networks_of_a_number_of_examples():
    at = Setting({**NETWORKS["quick"], "scratch_steps": 4000})
    retrained = retraining_run_of(0, at, 333)
    assert (retrained.n_train, retrained.steps, retrained.start) == (333, 3000, full_data_run(0, at))
    assert (scratch_run(0, at, 333).steps, scratch_run(0, at, 333).start) == (4000, None)
    assert scratch_run(0, at, 333, steps=7) == dataclasses.replace(retrained, start=None, steps=7)


def test_each_tier_has_its_network_and_none_is_no_tier():
    found = tiers({"fraction": 0.1, "steps": 7}, paper={"fraction": 0.03})
    assert {name: (tier.setting["fraction"], tier.setting["steps"]) for name, tier in found.items()} == {
        "quick": (0.1, 7),
        "standard": (0.1, 7),
        "paper": (0.03, 7),
    }
    assert found["paper"].setting["model"] == NETWORKS["paper"]["model"]
    assert list(tiers({}, quick=None)) == ["standard", "paper"]
