"""Catches a teacher that changes with anything but the seed, and regressions that the trainer takes for classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.models import Dense
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.tasks import TeacherStudent
from tests.landscape.helpers import last_weights, small_run, train_alone

TASK = TeacherStudent(examples=60, widths=(8, 8), within=0.01)
STUDENT = {"task": TASK, "model": Dense(widths=(8, 8), activation="tanh"), "loss": "mse", "n_train": 40}


def test_every_seed_has_a_teacher_of_its_own_and_the_same_inputs() -> None:
    assert TASK.inputs.shape == (60, 5)
    assert torch.equal(TASK.labels, TASK.labels_of(0))
    assert torch.equal(TASK.labels_of(3), TeacherStudent(examples=60, widths=(8, 8)).labels_of(3))
    assert not torch.allclose(TASK.labels_of(3), TASK.labels_of(4))
    # More examples leave the first ones, and what they are given, as they were.
    more = TeacherStudent(examples=90, widths=(8, 8))
    assert torch.equal(more.inputs[:60], TASK.inputs)
    assert torch.allclose(more.labels_of(3)[:60], TASK.labels_of(3), rtol=1e-12)


def test_a_student_with_the_teachers_weights_is_right_about_everything() -> None:
    """The teacher is a `Dense` network at scale 1: a student of its shape can be the teacher."""
    wide = TeacherStudent(examples=2000, widths=(50, 50))
    network = Dense(widths=(50, 50), activation="tanh").build(wide).double()
    spreads = []
    for seed in range(20):
        network.initialise(seed=seed)
        spreads.append((network(wide.inputs).std().item(), wide.labels_of(seed).std().item()))
    student, teacher = np.mean(spreads, axis=0)
    assert student == pytest.approx(teacher, rel=0.1)


def test_shuffled_values_are_those_of_other_inputs() -> None:
    shuffled = TASK.random_labels(seed=3)
    assert shuffled.shape == TASK.labels.shape
    assert not torch.allclose(shuffled, TASK.labels_of(3))
    assert torch.equal(shuffled.sort(0).values, TASK.labels_of(3).sort(0).values)


def test_a_trained_student_is_measured_against_its_own_teacher() -> None:
    run = small_run(**STUDENT, seed=3, steps=300, optimiser=AdamW(lr=1e-2, weight_decay=0.0))
    outcome = train_alone(run)
    network = run.model.build(TASK)
    network.load_state_dict({k: torch.from_numpy(v) for k, v in last_weights(outcome).items()})
    errors = (network.double()(TASK.inputs) - TASK.labels_of(3)).square().mean(1).detach()
    rows = outcome.trajectory.set_index(["step", "split", "quantity"])["value"]
    split = TASK.split(40, seed=3)
    for name, chosen in (("train", split.train), ("test", split.test)):
        assert rows[300, name, "loss"] == pytest.approx(errors[chosen].mean().item(), rel=1e-4)
        assert rows[300, name, "accuracy"] == pytest.approx((errors[chosen] < 0.01).double().mean().item())
    assert rows[300, "train", "loss"] < 0.1 * rows[0, "train", "loss"]
    assert ("train", "margin") not in set(zip(outcome.trajectory["split"], outcome.trajectory["quantity"], strict=True))


def test_classes_are_not_asked_of_values() -> None:
    with pytest.raises(InvalidInput, match=r"Run\.loss is 'cross_entropy', expected 'mse'; the labels of"):
        small_run(**STUDENT | {"loss": "cross_entropy"})
    for field in ("features", "outputs", "examples", "within"):
        with pytest.raises(InvalidInput, match=rf"TeacherStudent\.{field}"):
            TeacherStudent(**{field: 0})
