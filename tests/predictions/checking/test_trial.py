"""Catches a trial that condemns what real numbers would acquit, and made-up records that are no records."""

from __future__ import annotations

import time

import pandas as pd
import pytest

from grokscape.landscape.errors import NotMeasured, Unavailable
from grokscape.landscape.experiment import COLUMNS
from grokscape.landscape.learners import EmbeddingDecoder
from grokscape.landscape.surveys import ReducedLandscape
from grokscape.predictions.checking import pending
from grokscape.predictions.checking.made_up import STORIES, MadeUpRecord
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.checking.registry import load
from grokscape.predictions.checking.trial import TrialError, refuse_untried
from grokscape.predictions.evidence import Measurement
from grokscape.predictions.terms import Control, Tier
from tests.landscape.helpers import small_run
from tests.predictions.made_up.claims import claim, runs

TIERS = {"quick": Tier((10, 11), {"value": 1.0, "fails": False})}


def of_networks(measure, **changes):
    """A claim about small networks."""
    fields = {
        "runs": lambda seed, at: {"only": small_run(seed=seed, steps=int(20 * (1 + at.value)))},
        "measure": measure,
        "tiers": TIERS,
    }
    return claim(**(fields | changes))


@pytest.mark.parametrize("story", STORIES)
def test_a_made_up_record_is_one_of_its_experiment(story):
    run = small_run()
    record = MadeUpRecord(run, story)
    assert list(record.trajectory.columns) == list(COLUMNS)
    assert record.series("loss", "train").index.tolist() == run.record.steps(run.steps)
    again = record.trajectory.query("quantity == 'margin' and split == 'test'").set_index("step")["value"]
    pd.testing.assert_series_equal(again, record.series("margin", "test"))
    assert (record.series("weight_norm/hidden.weight") > 0).all()
    assert record.final("accuracy", "train") > 0.95
    assert (record.final("accuracy", "test") > 0.9) == (story.generalises < 1)
    with pytest.raises(NotMeasured):
        record.series(EmbeddingDecoder.quantities[""][0])
    with pytest.raises(Unavailable, match="have no weights"):
        record.weights()


def test_of_what_nothing_is_declared_nothing_is_made_up():
    experiment = next(iter(runs(0, claim().arms("quick")["claim"]).values()))
    with pytest.raises(Unavailable, match="nothing says what a record of Constant looks like"):
        MadeUpRecord(experiment)
    with pytest.raises(Unavailable, match="nothing says"):  # a grid of norms and sizes is no course of training
        MadeUpRecord(object.__new__(ReducedLandscape))


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, IndexError, ArithmeticError, AssertionError])
def test_what_numbers_may_have_caused_waits_for_real_ones(error):
    def measure(records, at):
        if records["only"].final("loss", "test") < 1e9:
            raise error("this never happens")
        yield Measurement("size", 1.0)

    Pending.of(of_networks(measure), "quick")


def test_a_measure_that_copes_with_one_story_is_acquitted():
    """Only learners that never generalise have what it looks up: a dictionary of those is no mistake."""

    def measure(records, at):
        names = {True: "size"} if records["only"].final("accuracy", "test") < 0.5 else {}
        yield Measurement(names[True], 1.0)

    Pending.of(of_networks(measure), "quick")


def test_weights_are_not_made_up_and_what_needs_them_is_not_tried():
    def measure(records, at):
        records["only"].weights()
        yield Measurement("misspelt", 1.0)

    Pending.of(of_networks(measure), "quick")


def test_what_is_asked_for_later_is_tried_too():
    def refine(seed, at, records):
        return {"more": small_run(seed=seed, steps=50)}

    def measure(records, at):
        yield Measurement("size", records["more"].final("weight_norm"))
        yield Measurement("size of another", records["mroe"].final("weight_norm"))

    with pytest.raises(TrialError, match=r"KeyError: 'mroe' \(test_trial.py:\d+, seed 10"):
        Pending.of(of_networks(measure, refine=refine, rounds=1), "quick")


def test_a_control_that_changes_something_read_and_something_not_is_one():
    def measure(records, at):
        yield Measurement("size", records["only"].final("weight_norm"))

    control = Control("other", {"value": 2.0, "left over": 3}, "a test")
    Pending.of(of_networks(measure, controls=(control,)), "quick")


def test_no_built_in_claim_is_refused_and_all_are_tried_in_a_moment(monkeypatch):
    monkeypatch.setattr(pending, "refuse_untried", lambda item: None)
    asked = []
    for known in load().claims.values():
        if "quick" in known.tiers:
            try:
                asked.append(Pending.of(known, "quick"))
            except Unavailable:
                continue
    began = time.process_time()
    for item in asked:
        refuse_untried(item)
    assert len(asked) > 100
    assert time.process_time() - began < 6.0  # 1.3 s on the machine that this was written on
