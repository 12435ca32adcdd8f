"""What a verdict says of its claim is data, whatever stands in a setting."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from grokscape.landscape import AdamW, BinaryOperation, Perceptron
from grokscape.predictions.checking.about import LONGEST_VALUE, about, setting_as_data
from grokscape.predictions.terms import Amendment
from tests.predictions.made_up.claims import claim


@dataclasses.dataclass(frozen=True)
class Sweep:
    start: str
    decay: float = 1.0


class Mute:
    def __repr__(self):
        raise ValueError


def test_descriptions_keep_their_data_and_say_how_they_are_called():
    found = setting_as_data({"task": BinaryOperation(operation="x*y", p=7), "model": Perceptron(width=8)})
    assert found["task"] == {
        "words": "x*y modulo 7",
        "data": {"kind": "binary_operation", "operation": "x*y", "p": 7},
    }
    assert found["model"]["words"] == "perceptron (width 8, activation relu)"


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (3, 3),
        ("true", "true"),
        (None, None),
        (True, True),
        ((0.1, 0.2), [0.1, 0.2]),
        ({"eps": 1e-4, 2: ()}, {"eps": 1e-4, "2": []}),
        (np.float64(0.5), 0.5),
        (Sweep("scratch"), {"words": "sweep (start scratch, decay 1)", "data": {"start": "scratch", "decay": 1.0}}),
        (len, {"words": "<built-in function len>", "data": None}),
        (float("nan"), {"words": "nan", "data": None}),
        (Mute(), {"words": "a Mute that cannot be shown", "data": None}),
    ],
)
def test_every_value_is_json(value, data):
    found = setting_as_data({"x": value})
    assert found == {"x": data}
    json.dumps(found, allow_nan=False)


def test_what_is_too_long_or_holds_itself_is_cut_short():
    endless: list[object] = []
    endless.append(endless)
    found = setting_as_data({"long": (0.5,) * LONGEST_VALUE, "endless": endless})
    assert all(value["data"] is None and len(value["words"]) <= LONGEST_VALUE for value in found.values())


def test_kind_and_history_are_data():
    first = Amendment(date="2026-01-02", what="more steps", why="too few", seeds="100-109")
    history = (first, Amendment(date="", what="a", why="b"))
    found = about(claim(kind="rival", amendments=history), "quick")
    assert found["kind"] == "rival"
    assert found["amendments"][0] == {"date": "2026-01-02", "what": "more steps", "why": "too few", "seeds": "100-109"}
    assert about(claim(), "paper")["setting"] == {}  # it has no such tier


def test_words_leave_out_what_tells_a_reader_nothing():
    assert AdamW(lr=0.1).words().startswith("AdamW (lr 0.1, ")
    assert Perceptron(width=8, bias=True).words() == "perceptron (width 8, activation relu, bias)"
