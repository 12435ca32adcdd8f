"""The norm at a training loss against logistic regression on one and two points, where it is known."""

from __future__ import annotations

import copy

import matplotlib as mpl
import numpy as np
import pytest
import torch
from torch import nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.efficiency.at_loss import norm_at_loss
from grokscape.landscape.measures.efficiency.per_norm import efficiency
from grokscape.landscape.problem import Problem

mpl.use("Agg")

GRID = np.geomspace(0.5, 8, 13)


def logistic(points, labels, start, dtype=torch.float64):
    """Logits (w.x, 0), so that the loss of label 0 is log(1 + exp(-w.x))."""

    def linear(parameters, inputs):
        z = inputs @ parameters["w"]
        return torch.stack([z, torch.zeros_like(z)], -1)

    data = (torch.tensor(points, dtype=dtype), torch.tensor(labels))
    return Problem(linear, nn.functional.cross_entropy, data, parameters={"w": torch.tensor(start, dtype=dtype)})


def margin_at(loss):
    return -np.log(np.expm1(loss))


@pytest.mark.parametrize("loss", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_point_needs_its_margin_over_its_length(loss, dtype):
    held = logistic([[2.0, 0.0]], [0], [0.3, 0.4], dtype)
    found = norm_at_loss(held, loss, norms=GRID if loss < 0.3 else GRID / 8, steps=1000)
    assert found.rescaled[0] == pytest.approx(
        margin_at(loss) / (2 * 0.6), rel=1e-4 if dtype == torch.float32 else 1e-10
    )
    assert found.optimised[0] == pytest.approx(margin_at(loss) / 2, rel=0.01)  # interpolated on a grid
    assert found.converged.all()


def test_two_points_need_the_norm_of_the_widest_separation():
    # Points (2, 0) and (0, 1) of either class: minimise |(a, -b)| over how the loss is shared.
    # At this minimum the gradient is along w, which must not mislead an optimiser that rescales coordinates.
    held = logistic([[2.0, 0.0], [0.0, 1.0]], [0, 1], [1.0, -0.2])
    loss = 0.05
    share = np.arange(1, 2000) / 2000
    first = -np.log(np.expm1(2 * loss * share))
    second = -np.log(np.expm1(2 * loss * (1 - share)))
    expected = np.hypot(first / 2, second).min()
    found = norm_at_loss(held, loss, norms=np.geomspace(expected / 1.3, expected * 1.3, 8), steps=800)
    assert found.optimised[0] == pytest.approx(expected, rel=2e-3)
    assert held.evaluate(held.start[None] * found.rescaled[0] / found.norm[0])["loss"].item() == pytest.approx(loss)


def test_rescaling_agrees_with_the_definition_of_efficiency_in_a_homogeneous_network():
    held = logistic([[2.0, 0.5], [-1.0, 1.0]], [0, 1], [1.0, -0.2])
    value = efficiency(held, definition="inverse_norm_at_loss", level=0.03).value
    np.testing.assert_allclose(norm_at_loss(held, 0.03).rescaled, 1 / value, rtol=1e-10)


def test_a_norm_outside_of_those_tried_is_said_to_be_so():
    held = logistic([[2.0, 0.0]], [0], [0.3, 0.4])
    needed = margin_at(0.05) / 2
    too_small = norm_at_loss(held, 0.05, norms=[needed / 4, needed / 2], steps=200)
    too_large = norm_at_loss(held, 0.05, norms=[needed * 2, needed * 4], steps=200)
    assert too_small.optimised[0] == np.inf
    assert too_large.optimised[0] == 0


def test_a_network_that_misclassifies_reaches_the_level_only_by_turning():
    held = logistic([[2.0, 0.0]], [0], [-0.3, 0.4])
    found = norm_at_loss(held, 0.05, norms=GRID, steps=800)
    assert np.isnan(found.rescaled[0])
    assert found.optimised[0] == pytest.approx(margin_at(0.05) / 2, rel=0.01)
    with pytest.raises(
        InvalidInput, match=r"training loss of 0\.05 is not reached by any of the networks at any scale"
    ):
        norm_at_loss(held, 0.05)


def test_only_counted_tensors_are_scaled_and_count():
    def sum_of_two(parameters, inputs):
        z = inputs[:, 0] * parameters["a"] + parameters["b"]
        return torch.stack([z, torch.zeros_like(z)], -1)

    start = {"a": torch.tensor([0.5], dtype=torch.float64), "b": torch.tensor([1.0], dtype=torch.float64)}
    data = (torch.tensor([[2.0]]), torch.tensor([0]))
    held = Problem(sum_of_two, nn.functional.cross_entropy, data, parameters=start)
    found = norm_at_loss(held, 0.01, included="a")
    assert found.norm[0] == 0.5
    assert found.rescaled[0] == pytest.approx((margin_at(0.01) - 1) / 2)


def test_progress_ends_at_one_and_the_cost_is_counted(monkeypatch):
    held, told = logistic([[2.0, 0.0]], [0], [0.3, 0.4]), []
    asked, evaluate = [], Problem.evaluate

    def counting(self, params, *split):
        asked.extend(params)
        return evaluate(self, params, *split)

    monkeypatch.setattr(Problem, "evaluate", counting)
    found = norm_at_loss(held, 0.1, norms=[1.0, 2.0], steps=50, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
    assert found.cost.gradients == 2 * 51
    assert found.cost.evaluations == len(asked) > 100


def test_the_model_and_the_random_state_stay_as_they_are():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Linear(2, 2)
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    data = (torch.eye(2), torch.arange(2))
    norm_at_loss(Problem(model, nn.functional.cross_entropy, data), 0.2, norms=[1.0, 3.0], steps=20)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())


def test_the_table_and_the_picture_hold_the_norms():
    held = logistic([[2.0, 0.0]], [0], [0.3, 0.4])
    found = norm_at_loss(held, 0.05, norms=GRID, steps=200)
    frame = found.to_frame()
    assert frame["rescaled"].item() == found.rescaled[0]
    axes = found.plot()
    drawn = [line.get_xdata() for line in axes.get_lines()]
    assert any(len(x) == 1 and x[0] == found.optimised[0] for x in drawn)
    assert any(len(x) == len(GRID) and np.array_equal(x, GRID) for x in drawn)
    mpl.pyplot.close(axes.figure)


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        (0.0, {}, "training loss asked for is 0.0, expected a positive number"),
        (2.0, {}, "training loss asked for is 2.0, but outputs scaled to nothing have loss 0.693"),
        (0.1, {"norms": [2.0, 1.0]}, r"norms are \[2.0, 1.0\], expected at least two ascending positive numbers"),
        (0.1, {"norms": [1.0]}, r"norms are \[1.0\], expected at least two ascending"),
        (0.1, {"params": torch.zeros(3)}, r"params have shape \(3,\), expected \(networks, 2\)"),
    ],
)
def test_what_cannot_be_used_is_named(loss, options, message):
    with pytest.raises(InvalidInput, match=message):
        norm_at_loss(logistic([[2.0, 0.0]], [0], [0.3, 0.4]), loss, **options)
