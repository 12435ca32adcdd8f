"""Degrees of homogeneity against networks whose degree is known, and the two estimates against each other."""

from __future__ import annotations

import copy
import itertools

import matplotlib as mpl
import numpy as np
import pytest
import torch
from torch import nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.efficiency.degree import homogeneity
from grokscape.landscape.problem import Problem

mpl.use("Agg")


class Square(nn.Module):
    def forward(self, x):
        return x.square()


def data(dtype=torch.float64, n=20):
    source = torch.Generator().manual_seed(1)
    return torch.randn(n, 5, generator=source, dtype=dtype), torch.randint(3, (n,), generator=source)


def perceptron(layers, *, bias=False, activation=nn.ReLU, dtype=torch.float64):
    widths = [5, *[8] * (layers - 1), 3]
    parts = []
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for a, b in itertools.pairwise(widths):
            parts += [nn.Linear(a, b, bias=bias), activation()]
    return nn.Sequential(*parts[:-1]).to(dtype)


def problem(model, dtype=torch.float64, **options):
    return Problem(model, nn.functional.cross_entropy, data(dtype), **options)


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_bias_free_relu_perceptron_has_the_degree_of_its_depth(layers, dtype):
    found = homogeneity(problem(perceptron(layers, dtype=dtype), dtype))
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    np.testing.assert_allclose(found.degree, layers, rtol=tolerance)
    np.testing.assert_allclose(found.scaling_degree, layers, rtol=tolerance)
    np.testing.assert_allclose(found.example_degree, layers, rtol=1e-3 if dtype == torch.float32 else 1e-10)
    assert found.residual.max() < tolerance
    assert found.scaling_residual.max() < tolerance
    assert found.homogeneous.all()
    assert found.breaking == ()


def test_the_degree_by_scaling_does_not_depend_on_the_factor():
    for factor in (0.5, 3.0):
        assert homogeneity(problem(perceptron(3)), factor=factor).scaling_degree == pytest.approx(3, abs=1e-9)


def test_squared_activations_double_the_degree_of_what_is_below():
    assert homogeneity(problem(perceptron(2, activation=Square))).degree == pytest.approx(3, abs=1e-12)
    assert homogeneity(problem(perceptron(3, activation=Square))).degree == pytest.approx(7, abs=1e-12)


def test_counting_one_layer_gives_its_own_degree_and_norm():
    model = perceptron(3, activation=Square)
    for pattern, degree in (("0.*", 4), ("2.*", 2), ("4.*", 1), (["0.*", "4.*"], 5)):
        found = homogeneity(problem(model), included=pattern)
        assert found.degree == pytest.approx(degree, abs=1e-12)
    assert found.included == ("0.weight", "4.weight")
    expected = (model[0].weight.square().sum() + model[4].weight.square().sum()).sqrt()
    assert found.norm == pytest.approx(expected.item())


def test_parameters_that_are_not_varied_do_not_scale():
    assert homogeneity(problem(perceptron(3), only="4.*")).degree == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("layers", "culprits"), [(1, ()), (2, ("2.bias",)), (3, ("2.bias", "4.bias"))], ids=["one", "two", "three"]
)
def test_the_biases_that_break_homogeneity_are_named(layers, culprits):
    # A bias of the first layer scales as its weights do, so that a single layer with bias is homogeneous.
    found = homogeneity(problem(perceptron(layers, bias=True)))
    assert found.homogeneous.all() == (not culprits)
    assert found.breaking == culprits
    if culprits:
        assert found.residual.min() > 0.05
        assert found.scaling_residual.min() > 0.05


def test_a_saturating_activation_is_not_homogeneous_and_no_vector_is_blamed():
    found = homogeneity(problem(perceptron(2, activation=nn.Tanh)))
    assert not found.homogeneous.any()
    assert found.breaking == ()


