"""Catches steps that are not gradient descent's, and courses that random matrices do not expect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.grokking import complexity, error
from grokscape.landscape.learners.linear_teacher import LinearTeacher
from grokscape.landscape.records.record import Record
from grokscape.landscape.theory import marchenko_pastur as mp
from grokscape.landscape.training.schedule import Schedule
from tests.landscape.helpers import assert_same_bits, train, train_alone


def record(learner: LinearTeacher) -> Record:
    outcome = train_alone(learner)
    return Record(learner, outcome.trajectory, outcome.info, lambda _: {})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"outputs": 3, "weight_decay": 0.1},
        {"n_train": 7, "weight_decay": 0.2},
        {"n_train": 7, "start_scale": 3.0},
        {"quickens": 5.0, "quickens_at": 11},
    ],
)
def test_the_last_step_is_that_of_gradient_descent(changes: dict[str, Any]) -> None:
    learner = LinearTeacher(seed=3, **({"inputs": 10, "n_train": 15, "steps": 40, "threshold": 0.3} | changes))
    examples, teacher = torch.tensor(learner.examples()), torch.tensor(learner.teacher())
    student = torch.tensor(learner.student(), requires_grad=True)
    for step in range(40):
        loss = (examples @ (student - teacher)).square().mean()
        penalty = learner.weight_decay / 2 * student.square().sum() / learner.outputs
        (slope,) = torch.autograd.grad(loss + penalty, student)
        pace = learner.quickens if step >= learner.quickens_at else 1.0
        student = (student - pace * learner.lr * slope).detach().requires_grad_()
    apart = (student - teacher).detach()
    residual, course = examples @ apart, record(learner)
    last = {key: course.series(*key).iloc[-1] for key in (("loss", "train"), ("loss", "test"), ("accuracy", "train"))}
    assert last["loss", "train"] == pytest.approx(residual.square().mean().item(), rel=1e-10)
    assert last["loss", "test"] == pytest.approx(apart.square().sum().item() / learner.outputs, rel=1e-10)
    right = (residual.square().mean(1) <= learner.threshold).double().mean().item()
    assert last["accuracy", "train"] == pytest.approx(right)
    mean_square = (examples @ teacher).square().mean().item()
    assert error(course, "train").iloc[-1] == pytest.approx(residual.square().mean().item() / mean_square)
    charge = student.square().sum().item() * learner.inputs * learner.outputs / learner.n_train
    assert complexity(course).iloc[-1] == pytest.approx(charge)


@pytest.mark.parametrize("n_train", [600, 200])
def test_a_large_student_does_what_random_matrices_expect(n_train: int) -> None:
    learner = LinearTeacher(seed=0, inputs=300, n_train=n_train, lr=1e-3, steps=3000)
    course = record(learner)
    steps = course.series("loss", "test").index.to_numpy()
    expected = mp.losses(learner.lr * steps, learner.ratio)
    for split, loss in zip(("train", "test"), expected, strict=True):
        found = course.series("loss", split).to_numpy()
        assert np.abs(np.log(found / loss)).max() < 0.4
        share = mp.accuracy(found, learner.threshold)
        assert np.abs(course.series("accuracy", split).to_numpy() - share).max() < 0.07


@pytest.mark.parametrize("n_train", [1200, 667, 400])
def test_averaged_over_many_teachers_losses_are_the_expected_ones_to_a_twentieth(n_train: int) -> None:
    """One teacher's losses scatter; two hundred outputs are as many teachers of one output, on the same examples."""
    learner = LinearTeacher(seed=0, inputs=600, n_train=n_train, outputs=200, n_test=10, lr=0.2, steps=10_000)
    course = record(learner)
    steps = course.series("loss", "test").index.to_numpy()
    # The mean over outputs slows each of them, and divides among them what one output has.
    for split, expected in zip(("train", "test"), mp.losses(learner.lr / 200 * steps, learner.ratio), strict=True):
        ratio = 200 * course.series("loss", split).to_numpy() / expected
        assert np.abs(ratio[expected > 1e-3] - 1).max() < 0.05


def test_decay_leaves_what_it_should_and_the_null_space_stays_without() -> None:
    decayed = record(LinearTeacher(seed=1, inputs=200, n_train=400, weight_decay=1e-3, steps=10**7))
    left = mp.decayed_losses(1e-3, 0.5)
    assert decayed.final("loss", "train") == pytest.approx(left[0], rel=0.3)
    assert decayed.final("loss", "test") == pytest.approx(left[1], rel=0.4)
    free = record(LinearTeacher(seed=1, inputs=200, n_train=100, steps=10**7))
    assert free.final("loss", "train") < 1e-20
    assert free.final("loss", "test") == pytest.approx(0.5, rel=0.25)


def test_the_batch_changes_nothing() -> None:
    learners = [LinearTeacher(seed=seed, inputs=20, n_train=30, steps=50, outputs=2) for seed in (0, 1)]
    together = train(learners)
    for learner in learners:
        assert_same_bits(together[learner.identity], train_alone(learner))


def test_schedule_is_kept() -> None:
    learner = LinearTeacher(seed=0, inputs=5, n_train=9, steps=30, record=Schedule(per_decade=2, every=7))
    assert record(learner).series("complexity").index.tolist() == learner.record.steps(30)


@pytest.mark.parametrize(
    ("field", "value"), [("lr", 0.5), ("threshold", 0.0), ("inputs", 0), ("weight_decay", -1.0), ("quickens", 100.0)]
)
def test_what_makes_no_sense_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput, match="lr" if field == "quickens" else field):
        LinearTeacher(seed=0, **{field: value})
