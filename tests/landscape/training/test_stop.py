"""Catches stop rules that look at the wrong split or the wrong side; how they persist is the trainer's test."""

from __future__ import annotations

from typing import Any

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.training.stop import Stop

MEASURED = {("train", "loss"): 0.1, ("test", "loss"): 2.0, ("", "weight_norm"): 5.0}


@pytest.mark.parametrize(
    ("stop", "holds"),
    [
        (Stop(quantity="loss", split="train", below=0.2), True),
        (Stop(quantity="loss", split="test", below=0.2), False),
        (Stop(quantity="loss", split="test", above=0.2), True),
        (Stop(quantity="loss", split="unmirrored", above=0.2), False),
        (Stop(quantity="weight_norm", split="", above=5.0), False),
        (Stop(quantity="weight_norm", split="", below=5.0), False),
        (Stop(quantity="weight_norm", split="", above=4.999), True),
        (Stop(quantity="accuracy", below=9.0), False),
    ],
    ids=["train", "test", "above", "absent-split", "equal-above", "equal-below", "just-above", "absent-quantity"],
)
def test_condition_is_read_off_its_split_and_side(stop: Stop, holds: bool) -> None:
    assert stop.holds(MEASURED) is holds


def test_zero_is_a_level() -> None:
    assert Stop(quantity="loss", split="train", above=0.0).holds(MEASURED)
    assert not Stop(quantity="loss", split="train", below=0.0).holds(MEASURED)


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ({}, ["Stop.above", "exactly one of above and below"]),
        ({"above": 1.0, "below": 0.0}, ["Stop.above", "1.0", "exactly one of above and below"]),
        ({"above": 1.0, "records": 0}, ["Stop.records", "0", "at least 1"]),
        ({"above": 1.0, "split": "validation"}, ["Stop.split", "'validation'", "'unmirrored'"]),
    ],
    ids=["none", "both", "records", "split"],
)
def test_refusals_name_field_value_and_expectation(fields: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Stop(quantity="loss", **fields)
    assert all(part in str(refusal.value) for part in parts), refusal.value
