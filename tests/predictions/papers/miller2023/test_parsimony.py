"""What learners shed between fitting and generalising, and the portrait of all of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.miller2023 import parsimony as parsimony
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import verdict

STEPS = np.arange(0, 101, 10)


def learner(run: Experiment, *, sheds: float, generalises: bool, noise: float = 0.0) -> Record:
    """Fit at step 20 and generalise at step 60; complexity falls evenly, by `sheds` between the two."""
    error = {"train": np.where(STEPS >= 20, 0.0, 0.5), "test": np.where((STEPS >= 60) & generalises, 0.01, 0.5)}
    charged = 10 - sheds * STEPS / 40 + noise
    rows = [(step, split, "error", value) for split in error for step, value in zip(STEPS, error[split], strict=True)]
    # Networks have accuracies and a norm in place of errors and complexity.
    rows += [(step, split, "accuracy", 1 - value) for step, split, _, value in rows]
    rows += [(step, "", "complexity", value) for step, value in zip(STEPS, charged, strict=True)]
    examples = getattr(run, "n_train", 1)
    norms = np.sqrt(2 * examples * charged)
    rows += [(step, "", "weight_norm", value) for step, value in zip(STEPS, norms, strict=True)]
    table = pd.DataFrame(rows, columns=["step", "split", "quantity", "value"])
    return Record(run, table, {"last_step": 100}, lambda step: {})


@pytest.mark.parametrize(("sheds", "status"), [(1.0, Status.PASS), (-1.0, Status.FAIL)])
@pytest.mark.parametrize("claim", [parsimony.parsimony, parsimony.parsimony_of_networks])
def test_it_holds_if_complexity_falls_and_fails_if_it_rises(claim, sheds: float, status: Status) -> None:
    def behave(arm: str, seed: int, label: str, run: Experiment) -> Record:
        return learner(run, sheds=sheds * (1 + 0.01 * (seed % 7)), generalises=arm == CLAIM, noise=0.01 * (seed % 5))

    found = verdict(claim, behave)
    assert found.status is status
    assert {control.outcome for control in found.controls} == {"falsified"}


def test_what_is_shed_is_the_difference_between_two_stations() -> None:
    at = parsimony.parsimony.arms("quick")[CLAIM]
    runs = parsimony.learners(0, at)
    assert set(runs) == {*parsimony.BEYOND, *parsimony.NETWORKS}
    records = {name: learner(run, sheds=0.7, generalises=True) for name, run in runs.items()}
    found = {m.quantity: m.value for m in parsimony.complexity_shed_and_errors(records, at) if m.at is None}
    for name in runs:
        assert found[f"complexity shed from fitting to generalising, {name}"] == pytest.approx(0.7)
        assert found[f"steps to fit, {name}"] == 20
        assert found[f"steps to generalise, {name}"] == 60


def test_the_portrait_asks_for_nothing_that_is_not_measured() -> None:
    at = parsimony.parsimony.arms("quick")[CLAIM]
    records = {n: learner(run, sheds=0.7, generalises=True) for n, run in parsimony.learners(0, at).items()}
    measured = {m.quantity for m in parsimony.complexity_shed_and_errors(records, at)}
    for portrait in parsimony.parsimony.portraits:
        for trajectory in portrait.trajectories:
            assert {trajectory.x, trajectory.y, *(quantity for _, quantity in trajectory.marks)} <= measured
