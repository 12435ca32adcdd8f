"""Slices against closed forms and the Hessian, their invariance, and that they repeat."""

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
from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.directions import direction_between, random_direction
from grokscape.landscape.measures.paths.slices import line_slice, plane_slice
from grokscape.landscape.problem import Problem

mpl.use("Agg")


def bowl(size: int = 6, dtype: torch.dtype = torch.float64) -> tuple[Problem, Tensor, Tensor]:
    """Return ``L(w) = (w - c)^T A (w - c) / 2`` at a random w, with A and c."""
    draw = torch.Generator().manual_seed(0)
    root, centre, start = (torch.randn(*shape, generator=draw).to(dtype) for shape in ((size, size), (size,), (size,)))
    matrix = root @ root.T

    def outputs(parameters: dict[str, Tensor], inputs: Tensor) -> Tensor:
        away = parameters["w"] - centre
        return (away @ matrix @ away / 2).expand(len(inputs))

    data = torch.zeros(2, 1), torch.zeros(2, 1)
    return Problem(outputs, lambda out, _: out, data, parameters={"w": start}), matrix, centre


def classification(model: nn.Module, *, test: bool = True, **options: Any) -> Problem:
    draw = torch.Generator().manual_seed(1)
    inputs, targets = torch.randn(40, 5, generator=draw), torch.randint(0, 3, (40,), generator=draw)
    held_out = (inputs[30:], targets[30:]) if test else None
    return Problem(model, F.cross_entropy, (inputs[:30], targets[:30]), held_out, **options)


