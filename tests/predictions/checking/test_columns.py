"""Catches evidence that comes back from its compact form otherwise than it went in, or from one that does not fit."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest

from grokscape.predictions.checking.columns import packed, unpacked
from grokscape.predictions.evidence import Rows


def row(arm, seed, quantity, at, value, censored=False):
    return {"quantity": quantity, "value": value, "at": at, "censored": censored, "arm": arm, "seed": seed}


def rows():
    rng = np.random.default_rng(3)
    found = [
        row(arm, seed, quantity, float(step), float(rng.normal()), bool(rng.random() < 0.2))
        for arm in ("claim", "a control")
        for seed in (7, 3, 2**100)
        for quantity in ("train loss", "test loss")
        for step in (0, 1, 10, 1e300)
    ]
    odd = [
        row("claim", 7, "again, after another arm", None, 0.1 + 0.2),
        row("claim", 7, "whole", None, 3.0),
        row("claim", 7, "interleaved", 0.5, -0.0),
        row("claim", 7, "whole", 0.25, 5e-324, True),
        row("claim", -1, "none", None, None),
        row("claim", -1, "very large", None, 1.7976931348623157e308),
    ]
    return found + odd


def through_json(data):
    return json.loads(json.dumps(data, allow_nan=False))


def test_evidence_comes_back_to_the_last_bit_and_in_order():
    back = unpacked(through_json(packed(Rows.of(rows()))))
    assert list(back) == rows()
    zero = next(found for found in back if found["quantity"] == "interleaved")
    assert math.copysign(1, zero["value"]) == -1


def test_no_evidence_is_none():
    assert list(unpacked(through_json(packed(())))) == []


def test_what_seeds_have_in_common_is_written_once():
    many = [row("claim", seed, "loss", float(step), 0.5) for seed in range(50) for step in range(40)]
    data = packed(many)
    assert (len(data["levels"]), len(data["forms"]), len(data["arms"])) == (1, 1, 1)
    assert len(json.dumps(data)) < len(json.dumps(many)) / 15


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.pop("levels"),
        lambda data: data["arms"][0]["values"].pop(),
        lambda data: data["arms"][0]["values"][0].pop(),
        lambda data: data["arms"][0]["values"][0].append(1.0),
        lambda data: data["arms"][0]["values"][0].__setitem__(0, "1"),
        lambda data: data["arms"][0]["values"][0].__setitem__(0, True),
        lambda data: data["arms"][0]["forms"].__setitem__(0, 99),
        lambda data: data["arms"][0]["forms"].__setitem__(0, -1),
        lambda data: data["arms"][0]["seeds"].__setitem__(0, 1.5),
        lambda data: data["arms"][0].__setitem__("arm", ["claim"]),
        lambda data: data["forms"][0].append([0, 99]),
        lambda data: data["forms"][0].append(3),
        lambda data: data["quantities"].__setitem__(0, None),
        lambda data: data.__setitem__("arms", 3),
    ],
)
def test_what_does_not_fit_together_is_refused(damage):
    data = copy.deepcopy(through_json(packed(rows())))
    damage(data)
    with pytest.raises(ValueError, match="does not fit together"):
        unpacked(data)
