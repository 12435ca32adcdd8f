"""Catches readers of records that take the wrong rows, or the wrong stretch of the end."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.errors import NotMeasured, UnknownQuantity
from grokscape.landscape.experiment import COLUMNS
from grokscape.landscape.fits.crossing import Crossing
from grokscape.landscape.learners import EmbeddingDecoder, LaplaceClassification  # noqa: F401 - what others record
from grokscape.landscape.records.record import Record
from tests.landscape.helpers import small_run

STEPS = [0, 1, 10, 50, 80, 90, 95, 100]
LOSSES = [4.0, 3.5, 3.0, 2.0, 1.5, 1.0, 9.0, 0.5]


@pytest.fixture
def record() -> Record:
    rows = [(step, "test", "loss", loss) for step, loss in zip(STEPS, LOSSES, strict=True)]
    rows += [(step, "train", "loss", -loss) for step, loss in zip(STEPS, LOSSES, strict=True)]
    rows += [(step, "", "weight_norm", 2.0) for step in STEPS]
    trajectory = pd.DataFrame(rows, columns=list(COLUMNS))
    return Record(small_run(), trajectory, {"last_step": 100}, lambda step: {"w": np.array([step])})


def test_series_is_one_quantity_on_one_split(record: Record) -> None:
    series = record.series("loss", "test")
    assert series.index.tolist() == STEPS
    assert series.tolist() == LOSSES
    assert record.series("loss", "train").tolist() == [-loss for loss in LOSSES]
    assert record.series("weight_norm").tolist() == [2.0] * len(STEPS)


def test_what_a_learner_of_another_kind_records_is_not_measured(record: Record) -> None:
    with pytest.raises(NotMeasured, match=r"^a record of Run has no 'accuracy' on split 'test', only loss$"):
        record.series("accuracy", "test")
    with pytest.raises(NotMeasured, match=r"^a record of Run has no 'quality', only weight_norm$"):
        record.series("quality")
    with pytest.raises(NotMeasured, match="no 'lengthscale 7', only"):
        record.series("lengthscale 7")


@pytest.mark.parametrize(
    ("quantity", "split", "message"),
    [
        ("weightnorm", "", "no learner records a quantity 'weightnorm'; a record of Run has 'weight_norm' (1 more)"),
        ("accuracy", "tets", "no learner records a quantity 'accuracy' on split 'tets'; a record of Run has"),
        ("loss", "", "a record of Run has no 'loss' without split, but has it on split 'test' and 'train'; name one"),
        ("weight_norm", "test", "no 'weight_norm' on split 'test', but has it without split; name none"),
        (3, "", "no learner records a quantity 3; a record of Run has"),
        (["loss"], "test", "no learner records a quantity ['loss'] on split 'test'"),
    ],
)
def test_what_nobody_records_is_an_error_of_whoever_asks(record: Record, quantity, split, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UnknownQuantity) as refusal:
        record.series(quantity, split)
    assert message in str(refusal.value)


def test_final_is_the_median_of_the_last_steps(record: Record) -> None:
    # The last tenth of the steps holds 1.0, a spike of 9.0, and 0.5.
    assert record.final("loss", "test") == 1.0
    assert record.final("loss", "test", share=0.0) == 0.5
    assert record.final("loss", "test", share=0.2) == 1.25


def test_drift_is_the_relative_change_over_the_last_steps(record: Record) -> None:
    assert record.drift("loss", "test") == pytest.approx((1.5 - 0.5) / 0.5)
    assert record.drift("loss", "train", share=0.5) == pytest.approx((2.0 - 0.5) / 0.5)
    assert record.drift("weight_norm") == 0


def test_crossing_is_that_of_the_series(record: Record) -> None:
    assert record.crossing("loss", "test", below=2.0) == Crossing(50, False)
    assert record.crossing("loss", "test", above=10.0) == Crossing(100, True)


def test_weights_are_the_last_unless_asked(record: Record) -> None:
    assert record.weights()["w"] == [100]
    assert record.weights(50)["w"] == [50]
