"""Adam in NumPy against PyTorch's, and the table that a course of training fills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from grokscape.landscape.learners.course import Course, adam


@dataclass
class Bowl:
    place: np.ndarray

    @property
    def gradient(self) -> np.ndarray:
        return np.array([4.0, 0.5, 1e-3]) * self.place**3 + 0.1


def test_adam_takes_the_steps_of_pytorch() -> None:
    start = np.array([1.0, -2.0, 3.0])
    found = [bowl.place for _, bowl in adam(Bowl, start, 0.05, 200)]
    place = torch.tensor(start, requires_grad=True)
    optimiser = torch.optim.Adam([place], lr=0.05)
    for step in range(201):
        assert found[step] == pytest.approx(place.detach().numpy(), rel=1e-10, abs=1e-12)
        place.grad = torch.from_numpy(Bowl(place.detach().numpy().copy()).gradient)
        optimiser.step()
    assert len(found) == 201
    assert start.tolist() == [1.0, -2.0, 3.0]


def test_a_course_is_a_tidy_table_with_its_last_weights() -> None:
    course = Course()
    course.note(0, {("train", "loss"): 2.0, ("", "complexity"): np.float64(1.0)})
    course.note(3, {("train", "loss"): 1.0})
    outcome = course.outcome(3, {"w": np.array(1.0)})
    assert outcome.trajectory.to_numpy().tolist() == [
        [0, "train", "loss", 2.0],
        [0, "", "complexity", 1.0],
        [3, "train", "loss", 1.0],
    ]
    assert outcome.info["last_step"] == 3
    assert outcome.weights[3]["w"] == 1.0
