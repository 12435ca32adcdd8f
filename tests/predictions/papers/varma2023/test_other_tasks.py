"""Ungrokking on other tasks: which tasks, what counts as ungrokking, and how the claim can come out."""

from __future__ import annotations

import pytest

from grokscape.landscape.tasks import BinaryOperation
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.varma2023.other_tasks import (
    all_tasks,
    four_tasks,
    name,
    other_tasks,
    tasks_that_ungrok,
    ungroks,
)
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.steps import trained, verdict

ID = "varma2023.other_tasks"


def test_tasks_are_what_they_are_called():
    assert [name(task) for task in four_tasks(37)] == ["x-y", "x*y", "x^2+y^2", "xy in S4"]
    names = [name(task) for task in all_tasks(113)]
    assert len(set(names)) == 11
    assert "x+y" not in names
    assert names[-3:] == ["xy in S5", "xyx^-1 in S5", "xyx in S5"]


@pytest.mark.parametrize(
    ("least", "most", "expected"), [(0.1, 1.0, True), (0.6, 1.0, False), (0.1, 0.5, False), (1.0, 1.0, False)]
)
def test_ungroks(least, most, expected):
    assert ungroks(least, most, chance=0.1) is expected


def losing(count):
    """The first `count` tasks lose their rule on the least data under weight decay; all keep it on the others."""
    lost = [name(task) for task in four_tasks(37)][:count]

    def behave(arm, seed, run):
        least = run.n_train < 0.2 * run.task.size
        loses = least and name(run.task) in lost and run.optimiser.weight_decay > 0
        return trained(run, test=0.0 if loses else 1.0)

    return behave


@pytest.mark.parametrize(("count", "status"), [(4, Status.PASS), (3, Status.PASS), (2, Status.FAIL), (0, Status.FAIL)])
def test_other_tasks(count, status):
    found = verdict(ID, losing(count))
    assert found.status is status
    assert found.criteria[0].estimate == count / 4
    assert found.controls[0].outcome == "falsified"


def test_a_network_that_keeps_nothing_anywhere_does_not_ungrok():
    assert verdict(ID, lambda arm, seed, run: trained(run, test=0.0)).status is Status.FAIL


def test_the_optimiser_alone_must_not_ungrok():
    assert verdict(ID, lambda arm, seed, run: losing_anyway(run)).status is Status.INVALID


def losing_anyway(run):
    return trained(run, test=0.0 if run.n_train < 0.2 * run.task.size else 1.0)


def test_the_control_differs_only_on_the_least_data():
    arms = {arm: other_tasks.runs(0, at) for arm, at in other_tasks.arms("quick").items()}
    claim, control = arms[CLAIM], arms["no weight decay on the least data"]
    changed = [label for label in claim if claim[label] != control[label]]
    assert changed == [f"{name(task)}/0.1" for task in four_tasks(37)]
    assert all(control[label].optimiser.weight_decay == 0 and control[label].optimiser.eps >= 1e-4 for label in changed)
    assert all(run.start.n_train == run.task.size for run in control.values())


def test_accuracies_are_measured_by_task_and_share():
    at = other_tasks.arms("quick")[CLAIM]
    records = {label: trained(run, test=run.n_train / run.task.size) for label, run in other_tasks.runs(0, at).items()}
    found = {(m.quantity, m.at): m.value for m in tasks_that_ungrok(records, at)}
    task = BinaryOperation(operation="x*y", p=37)
    assert [found["x*y", f] for f in (0.1, 0.3, 0.7)] == pytest.approx(
        [task.n_train(f) / 1369 for f in (0.1, 0.3, 0.7)]
    )
    assert found["share of the tasks that ungrok", None] == 0.0
