"""Catches verdicts of the right form that take the whole page with them."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from grokscape.landscape.records.store import Store
from grokscape.predictions.checking.verdict_files import load_verdicts
from grokscape.reports.claims_page.page import render
from tests.stress.damage import mutate

Data = dict[str, Any]


@pytest.mark.parametrize("seed", range(6))
def test_mutated_verdicts_are_shown_or_named(tmp_path: Path, stored: dict[str, Data], seed: int) -> None:
    """Each mutated in a few places; whatever still fits the schema reaches the page."""
    store, chance = Store(tmp_path / "store"), random.Random(seed)
    folder = store.path / "verdicts" / "quick"
    folder.mkdir()
    for verdict in stored.values():
        data = json.loads(json.dumps(verdict))
        for _ in range(3):
            mutate(data["about"] if chance.random() < 0.7 else data, chance)
        (folder / f"{verdict['id']}.json").write_text(json.dumps(data))
    found, complaints = load_verdicts(store, "quick")
    assert len(found) + len(complaints) == len(stored)
    with (
        mock.patch("grokscape.reports.claims_page.page.draw_criterion", return_value=""),
        mock.patch("grokscape.reports.claims_page.page.draw_panel", return_value=""),
    ):
        page = render(found, tier="quick", complaints=complaints)
    named = page.count("cannot be shown (") + sum(str(verdict["id"]) not in page for verdict in found)
    assert page.split("<main")[1].count("<article") + named == len(found)


@pytest.mark.parametrize("part", ["status", "about", "criteria", "evidence", "provenance"])
@pytest.mark.parametrize("value", [3, "x", [1], {"a": 1}])
def test_wrong_types_in_one_verdict_leave_the_others(stored: dict[str, Data], part: str, value: object) -> None:
    one, other = copy.deepcopy(list(stored.values())[:2])
    one[part] = value
    page = render([one, other], tier="quick")
    assert f'id="{other["id"]}"' in page


@pytest.mark.parametrize("text", ["(" * 5000, "Model(" * 300, "x\x00y", "[1, " * 2000, "9" * 5000])
def test_settings_of_any_text_are_told_or_named(stored: dict[str, Data], text: str) -> None:
    one = copy.deepcopy(next(iter(stored.values())))
    one["about"]["setting"] = {"task": text, "tasks": text, "model": text}
    with (
        mock.patch("grokscape.reports.claims_page.page.draw_criterion", return_value=""),
        mock.patch("grokscape.reports.claims_page.page.draw_panel", return_value=""),
    ):
        assert "<article" in render([one], tier="quick")