def network(activation: nn.Module | None = None, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return nn.Sequential(nn.Linear(5, 8), activation or nn.ReLU(), nn.Linear(8, 3)).to(dtype)


def test_a_line_through_a_bowl_is_the_closed_form() -> None:
    problem, matrix, centre = bowl()
    v = torch.linspace(-1, 2, 6, dtype=torch.float64)
    found = line_slice(problem, v, extent=(-0.5, 2.0), points=11)
    away = problem.start - centre + torch.from_numpy(found.offsets)[:, None] * v
    np.testing.assert_allclose(found.train_loss, ((away @ matrix) * away).sum(1) / 2, rtol=1e-13)
    np.testing.assert_allclose(found.curvature[1:-1], float(v @ matrix @ v), rtol=1e-10)
    assert np.isnan(found.curvature[[0, -1]]).all()
    assert np.isnan(found.test_loss).all()
    assert np.isnan(found.train_accuracy).all()
    assert found.cost.evaluations == 11
    assert (found.offsets[0], found.offsets[-1], found.seed) == (-0.5, 2.0, None)


def test_a_plane_through_a_bowl_is_the_closed_form() -> None:
    problem, matrix, centre = bowl()
    u, v = torch.eye(6, dtype=torch.float64)[:2] @ matrix
    found = plane_slice(problem, (u, v), extent=2.0, points=5)
    for i, first in enumerate(found.first):
        for j, second in enumerate(found.second):
            away = problem.start - centre + first * u + second * v
            assert found.train_loss[i, j] == pytest.approx(float(away @ matrix @ away / 2), rel=1e-12)
    assert found.cosine == pytest.approx(float(u @ v / (u.norm() * v.norm())), rel=1e-12)
    params = problem.start + torch.tensor([[0.5, -1.0], [3.0, 0.25]], dtype=torch.float64) @ torch.stack([u, v])
    np.testing.assert_allclose(found.coordinates(params), [[0.5, -1.0, 0], [3.0, 0.25, 0]], atol=1e-11)


def test_distance_from_the_plane_is_that_of_the_part_outside() -> None:
    problem, _, _ = bowl()
    basis = torch.eye(6, dtype=torch.float64)
    found = plane_slice(problem, basis[:2], points=3)
    np.testing.assert_allclose(
        found.coordinates(problem.start[None] + 3 * basis[5] + basis[1]), [[0, 1, 3]], atol=1e-12
    )


def test_the_second_difference_is_the_hessian_along_the_line_within_its_error() -> None:
    problem = classification(network(nn.Tanh()))
    found = line_slice(problem, 3, extent=0.4, points=41)
    v = torch.from_numpy(found.direction)
    params = problem.start + torch.from_numpy(found.offsets)[:, None] * v
    exact = (Curvature(problem, params).matvec(v.expand(41, -1)) @ v).numpy()
    inner = slice(2, -2)
    assert (np.abs(found.curvature - exact)[inner] <= 1.5 * found.curvature_error[inner]).mean() >= 0.9
    np.testing.assert_allclose(found.curvature[inner], exact[inner], rtol=1e-2, atol=1e-4 * np.abs(exact).max())


def test_losses_and_accuracies_are_those_of_the_networks_on_the_line() -> None:
    model = network()
    problem = classification(model)
    found = line_slice(problem, 0, points=5, extent=2.0)
    for index, offset in enumerate(found.offsets):
        copied = copy.deepcopy(model)
        nn.utils.vector_to_parameters(problem.start + offset * torch.from_numpy(found.direction), copied.parameters())
        for split in ("train", "test"):
            inputs, targets = problem.all_data(split)
            outputs = copied(inputs).detach()
            loss = float(F.cross_entropy(outputs, targets))
            assert getattr(found, f"{split}_loss")[index] == pytest.approx(loss, rel=1e-12)
            assert getattr(found, f"{split}_accuracy")[index] == float((outputs.argmax(1) == targets).double().mean())


@pytest.mark.parametrize("biases", ["zero", "norm"])
def test_rescaling_the_layers_of_a_relu_network_leaves_the_filter_normalised_slice(biases: Any) -> None:
    model = network()
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for tensor in twin[0].parameters():
            tensor.mul_(5.0)
        twin[2].weight.div_(5.0)
    one, other = (line_slice(classification(m), 1, biases=biases) for m in (model, twin))
    np.testing.assert_allclose(one.train_loss, other.train_loss, rtol=1e-10)
    raw = [line_slice(classification(m), 1, normalise=None).train_loss for m in (model, twin)]
    assert np.abs(raw[0] / raw[1] - 1).max() > 0.1


def test_stored_directions_repeat_the_picture_bit_by_bit() -> None:
    for dtype in (torch.float32, torch.float64):
        problem = classification(network(dtype=dtype))
        line = line_slice(problem, 4, points=9)
        again = line_slice(problem, line.direction, around=line.around, points=9)
        assert np.array_equal(line.train_loss, again.train_loss)
        assert np.array_equal(line.train_loss, line_slice(problem, 4, points=9).train_loss)
        plane = plane_slice(problem, (4, 5), points=4)
        redrawn = plane_slice(problem, plane.directions, around=plane.around, points=4)
        assert np.array_equal(plane.test_loss, redrawn.test_loss)
        assert (plane.seeds, redrawn.seeds) == ((4, 5), (None, None))
        assert line.direction.dtype == plane.directions.dtype == problem.start.numpy().dtype


def test_float32_follows_float64() -> None:
    single, double = (
        line_slice(classification(network(dtype=d)), 0, points=9).train_loss for d in (torch.float32, torch.float64)
    )
    # Linear layers draw in float32, so that both networks are the same.
    np.testing.assert_allclose(single, double, rtol=1e-5)


def test_never_more_networks_than_asked_for_exist_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = classification(network())
    whole = plane_slice(problem, points=5)
    counts: list[int] = []
    evaluate = problem.evaluate

    def counting(params: Tensor, split: str = "train") -> dict[str, Tensor]:
        counts.append(len(params))
        return evaluate(params, split)

    monkeypatch.setattr(problem, "evaluate", counting)
    shares: list[float] = []
    few = plane_slice(problem, points=5, chunk_size=3, progress=shares.append)
    assert max(counts) == 3
    assert sum(counts) == few.cost.evaluations == 50
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    np.testing.assert_allclose(few.train_loss, whole.train_loss, rtol=1e-12)


def test_a_slice_between_networks_meets_both() -> None:
    problem, _, centre = bowl()
    found = line_slice(problem, direction_between(problem.start, centre), extent=(0, 1), points=5)
    assert found.train_loss[0] == float(problem.evaluate(problem.start[None])["loss"])
    assert found.train_loss[-1] == pytest.approx(0, abs=1e-25)


def test_frames_hold_the_splits_that_were_measured() -> None:
    assert set(line_slice(classification(network()), 0, points=3).to_frame()["split"]) == {"train", "test"}
    frame = plane_slice(classification(network(), test=False), points=3).to_frame()
    assert list(frame.columns) == ["first", "second", "split", "loss", "accuracy"]
    assert set(frame["split"]) == {"train"}
    assert len(frame) == 9


@pytest.mark.parametrize("wide", [False, True])
def test_pictures_show_what_was_measured(wide: bool) -> None:
    problem = classification(network())
    extent = 30.0 if wide else 0.1
    axes = line_slice(problem, 0, extent=extent, points=21).plot()
    assert len(axes.get_legend().get_texts()) == 2
    axes = plane_slice(problem, extent=extent, points=7).plot()
    assert axes.get_xlim() == (-extent, extent)
    flat = Problem(lambda p, x: p["w"][:1].expand(len(x)) * 0, lambda o, _: o, (torch.ones(1, 1),) * 2, parameters={"w": torch.ones(2)})  # fmt: skip  # noqa: E501
    plane_slice(flat, torch.eye(2), points=3).plot()
    axes.figure.canvas.draw()
    plt.close("all")


def test_the_model_its_gradients_and_the_global_random_state_stay() -> None:
    model = network().train()
    model[0].weight.grad = torch.ones_like(model[0].weight)
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    problem = classification(model)
    line_slice(problem, 0, points=5)
    plane_slice(problem, points=3)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert model.training
    assert bool((model[0].weight.grad == 1).all())
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points": 2}, "points is 2, expected at least 3"),
        ({"extent": -1.0}, "extent is -1.0, expected a positive number or a pair"),
        ({"extent": (1.0, 0.0)}, r"extent is \(1.0, 0.0\), expected"),
        ({"chunk_size": 0}, "chunk_size is 0, expected at least 1"),
        ({"direction": torch.zeros(75)}, "direction is zero everywhere"),
        ({"direction": torch.zeros(4)}, r"direction has shape \(4,\), expected one row of P = 75 numbers"),
    ],
)
def test_refusals_name_the_field(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        line_slice(classification(network()), **({"direction": 0} | options))
    with pytest.raises(InvalidInput, match="directions has 1 entries, expected two"):
        plane_slice(classification(network()), (1,))


def test_eigenvectors_are_taken_as_they_are() -> None:
    problem, matrix, _ = bowl()
    values, vectors = torch.linalg.eigh(matrix)
    found = line_slice(problem, vectors[:, -1], points=5)
    assert found.curvature[2] == pytest.approx(float(values[-1]), rel=1e-10)
    assert np.array_equal(found.direction, vectors[:, -1].numpy())
    assert random_direction(problem, 0, biases="norm").shape == (6,)
