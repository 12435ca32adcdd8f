"""The time that a learner spends at high complexity once it fits, and how it is held against the gap."""

from __future__ import annotations

import numpy as np
import pytest

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.miller2023.time_at_complexity import (
    gap_is_time_at_high_complexity,
    time_at_high_complexity,
)
from grokscape.predictions.verdict import Status
from tests.predictions.made_up import toys
from tests.predictions.made_up.courses import verdict

STEPS = np.arange(0, 201, 2)


def course(run: Experiment, *, fits: float, sheds: float, generalises: float) -> Record:
    """Complexity comes down from 2 to 0.1 at step `sheds`."""
    return toys.record(
        run,
        steps=STEPS,
        train__error=np.where(fits <= STEPS, 0.01, 0.9),
        test__error=np.where(generalises <= STEPS, 0.01, 0.9),
        all__complexity=np.where(sheds <= STEPS, 0.1, 2.0),
    )


@pytest.mark.parametrize(("fits", "sheds", "spent"), [(0, 50, 48), (20, 50, 28), (60, 50, 0), (0, 0, 0)])
def test_time_is_counted_from_fitting_to_the_last_record_of_high_complexity(fits, sheds, spent) -> None:
    run = gap_is_time_at_high_complexity.runs(0, gap_is_time_at_high_complexity.arms("quick")[CLAIM])["0"]
    assert time_at_high_complexity(course(run, fits=fits, sheds=sheds, generalises=90), 0.6) == spent


@pytest.mark.parametrize(
    ("lag", "status"), [(lambda sheds: sheds, Status.PASS), (lambda sheds: 160 - sheds, Status.FAIL)]
)
def test_it_holds_where_generalising_comes_as_complexity_goes(lag, status: Status) -> None:
    def behave(arm: str, seed: int, label: str, run: Experiment) -> Record:
        sheds = 20 + 14 * ((int(label) + seed) % 8) + 2 * (seed % 3)
        return course(run, fits=0, sheds=sheds, generalises=lag(sheds) + 4 * ((seed + int(label)) % 3))

    found = verdict(gap_is_time_at_high_complexity, behave)
    assert found.status is status
    if status is Status.PASS:
        assert {control.outcome for control in found.controls} == {"falsified"}