def test_a_function_of_tensors_of_degree_zero_is_homogeneous():
    def direction(parameters, inputs):
        return inputs @ (parameters["w"] / parameters["w"].norm())

    start = {"w": torch.ones(5, 3, dtype=torch.float64)}
    found = homogeneity(Problem(direction, nn.functional.cross_entropy, data(), parameters=start))
    assert found.degree == pytest.approx(0, abs=1e-12)
    assert found.homogeneous.all()


def test_the_products_agree_with_a_dense_jacobian():
    model = perceptron(3, bias=True)
    held = problem(model)
    found = homogeneity(held)
    inputs, _ = held.batches["train"][0]
    jacobian = torch.func.jacrev(lambda vector: held.outputs(vector, inputs))(held.start)
    z, change = held.outputs(held.start, inputs), jacobian @ held.start
    assert found.degree[0] == pytest.approx(float((z * change).sum() / z.square().sum()), rel=1e-12)
    own = ((z * change).sum(1) / z.square().sum(1)).detach().numpy()
    np.testing.assert_allclose(found.example_degree[0], own, rtol=1e-10)
    assert found.spread[0] == pytest.approx(own.std(), rel=1e-10)
    residual = (change - found.degree[0] * z).norm() / (abs(found.degree[0]) * z.norm())
    assert found.residual[0] == pytest.approx(float(residual), rel=1e-10)


def test_networks_side_by_side_and_batches_give_what_each_gives_alone():
    model = perceptron(2, bias=True)
    whole, cut = problem(model), problem(model, batch_size=7)
    params = torch.stack([whole.start, 0.3 * whole.start, whole.start.flip(0)])
    together = homogeneity(cut, params=params)
    for network, row in enumerate(params):
        alone = homogeneity(whole, params=row[None])
        np.testing.assert_allclose(together.degree[network], alone.degree[0], rtol=1e-12)
        np.testing.assert_allclose(together.scaling_residual[network], alone.scaling_residual[0], rtol=1e-9)
    assert list(together.to_frame()["network"]) == [0, 1, 2]


def test_the_test_split_is_measured_on_request():
    held = Problem(perceptron(2, bias=True), nn.functional.cross_entropy, data(), data(n=4))
    assert homogeneity(held, split="test").example_degree.shape == (1, 4)


def test_the_model_its_gradients_and_the_random_state_stay_as_they_are():
    model = perceptron(2, bias=True).train()
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    homogeneity(problem(model))
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())


def test_the_picture_shows_every_example_and_the_degree():
    axes = homogeneity(problem(perceptron(2))).plot()
    assert axes.get_ylabel().endswith("κ")
    points, bar = axes.get_lines()
    np.testing.assert_allclose(points.get_ydata(), 2, rtol=1e-9)
    np.testing.assert_allclose(bar.get_ydata(), 2, rtol=1e-9)
    mpl.pyplot.close(axes.figure)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"included": "nose*"}, r"included='nose\*' matches no varied parameter; there are 0.weight"),
        ({"factor": 1.0}, "factor is 1.0, expected a positive number other than 1"),
        ({"tolerance": 0.0}, "tolerance is 0.0, expected a positive number"),
        ({"split": "test"}, "no test data were given"),
        ({"params": torch.zeros(2, 3)}, r"params have shape \(2, 3\), expected \(networks, 64\)"),
        ({"params": torch.zeros(1, 64)}, "kappa is not defined: all outputs of network 0"),
    ],
)
def test_what_cannot_be_used_is_named(options, message):
    with pytest.raises(InvalidInput, match=message):
        homogeneity(problem(perceptron(2)), **options)


def test_outputs_that_are_no_tensor_are_refused():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(5, 3)

        def forward(self, x):
            return self.layer(x), x

    pair = Problem(Pair(), lambda outputs, y: nn.functional.cross_entropy(outputs[0], y), data(torch.float32))
    with pytest.raises(InvalidInput, match="needs outputs that are one tensor, found tuple"):
        homogeneity(pair)
