"""Catches a calibration that finds other numbers than the seeds have, judges, or forgets what is trained."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records.store import Store
from grokscape.predictions.checking.calibrate import Calibration, seeds_in_words
from grokscape.predictions.checking.check import Check
from grokscape.predictions.evidence import Measurement
from grokscape.predictions.rules import Decision, Precedes
from grokscape.predictions.terms import Calibrated
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.claims import claim

#: Of the toy: 2 and a thousandth for each seed.
VALUES = [2.0 + 1e-3 * seed for seed in (0, 1, 2)]


def uncalibrated(name="new", **changes):
    made = claim(name, **changes)
    return dataclasses.replace(made, criteria=tuple(dataclasses.replace(c, calibrated=None) for c in made.criteria))


def calibrated(claims, store):
    calibration = Calibration(claims, "quick", store)
    with ThreadPoolExecutor(1) as executor:
        updates = list(calibration.run(executor))
    assert not any(update.verdict for update in updates)
    return calibration, updates


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def test_it_finds_what_the_calibration_seeds_have(store):
    calibration, _ = calibrated([uncalibrated()], store)
    ((found,),) = calibration.found.values()
    assert found.calibrated == Calibrated(2.001, float(f"{np.std(VALUES, ddof=1):.2g}"), "0-2")
    assert found.text == 'calibrated=Calibrated(2.001, 0.001, "0-2")'
    assert found.controls == {"small": pytest.approx(0.001)}
    assert found.rates["quick"].power == 1.0
    assert found.foreseen is Decision.CORROBORATED
    assert not list(store.path.glob("verdicts/*/*"))


def test_what_it_prints_makes_the_claim_checkable(store):
    new = uncalibrated()
    check = Check([new], "quick", store, modules=["my claims.py"])
    with ThreadPoolExecutor(1) as executor:
        list(check.run(executor))
    assert check.verdicts[0].status is Status.ERROR
    assert "run grokscape calibrate test2026.new --module 'my claims.py', and paste" in check.verdicts[0].reason
    assert not list(store.folders())  # refused before anything is trained
    found = calibrated([new], store)[0].found[new.id][0]
    pasted = eval(f"dict({found.text})", {"Calibrated": Calibrated})
    ready = dataclasses.replace(new, criteria=(dataclasses.replace(new.criteria[0], **pasted),))
    check = Check([ready], "quick", store)
    with ThreadPoolExecutor(1) as executor:
        list(check.run(executor))
    assert check.verdicts[0].status is Status.PASS


def test_what_is_trained_is_not_trained_again(store):
    first, _ = calibrated([uncalibrated()], store)
    kept = {folder.name: folder.stat().st_mtime_ns for folder in store.folders()}
    assert len(kept) == 6
    again, updates = calibrated([uncalibrated()], store)
    assert again.found == first.found
    assert not any(update.progress for update in updates)
    assert {folder.name: folder.stat().st_mtime_ns for folder in store.folders()} == kept


def test_a_claim_that_fails_does_not_keep_others_from_being_calibrated(store):
    broken = uncalibrated("broken", measure=lambda records, at: 1 / 0)
    calibration, _ = calibrated([broken, uncalibrated()], store)
    assert list(calibration.found) == ["test2026.new"]
    assert calibration.failed["test2026.broken"].startswith("Measuring: ZeroDivisionError: division by zero (")


def test_what_a_rule_cannot_use_is_told(store):
    def early_only(records, at):
        yield Measurement("size", 1.0, at=0)

    late = uncalibrated(measure=early_only)
    late = dataclasses.replace(late, criteria=(dataclasses.replace(late.criteria[0], rule=Precedes()),))
    (found,) = calibrated([late], store)[0].found[late.id]
    assert (found.calibrated, found.text) == (None, "")
    assert "expected two times per seed" in found.complaint


def test_an_effect_on_the_wrong_side_is_foreseen_to_fail(store):
    (found,) = calibrated([uncalibrated(value=0.5)], store)[0].found["test2026.new"]
    assert found.foreseen is Decision.FALSIFIED


@pytest.mark.parametrize(
    ("changes", "tier", "message"),
    [
        ({"calibration_seeds": ()}, "quick", "has no calibration_seeds; name some that no tier has"),
        ({}, "paper", "has no paper tier; calibrate it at: quick"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(store, changes, tier, message):
    calibration = Calibration([uncalibrated(**changes)], tier, store)
    with ThreadPoolExecutor(1) as executor, pytest.raises(InvalidInput, match=message):
        list(calibration.run(executor))


@pytest.mark.parametrize(
    ("seeds", "words"), [((0, 1, 2), "0-2"), ((4,), "4"), ((0, 1, 7, 9, 8), "0-1, 7-9"), ((5, 0), "0, 5")]
)
def test_seeds_in_words(seeds, words):
    assert seeds_in_words(seeds) == words
