"""Trained paths: around known barriers, between trained networks, on a sphere; and the geometry of curves."""

from __future__ import annotations

import copy
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.paths.bent import low_loss_path
from grokscape.landscape.measures.paths.curves import Curve
from grokscape.landscape.measures.paths.straight import interpolate
from grokscape.landscape.optimisers import SGD
from grokscape.landscape.problem import Problem
from tests.landscape.measures.paths.test_straight import A, B, landscape, trained

mpl.use("Agg")


def ring(w: Tensor) -> Tensor:
    """A double well on the line from (-1, 0) to (1, 0), whose valley runs around the unit circle."""
    return (w.square().sum() - 1) ** 2


@pytest.mark.parametrize(("kind", "bends"), [("bezier", 1), ("bezier", 3), ("chain", 3)])
def test_the_path_goes_round_the_barrier_of_a_ring(kind: Any, bends: int) -> None:
    problem = landscape(ring)
    assert interpolate(problem, A, B).barrier == 1.0
    found = low_loss_path(problem, A, B, bends=bends, curve=kind, steps=400)
    assert found.barrier <= found.barrier_bound < 0.1
    assert found.converged
    assert found.settled
    assert not found.rigorous
    assert found.pivots.shape == (bends + 2, 2)
    assert np.array_equal(found.pivots[[0, -1]], [A, B])
    assert 2.9 < found.length < 3.3
    assert found.distance == 2.0
    dense = torch.from_numpy(found.params(np.linspace(0, 1, 20001)))
    assert found.barrier - 1e-12 <= float(((dense.square().sum(1) - 1) ** 2).max()) <= found.barrier_bound + 1e-12
    assert found.history.shape == (400,)
    assert found.cost.gradients == 400 * 4 + len(found.t) + (bends if kind == "chain" else 0)
    assert found.cost.evaluations == 48 + found.cost.matvecs


def test_a_fixed_norm_keeps_the_path_on_the_sphere() -> None:
    def bump(w: Tensor) -> Tensor:  # on the unit sphere, high near the north pole, over which the great circle leads
        return torch.exp(-4 * (w - w.new_tensor([0.0, 0.0, 1.0])).square().sum())

    a, b = np.array([-0.6, 0.0, 0.8]), np.array([0.6, 0.0, 0.8])
    problem = landscape(bump, 3)
    found = low_loss_path(problem, a, b, bends=3, steps=300, fixed_norm=1.0)
    np.testing.assert_allclose(np.linalg.norm(found.params(), axis=1), 1, rtol=1e-12)
    assert found.barrier_bound < 0.02
    assert interpolate(problem, a, b).barrier > 0.5
    free = low_loss_path(problem, a, b, bends=3, steps=300)
    assert np.abs(np.linalg.norm(free.params(), axis=1) - 1).max() > 0.05


def test_between_two_trained_networks_it_lies_far_below_the_straight_line() -> None:
    (a, inputs, targets), (b, _, _) = trained(0), trained(1)
    problem = Problem(a, F.cross_entropy, (inputs, targets))
    straight = interpolate(problem, a, b, tolerance=0.05)
    found = low_loss_path(problem, a, b, steps=300, optimiser=SGD(lr=0.5, momentum=0.9))
    assert straight.barrier > 0.1
    assert found.barrier_bound < 0.2 * straight.barrier
    assert found.length > found.distance
    assert found.mean_loss[2] < 0.2 * found.mean_loss[0]
    assert found.history[-30:].mean() == pytest.approx(found.mean_loss[2], rel=0.05)


def test_one_seed_gives_the_same_bits_and_another_the_other_side() -> None:
    problem = landscape(ring)
    one, same, other = (low_loss_path(problem, A, B, steps=100, seed=s) for s in (0, 0, 1))
    assert np.array_equal(one.pivots, same.pivots)
    assert np.array_equal(one.train_loss, same.train_loss)
    assert not np.array_equal(one.pivots, other.pivots)


def test_float32_follows_float64() -> None:
    single, double = (low_loss_path(landscape(ring, dtype=d), A, B, steps=200) for d in (torch.float32, torch.float64))
    assert single.pivots.dtype == np.float32
    np.testing.assert_allclose(single.pivots, double.pivots, atol=1e-2)
    assert single.barrier == pytest.approx(double.barrier, abs=0.01)
    assert single.converged


