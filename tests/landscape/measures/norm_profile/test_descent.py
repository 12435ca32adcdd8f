"""When a network on a sphere counts as at rest, in closed form."""

import numpy as np
import pytest
import torch

from grokscape.landscape.measures.norm_profile.descent import _changes
from grokscape.landscape.measures.norm_profile.on_sphere import minimise_at_norm
from grokscape.landscape.measures.norm_profile.sphere import Sphere
from tests.landscape.measures.teacher_student import teacher_student


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("steps", [200, 2000])
def test_a_loss_that_falls_as_a_power_of_time_changes_by_a_tenth_of_the_power_over_the_last_fifth(power, steps):
    times = np.arange(1, 2001.0)
    (change,) = _changes(times[:, None] ** -power, np.array([steps]))  # what comes after the last step does not count
    halves = [np.mean(times[int(steps * a) : int(steps * b)] ** -power) for a, b in ((0.8, 0.9), (0.9, 1.0))]
    assert change == pytest.approx(halves[1] / halves[0] - 1)
    assert change == pytest.approx(-power / 10, rel=0.1)


def test_a_falling_loss_counts_as_at_rest_only_from_the_floor_on():
    problem = teacher_student(width=10)
    start, options = problem.start[None], {"steps": 50, "stop_loss": 0.0, "tolerance": 1e-6}
    loss = minimise_at_norm(problem, start, [2.0], **options).end["train", "loss"][0]
    for share, rest in ((0.99, False), (1.01, True)):
        assert minimise_at_norm(problem, start, [2.0], zero_loss=share * loss, **options).converged[0] == rest


def test_constant_parameters_have_no_part_in_what_the_constraints_leave():
    problem = teacher_student(width=10)
    name = problem.layout.names[0]
    span = problem.layout.slices()[name]
    params, gradient = problem.start[None], torch.ones_like(problem.start[None])
    along = Sphere(problem, frozen=name).tangent(params, gradient)
    assert not along[:, span].any()
    free = torch.cat([params[:, : span.start], params[:, span.stop :]], 1)
    left = 1 - free * free.sum() / free.square().sum()
    torch.testing.assert_close(torch.cat([along[:, : span.start], along[:, span.stop :]], 1), left)
