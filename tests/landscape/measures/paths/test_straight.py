"""Straight paths: barriers in closed form, how often their upper bounds hold, and permuted networks."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.paths.barriers import highest
from grokscape.landscape.measures.paths.straight import interpolate
from grokscape.landscape.problem import Problem

mpl.use("Agg")

A, B = np.array([-1.0, 0.0]), np.array([1.0, 0.0])


def landscape(function: Callable[[Tensor], Tensor], size: int = 2, dtype: torch.dtype = torch.float64) -> Problem:
    """Return a problem whose loss is a function of its parameters alone."""
    data = torch.zeros(1, 1), torch.zeros(1, 1)
    start = {"w": torch.ones(size, dtype=dtype)}
    return Problem(lambda p, x: function(p["w"]).expand(len(x)), lambda out, _: out, data, parameters=start)


def well(w: Tensor) -> Tensor:
    return (w[0] ** 2 - 1) ** 2 + w[1] ** 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_barrier_of_a_double_well_is_one_at_the_middle(dtype: torch.dtype) -> None:
    found = interpolate(landscape(well, dtype=dtype), A, B)
    assert (found.barrier, found.plain_barrier, found.barrier_at) == (1.0, 1.0, 0.5)
    assert 1.0 <= found.barrier_bound <= 1.01
    assert found.converged
    assert not found.rigorous
    assert found.largest_rise == 1.0
    assert not found.non_increasing
    assert found.length == pytest.approx(found.distance) == 2.0
    assert (found.cost.evaluations, found.cost.gradients, found.cost.matvecs) == (len(found.t),) * 3


def test_bounds_close_in_on_a_barrier_between_the_samples() -> None:
    coarse = interpolate(landscape(well), A, B, points=4, tolerance=1e-5)
    assert coarse.converged
    assert 1 - 2e-5 <= coarse.barrier <= 1.0 <= coarse.barrier_bound <= coarse.barrier + 1e-5
    assert len(coarse.t) > 4
    assert (np.diff(coarse.t) > 0).all()
    stopped = interpolate(landscape(well), A, B, points=4, tolerance=1e-5, refine=0)
    assert not stopped.converged
    assert len(stopped.t) == 4
    assert stopped.barrier_bound >= 1.0


def test_a_convex_loss_has_no_barrier() -> None:
    draw = torch.Generator().manual_seed(0)
    for _ in range(5):
        root, centre, a, b = (torch.randn(*s, 5, generator=draw).double() for s in ((5,), (), (), ()))
        found = interpolate(landscape(lambda w, m=root, c=centre: (m @ (w - c)).square().sum(), 5), a, b)
        assert found.converged
        assert 0 <= found.barrier <= 1e-12 * found.train_loss.max()
        assert found.barrier_bound <= found.tolerance
        assert found.plain_barrier == 0


def test_both_definitions_where_the_ends_differ() -> None:
    def tilted(w: Tensor) -> Tensor:  # at t: 8 t^2 (1 - t) + t, ends 0 and 1
        t = (w[0] + 1) / 2
        return 8 * t**2 * (1 - t) + t

    found = interpolate(landscape(tilted), A, B, points=301)
    assert found.barrier == pytest.approx(8 * 4 / 27, abs=1e-4)
    assert found.barrier_at == pytest.approx(2 / 3, abs=0.01)
    dense = np.linspace(0, 1, 10**5)
    assert found.plain_barrier == pytest.approx((8 * dense**2 * (1 - dense) + dense).max() - 1, abs=1e-4)


def test_the_largest_rise_is_seen_from_a_to_b() -> None:
    down = landscape(lambda w: -w[0] + 0 * w[1])
    assert interpolate(down, A, B).largest_rise == 0
    assert interpolate(down, A, B).non_increasing
    assert interpolate(down, B, A).largest_rise == 2
    dip = interpolate(landscape(lambda w: w[0] ** 2), A, 2 * B, points=301)
    assert dip.largest_rise == pytest.approx(4, abs=1e-4)


def test_the_parabola_of_an_interval_is_its_maximum() -> None:
    draw = np.random.default_rng(0)
    values, spacing, floor = draw.normal(size=9), draw.uniform(0.1, 2, 8), draw.normal(scale=4, size=8)
    for i, found in enumerate(highest(values, spacing, floor)):
        x = np.linspace(0, spacing[i], 20001)
        chord = values[i] + (values[i + 1] - values[i]) * x / spacing[i]
        exact = (chord + max(-floor[i], 0) * x * (spacing[i] - x) / 2).max()
        assert found == pytest.approx(exact, abs=1e-7)


def random_curve(seed: int, kind: str) -> tuple[Callable[[Tensor], Tensor], float]:
    """Return a random function of t in [0, 1] and a bound on its second derivative's magnitude."""
    draw = np.random.default_rng(seed)
    if kind == "polynomial":  # of degree 7, by Horner's scheme
        powers = np.polynomial.Polynomial(draw.normal(size=8), domain=[0, 1]).convert(domain=[-1, 1], window=[-1, 1])
        bend = float(np.abs(powers.deriv(2)(np.linspace(0, 1, 20001))).max()) * 1.001
        return lambda t: functools.reduce(lambda total, c: total * t + c, powers.coef.tolist()[::-1], 0 * t), bend
    waves = 2 * torch.pi * torch.arange(1.0, 13.0, dtype=torch.float64)
    size, phase = torch.from_numpy(draw.normal(size=12)), torch.from_numpy(draw.uniform(0, 2 * np.pi, 12))
    if kind == "trigonometric":  # else "rough": all waves of equal weight
        size = size / torch.arange(1, 13)
    return lambda t: torch.sin(t[..., None] * waves + phase) @ size, float((size * waves**2).abs().sum())


