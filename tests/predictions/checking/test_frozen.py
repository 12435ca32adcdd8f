"""Catches a change of what was frozen that leaves its fingerprint, and a change of words that moves it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from grokscape.landscape import BinaryOperation
from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.checking.frozen import first_runs, frozen, frozen_hash, run_hash
from grokscape.predictions.rules import Below, Exceeds
from grokscape.predictions.terms import Amendment, Calibrated, Control, Criterion, Gate, Tier
from tests.predictions.made_up.claims import claim
from tests.predictions.made_up.steps import CLAIMS

CRITERION = Criterion(quantity="size", rule=Exceeds(1.0), threshold_from="a test", calibrated=Calibrated(2, 0.1, "0-2"))
TIER = claim().tiers["quick"]


def criteria(**changes):
    return {"criteria": (dataclasses.replace(CRITERION, **changes),)}


@pytest.mark.parametrize(
    "change",
    [
        criteria(rule=Exceeds(1.1)),
        criteria(rule=Below(1.0)),
        criteria(rule=Exceeds(1.0, centre="mean")),
        criteria(at=2.0),
        criteria(quantity="weight"),
        {"gates": (Gate(quantity="size", above=-1.0),)},
        {"controls": (Control("small", {"value": 0.5}, "it is told to be small"),)},
        {"tiers": {"quick": Tier(tuple(range(10, 19)), TIER.setting)}},
        {"tiers": {"quick": Tier(TIER.seeds, {"value": 2.5, "fails": False})}},
        {"calibration_seeds": (0, 1)},
    ],
)
def test_a_change_of_what_was_frozen_shows(change):
    assert frozen_hash(claim(**change), "quick") != frozen_hash(claim(), "quick")


@pytest.mark.parametrize(
    "change",
    [
        criteria(threshold_from="other words", calibrated=Calibrated(3, 0.2, "0-3")),
        criteria(rule=Exceeds(1)),
        criteria(rule=dataclasses.make_dataclass("Renamed", [], bases=(Exceeds,), frozen=True)(1.0)),
        {"controls": (Control("tiny", {"value": 0}, "other words"),)},
        {"tiers": {"quick": Tier(TIER.seeds, {"fails": False, "value": np.float64(2)})}},
        {"tiers": {"quick": TIER, "paper": Tier((50, 51, 52), {"value": 3.0, "fails": False})}},
        {"claim": "Another sentence.", "notes": "a note", "kind": "rival", "theory": "another"},
        {"amendments": (Amendment(date="2026-01-02", what="a", why="b"),)},
    ],
)
def test_words_names_of_classes_and_other_tiers_do_not(change):
    assert frozen_hash(claim(**change), "quick") == frozen_hash(claim(), "quick")


def test_descriptions_count_by_their_data():
    at = {"value": 2.0, "fails": False, "task": BinaryOperation(p=7)}
    found = frozen(claim(tiers={"quick": Tier(TIER.seeds, at)}), "quick")
    assert found["setting"]["task"]["kind"] == "binary_operation"


def test_what_is_no_data_is_refused_by_name():
    odd = claim(tiers={"quick": Tier(TIER.seeds, {"value": 2.0, "fails": False, "odd": object()})})
    with pytest.raises(InvalidInput, match=r"'test2026.large' cannot be written as data .*; use numbers"):
        frozen_hash(odd, "quick")


def test_runs_count_by_arm_seed_and_identity():
    runs = first_runs(claim(), "quick")
    assert set(runs) == {"claim", "small"}
    other = {arm: {seed: {f"{label}2": i for label, i in at.items()} for seed, at in seeds.items()} for arm, seeds in
             runs.items()}  # fmt: skip
    assert run_hash(other) == run_hash(runs)
    assert run_hash(first_runs(claim(value=2.5), "quick")) != run_hash(runs)


def test_all_claims_can_be_frozen():
    for known in CLAIMS.values():
        assert all(len(frozen_hash(known, tier)) == 64 for tier in known.tiers)