def test_a_path_downhill_is_non_increasing() -> None:
    # The valley around the circle falls from (1, 0) to (-1, 0); the straight line climbs over its middle.
    problem = landscape(lambda w: 4 * ring(w) + w[0])
    straight = interpolate(problem, B, A)
    found = low_loss_path(problem, B, A, bends=3, steps=600)
    assert not straight.non_increasing
    assert straight.largest_rise > 1
    assert found.largest_rise < 0.05
    assert found.largest_rise == pytest.approx(
        max((found.train_loss[i:] - loss).max() for i, loss in enumerate(found.train_loss)), abs=1e-15
    )


def test_too_few_steps_are_not_called_settled() -> None:
    assert not low_loss_path(landscape(ring), A, B, steps=2).settled
    assert not low_loss_path(landscape(ring), A, B, steps=60, optimiser=SGD(lr=0.02)).settled


@pytest.mark.parametrize(("kind", "norm"), [("bezier", None), ("chain", None), ("bezier", 2.0), ("chain", 2.0)])
def test_derivatives_of_curves_are_those_of_finite_differences(kind: Any, norm: float | None) -> None:
    pivots = torch.randn(5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    curve = Curve(pivots, kind, norm)
    times = torch.tensor([0.0, 0.1, 0.3, 0.55, 0.9, 1.0], dtype=torch.float64)
    piece, step = curve.piece(times), 1e-4
    speed, bend = curve.motion(times, piece)
    before, here, after = (curve.params(times + shift, piece) for shift in (-step, 0, step))
    torch.testing.assert_close(speed, (after - before) / (2 * step), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(bend, (after - 2 * here + before) / step**2, rtol=1e-4, atol=1e-4)


def test_a_bezier_curve_is_the_bernstein_sum_and_a_chain_meets_its_knots() -> None:
    pivots = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    t = torch.linspace(0, 1, 9, dtype=torch.float64)[:, None]
    expected = (1 - t) ** 2 * pivots[0] + 2 * t * (1 - t) * pivots[1] + t**2 * pivots[2]
    torch.testing.assert_close(Curve(pivots, "bezier").params(t[:, 0]), expected)
    chain = Curve(pivots, "chain")
    torch.testing.assert_close(chain.params(t[::4, 0]), pivots)
    assert chain.length(t[:, 0]) == pytest.approx(float(pivots.diff(dim=0).norm(dim=1).sum()), rel=1e-12)


def test_progress_picture_and_frame() -> None:
    shares: list[float] = []
    found = low_loss_path(landscape(ring), A, B, steps=20, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert found.plot().get_xlabel() == "share of the path, t"
    plt.close("all")
    assert set(found.to_frame()["split"]) == {"train"}


def test_the_models_given_and_the_global_random_state_stay() -> None:
    (a, inputs, targets), (b, _, _) = trained(0, steps=3), trained(1, steps=3)
    a.train().zero_grad()
    before, state = copy.deepcopy((a.state_dict(), b.state_dict())), torch.get_rng_state()
    low_loss_path(Problem(a, F.cross_entropy, (inputs, targets)), a, b, steps=3, points=5)
    for model, kept in zip((a, b), before, strict=True):
        assert all(torch.equal(kept[name], value) for name, value in model.state_dict().items())
    assert a.training
    assert all(p.grad is None for p in a.parameters())
    assert torch.equal(state, torch.get_rng_state())


def test_frozen_and_empty_parameters_take_no_part() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)).double()
    model[0].requires_grad_(False)
    model.register_parameter("empty", nn.Parameter(torch.empty(0, 2).double()))
    data = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    problem = Problem(model, F.mse_loss, (data, data[:, :1]))
    found = low_loss_path(problem, problem.start, -problem.start, steps=3, points=5)
    assert found.pivots.shape == (3, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"curve": "spline"}, "curve is 'spline', expected 'bezier' or 'chain'"),
        ({"bends": 0}, "bends is 0, expected at least 1"),
        ({"steps": 0}, "steps is 0, expected at least 1"),
        ({"samples": 0}, "samples is 0, expected at least 1"),
        ({"b": A}, "a and b are the same network"),
        ({"fixed_norm": 2.0}, "fixed_norm is 2, but a has norm 1; expected both ends at that norm"),
        ({"optimiser": SGD(lr=1e6)}, r"the loss on the path is (inf|nan) at step \d+; give a smaller lr"),
        ({"points": 1}, "points is 1, expected at least 3"),
    ],
)
def test_refusals_name_the_field(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        low_loss_path(landscape(ring), **({"a": A, "b": B, "steps": 20} | options))