def along(value: Callable[[Tensor], Tensor]) -> Problem:
    return landscape(lambda w: value((w[0] + 1) / 2))


def true_barrier(value: Callable[[Tensor], Tensor]) -> float:
    t = torch.linspace(0, 1, 20001, dtype=torch.float64)
    loss = value(t)
    return float((loss - ((1 - t) * loss[0] + t * loss[-1])).max())


@pytest.mark.parametrize("kind", ["polynomial", "trigonometric"])
@pytest.mark.parametrize("rigorous", [False, True])
def test_the_upper_bound_lies_above_the_true_barrier(kind: str, rigorous: bool) -> None:
    for seed in range(60):
        value, bend = random_curve(seed, kind)
        # The segment is twice as long as t, so the Hessian along it is a quarter of the second derivative in t.
        smoothness = bend / 4 if rigorous else None
        found = interpolate(along(value), A, B, points=33, refine=400, chunk_size=64, smoothness=smoothness)
        true = true_barrier(value)
        assert found.barrier - 1e-6 <= true <= found.barrier_bound + 1e-9
        assert found.converged
        assert found.barrier_bound <= found.barrier + found.tolerance
        assert found.rigorous == rigorous
        assert found.cost.matvecs == (0 if rigorous else len(found.t))


def test_the_estimated_bound_rarely_fails_where_the_first_samples_are_too_few() -> None:
    held, number = 0, 100
    for seed in range(number):  # up to twelve waves of equal weight, seen first at nine points
        value, _ = random_curve(seed, "rough")
        found = interpolate(along(value), A, B, points=9, refine=400, chunk_size=64)
        held += true_barrier(value) <= found.barrier_bound + 1e-9
    assert held >= 0.97 * number


def test_a_kink_between_samples_is_covered() -> None:
    for at in np.random.default_rng(0).uniform(-0.9, 0.9, 40):
        found = interpolate(landscape(lambda w, at=at: -(w[0] - at).abs()), A, B, points=11)
        true = 1 - at * at  # at t = (1 + at) / 2 the ends interpolated are (1 - t) (-1 - at) + t (at - 1) = at^2 - 1
        assert found.barrier <= true + 1e-12
        assert found.barrier_bound >= true - 1e-9


def trained(seed: int, steps: int = 300) -> tuple[nn.Sequential, Tensor, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2)).double()
    inputs = torch.randn(80, 2, generator=torch.Generator().manual_seed(0)).double()
    targets = (inputs.prod(1) > 0).long()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(steps):
        optimiser.zero_grad()
        F.cross_entropy(model(inputs), targets).backward()
        optimiser.step()
    return model.requires_grad_(), inputs, targets


