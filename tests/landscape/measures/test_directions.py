"""Directions against a naive loop over filters, their invariances, and their refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.directions import as_vector, direction_between, normalised, random_direction
from grokscape.landscape.problem import Problem


def network(dtype: torch.dtype = torch.float64, seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3)).to(dtype)


def classification(model: nn.Module, **options: Any) -> Problem:
    draw = torch.Generator().manual_seed(1)
    inputs, targets = torch.randn(20, 5, generator=draw), torch.randint(0, 3, (20,), generator=draw)
    return Problem(model, F.cross_entropy, (inputs, targets), **options)


class Convolution(nn.Module):
    """A convolution, its transpose, an empty tensor, a scalar and a tied weight."""

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(3)
        self.kernel = nn.Parameter(torch.randn(4, 2, 3, 3, generator=draw))
        self.back = nn.Parameter(torch.randn(4, 2, 3, 3, generator=draw))
        self.empty = nn.Parameter(torch.empty(0, 3))
        self.scale = nn.Parameter(torch.tensor(1.5))
        self.bias = nn.Parameter(torch.randn(4, generator=draw))
        self.tied = self.kernel

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(F.conv2d(x, self.tied, self.bias))
        return self.scale * F.conv_transpose2d(hidden, self.back).flatten(1)


def convolutional() -> Problem:
    draw = torch.Generator().manual_seed(2)
    data = torch.randn(6, 2, 5, 5, generator=draw)
    return Problem(Convolution().double(), F.mse_loss, (data, data.flatten(1)))


def naive(problem: Problem, raw: Tensor, biases: str, axes: dict[str, int]) -> dict[str, Tensor]:
    """Rescale filter by filter, in loops."""
    theta, found = problem.layout.tensors(problem.start), problem.layout.tensors(raw.clone())
    for name, part in found.items():
        if part.ndim <= 1:
            part.mul_(0.0 if biases == "zero" else theta[name].norm() / part.norm())
            continue
        axis = axes.get(name, 0)
        for index in range(part.shape[axis]):
            own = part.select(axis, index)
            own.mul_(theta[name].select(axis, index).norm() / own.norm())
    return found


@pytest.mark.parametrize("biases", ["zero", "norm"])
@pytest.mark.parametrize("axes", [{}, {"back": 1}])
def test_filter_normalisation_agrees_with_a_loop_over_filters(biases: Any, axes: dict[str, int]) -> None:
    problem = convolutional()
    raw = random_direction(problem, 4, normalise=None)
    found = normalised(problem, raw, biases=biases, filter_axis=axes)
    expected = problem.layout.row(naive(problem, raw, biases, axes))
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=0)


def test_layer_and_vector_norms_become_the_networks_own() -> None:
    problem = classification(network())
    theta = problem.layout.tensors(problem.start)
    layer = problem.layout.tensors(random_direction(problem, 0, normalise="layer", biases="norm"))
    for name, part in layer.items():
        assert float(part.norm()) == pytest.approx(float(theta[name].norm()), rel=1e-12)
    assert not problem.layout.tensors(random_direction(problem, 0, normalise="layer"))["0.bias"].any()
    whole = random_direction(problem, 0, normalise="norm")
    assert float(whole.norm()) == pytest.approx(float(problem.start.norm()), rel=1e-12)
    assert problem.layout.tensors(whole)["0.bias"].all()


def test_filters_that_are_zero_in_the_network_stay_where_they_are() -> None:
    model = network()
    with torch.no_grad():
        model[0].weight[2] = 0
    problem = classification(model)
    weight = problem.layout.tensors(random_direction(problem, 0))["0.weight"]
    assert not weight[2].any()
    assert weight[[0, 1, 3, 4, 5, 6]].all()


def test_a_seed_gives_the_same_bits_in_both_precisions_and_another_seed_others() -> None:
    double, single = classification(network()), classification(network(torch.float32))
    one = random_direction(double, 7, normalise=None)
    assert torch.equal(one, random_direction(double, 7, normalise=None))
    assert torch.equal(one.float(), random_direction(single, 7, normalise=None))
    assert single.start.dtype == random_direction(single, 7).dtype == torch.float32
    other = random_direction(double, 8, normalise=None)
    assert abs(float(F.cosine_similarity(one, other, 0))) < 0.4


def test_rows_modules_and_dictionaries_name_the_same_network() -> None:
    model, other = network(), network(seed=5)
    problem = classification(model)
    row = as_vector(problem, other)
    assert torch.equal(row, as_vector(problem, dict(other.named_parameters())))
    assert torch.equal(row, as_vector(problem, row.numpy()))
    assert torch.equal(problem.start, as_vector(problem, None))
    assert torch.equal(problem.start + direction_between(problem.start, row), problem.start + (row - problem.start))


def test_frozen_parameters_take_no_part() -> None:
    model = network()
    model[0].requires_grad_(False)
    problem = classification(model)
    assert random_direction(problem, 0).shape == (7 * 3 + 3,)


def test_the_global_random_state_stays() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    random_direction(classification(network()), 0)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"normalise": "filters"}, "normalise is 'filters', expected 'filter', 'layer', 'norm' or None"),
        ({"biases": "scale"}, "biases is 'scale', expected 'zero' or 'norm'"),
        ({"filter_axis": 2}, r"filter_axis is 2 for parameter '0.weight' of shape \(7, 5\)"),
        ({"seed": -1}, "seed is -1, expected an integer that is not negative"),
        ({"seed": True}, "seed is True, expected an integer"),
        ({"around": torch.zeros(3)}, r"around has shape \(3,\), expected one row of P = 66 numbers"),
        ({"around": torch.full((66,), torch.nan)}, "around holds NaN or infinite numbers"),
        ({"around": torch.zeros(66)}, "normalise='filter' leaves nothing of the direction"),
        ({"around": nn.Linear(5, 7)}, r"around has nothing for parameter '0.weight', expected shape \(7, 5\)"),
    ],
)
def test_refusals_name_the_field(options: dict[str, Any], message: str) -> None:
    problem = classification(network())
    with pytest.raises(InvalidInput, match=message):
        random_direction(problem, **({"seed": 0} | options))


def test_a_model_of_biases_alone_is_told_what_to_do() -> None:
    problem = classification(network(), only="*.bias")
    with pytest.raises(InvalidInput, match="choose biases='norm' or normalise=None"):
        random_direction(problem, 0)
    assert random_direction(problem, 0, biases="norm").any()


def test_directions_between_networks_of_different_size_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"a and b have shapes \(2,\) and \(3,\)"):
        direction_between(torch.zeros(2), torch.zeros(3))