def test_a_permuted_copy_has_a_barrier_that_undoing_the_permutation_removes() -> None:
    model, inputs, targets = trained(0)
    problem = Problem(model, F.cross_entropy, (inputs, targets), (inputs, targets))
    permuted = copy.deepcopy(model)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        permuted[0].weight.copy_(model[0].weight[order])
        permuted[0].bias.copy_(model[0].bias[order])
        permuted[2].weight.copy_(model[2].weight[:, order])
    found = interpolate(problem, model, permuted, tolerance=0.05)
    assert found.train_loss[-1] == pytest.approx(found.train_loss[0], rel=1e-10)
    assert found.barrier > 0.1
    assert found.train_accuracy.min() < found.train_accuracy[0] == 1.0
    np.testing.assert_allclose(found.test_loss, found.train_loss, rtol=1e-12)
    undone = copy.deepcopy(permuted)
    back = torch.argsort(order)
    with torch.no_grad():
        undone[0].weight.copy_(permuted[0].weight[back])
        undone[0].bias.copy_(permuted[0].bias[back])
        undone[2].weight.copy_(permuted[2].weight[:, back] * (1 + 1e-9))  # else it is the very same network
    assert interpolate(problem, model, undone).barrier < 1e-9


def test_batches_and_groups_of_networks_change_nothing() -> None:
    model, inputs, targets = trained(0, steps=20)
    whole, cut = (Problem(model, F.cross_entropy, (inputs, targets), batch_size=size) for size in (None, 30))
    ends = whole.start, -whole.start
    one, other = interpolate(whole, *ends, points=9), interpolate(cut, *ends, points=9, chunk_size=2)
    np.testing.assert_allclose(one.train_loss, other.train_loss, rtol=1e-12)
    assert one.barrier_bound == pytest.approx(other.barrier_bound, rel=1e-10)


class Recurrent(nn.Module):
    """A module that `torch.func.vmap` cannot run."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head = nn.LSTM(2, 3, batch_first=True), nn.Linear(3, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.cell(inputs)[0][:, -1])


def test_modules_that_cannot_be_vectorised_are_measured_one_by_one() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Recurrent().double()
    data = torch.randn(6, 4, 2, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1] * 3)
    problem = Problem(model, F.cross_entropy, data)
    assert not problem.vectorised
    found = interpolate(problem, problem.start, -3 * problem.start, points=9)
    assert found.converged
    assert found.train_loss[-1] == float(problem.evaluate(-3 * problem.start[None])["loss"])


def test_the_middle_of_the_path_is_the_mean_of_the_networks() -> None:
    found = interpolate(landscape(well), A, B, points=5)
    np.testing.assert_allclose(found.params(), A + found.t[:, None] * (B - A), atol=1e-15)
    np.testing.assert_allclose(found.params(np.array([0.5])), [[0.0, 0.0]], atol=1e-15)


def test_a_loss_that_is_not_finite_leaves_the_barrier_unbounded() -> None:
    found = interpolate(landscape(lambda w: 1 / w[0].abs() + 0 * w[1]), A, B, points=5)
    assert found.barrier_bound == np.inf
    assert not found.converged


def test_frame_picture_and_progress() -> None:
    shares: list[float] = []
    found = interpolate(landscape(well), A, B, points=4, progress=shares.append)
    frame = found.to_frame()
    assert list(frame.columns) == ["t", "split", "loss", "accuracy"]
    assert len(frame) == len(found.t)
    axes = found.plot()
    assert axes.get_title().startswith("barrier between 1")
    plt.close("all")
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_the_model_and_the_global_random_state_stay() -> None:
    model, inputs, targets = trained(0, steps=3)
    model.train().zero_grad()
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    problem = Problem(model, F.cross_entropy, (inputs, targets), batch_size=30)
    interpolate(problem, problem.start, 2 * problem.start, points=5)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert model.training
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"b": A}, "a and b are the same network"),
        ({"b": np.zeros(3)}, r"b has shape \(3,\), expected one row of P = 2 numbers"),
        ({"points": 2}, "points is 2, expected at least 3"),
        ({"tolerance": 0.0}, "tolerance is 0.0, expected a positive share"),
        ({"refine": -1}, "refine is -1, expected the number of further samples"),
        ({"smoothness": -1.0}, "smoothness is -1.0, expected a number that is not negative"),
    ],
)
def test_refusals_name_the_field(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        interpolate(landscape(well), **({"a": A, "b": B} | options))
