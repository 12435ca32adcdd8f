"""Products with curvature matrices against dense float64 computations, closed forms and two other libraries."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.curvature.density import spectral_density
from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues
from grokscape.landscape.measures.curvature.traces import trace
from grokscape.landscape.measures.sharpness.forms import sharpness
from grokscape.landscape.problem import Problem
from tests.landscape.measures.cases import CASES, case


def relative(found: torch.Tensor, truth: torch.Tensor) -> float:
    return float((found - truth).norm() / truth.norm())


def dense_gauss_newton(case_, problem):
    """``J^T (d^2 loss / d z^2) J`` with every factor formed."""
    vector = problem.start

    def outputs(v):
        return torch.func.functional_call(case_.module.eval(), problem.layout.tensors(v), (case_.inputs,)).flatten()

    shape = case_.module.eval()(case_.inputs).shape
    jacobian = torch.autograd.functional.jacobian(outputs, vector)
    bend = torch.autograd.functional.hessian(lambda z: case_.loss(z.view(shape), case_.targets).mean(), outputs(vector))
    return jacobian.T @ bend @ jacobian


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch.func's own
@pytest.mark.parametrize("name", CASES)
def test_the_hessian_is_that_of_torch_func(name):
    one = case(name)
    problem = one.problem()
    mean = one.flat_loss(problem)
    if name == "lstm":  # torch.func has no batching rule for it
        truth = torch.autograd.functional.hessian(mean, problem.start)
    else:
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            truth = torch.func.hessian(mean)(problem.start)
    assert relative(Curvature(problem).dense()[0], truth) < 1e-6
    in_batches = one.problem(batch_size=5)
    assert relative(Curvature(in_batches).dense()[0], truth) < 1e-6


@pytest.mark.parametrize("name", CASES)
def test_the_gauss_newton_matrix_is_the_product_of_its_factors(name):
    one = case(name)
    problem = one.problem()
    truth = dense_gauss_newton(one, problem)
    assert relative(Curvature(problem, kind="gauss_newton").dense()[0], truth) < 1e-6
    assert torch.linalg.eigvalsh(Curvature(one.problem(batch_size=5), kind="gauss_newton").dense()[0])[0] > -1e-10


@pytest.mark.parametrize("kind", ["hessian", "gauss_newton"])
@pytest.mark.parametrize("name", CASES)
def test_networks_side_by_side_are_as_each_alone(name, kind):
    problem = case(name).problem()
    params = problem.start * torch.tensor([[1.0], [0.5], [1.5]], dtype=torch.float64)
    vectors = torch.randn(3, problem.size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    together = Curvature(problem, params, kind=kind)
    matvecs = together.matvec(vectors)
    for index in range(3):
        alone = Curvature(problem, params[index : index + 1], kind=kind).matvec(vectors[index : index + 1])
        torch.testing.assert_close(matvecs[index], alone[0], rtol=1e-9, atol=1e-12)
    assert together.matvecs == 3


@pytest.mark.parametrize("name", ["mlp", "conv", "batch norm"])
def test_curvlinops_agrees(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        curvlinops = pytest.importorskip("curvlinops")
        one = case(name)
        parameters = list(one.module.eval().parameters())
        for kind, operator in (
            ("hessian", curvlinops.HessianLinearOperator),
            ("gauss_newton", curvlinops.GGNLinearOperator),
        ):
            theirs = operator(one.module, nn.CrossEntropyLoss(), parameters, [(one.inputs, one.targets)])
            truth = theirs @ torch.eye(theirs.shape[1], dtype=torch.float64)
            assert relative(Curvature(one.problem(), kind=kind).dense()[0], truth) < 1e-8


def test_linear_regression_has_the_curvature_of_its_inputs():
    generator = torch.Generator().manual_seed(1)
    inputs, targets = (torch.randn(30, n, dtype=torch.float64, generator=generator) for n in (5, 1))
    problem = Problem(nn.Linear(5, 1, bias=False).double(), F.mse_loss, (inputs, targets))
    truth = 2 / 30 * inputs.T @ inputs
    for kind in ("hessian", "gauss_newton"):
        assert relative(Curvature(problem, kind=kind).dense()[0], truth) < 1e-12


def test_logistic_regression_has_the_curvature_of_the_textbook():
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(30, 4, dtype=torch.float64, generator=generator)
    targets = (torch.rand(30, 1, generator=generator) < 0.5).double()
    problem = Problem(nn.Linear(4, 1, bias=False).double(), F.binary_cross_entropy_with_logits, (inputs, targets))
    share = torch.sigmoid(inputs @ problem.start)
    truth = (inputs.T * (share * (1 - share))) @ inputs / 30
    assert relative(Curvature(problem).dense()[0], truth) < 1e-12


def test_a_quadratic_bowl_given_as_a_function():
    matrix = torch.diag(torch.tensor([-6.0, 2.0, 1.0], dtype=torch.float64))

    def half(parameters, inputs):
        return 0.5 * parameters["x"] @ matrix @ parameters["x"] * inputs

    problem = Problem(half, lambda z, _: z, (torch.ones(2), torch.ones(2)), parameters={"x": torch.ones(3).double()})
    torch.testing.assert_close(Curvature(problem).dense()[0], matrix)


def test_a_diagonal_linear_network_in_closed_form():
    # z = sum_i u_i v_i x_i on one example with target t: L = (z - t)^2.
    x = torch.tensor([[1.0, -2.0]], dtype=torch.float64)

    def network(parameters, inputs):
        return inputs @ (parameters["u"] * parameters["v"])

    u, v, t = torch.tensor([0.5, 1.0]).double(), torch.tensor([2.0, 0.3]).double(), 0.7
    problem = Problem(network, F.mse_loss, (x, torch.tensor([t]).double()), parameters={"u": u, "v": v})
    slope = torch.cat([x[0] * v, x[0] * u])
    rest = float(x[0] @ (u * v)) - t
    cross = torch.zeros(4, 4).double()
    cross[:2, 2:] = cross[2:, :2] = torch.diag(x[0])
    torch.testing.assert_close(Curvature(problem).dense()[0], 2 * torch.outer(slope, slope) + 2 * rest * cross)
    torch.testing.assert_close(Curvature(problem, kind="gauss_newton").dense()[0], 2 * torch.outer(slope, slope))


def test_chosen_parameters_give_their_own_block():
    one = case("mlp")
    whole, part = one.problem(), one.problem(only="2.*")
    block = Curvature(whole).dense()[0][-part.size :, -part.size :]
    torch.testing.assert_close(Curvature(part).dense()[0], block)


def test_a_loss_linear_in_the_parameters_has_no_curvature():
    problem = Problem(nn.Linear(3, 1), lambda z, _: z[:, 0], (torch.ones(4, 3), torch.ones(4)))
    assert Curvature(problem).dense().abs().max() == 0
    assert Curvature(problem, kind="gauss_newton").dense().abs().max() == 0


def test_a_dense_matrix_beyond_reason_says_how_large_it_would_be():
    problem = Problem(nn.Linear(400, 500), F.mse_loss, (torch.ones(1, 400), torch.ones(1, 500)))
    with pytest.raises(InvalidInput, match=r"dense matrix of 200,500 parameters would take 149\.8 GiB"):
        Curvature(problem).dense()


def test_bad_requests_are_refused_by_name():
    problem = case("mlp").problem()
    with pytest.raises(InvalidInput, match="kind is 'fisher', expected 'hessian' or 'gauss_newton'"):
        Curvature(problem, kind="fisher")
    with pytest.raises(InvalidInput, match=r"params have shape \(2, 3\), expected \(networks, 51\)"):
        Curvature(problem, torch.zeros(2, 3).double())
    with pytest.raises(InvalidInput, match="no test data were given"):
        Curvature(problem, split="test")


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_normalisation_has_the_hessian_of_finite_differences(dim):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer, inputs = nn.Linear(4, 5).double(), torch.randn(6, 4, dtype=torch.float64)
        model = nn.Sequential(nn.utils.parametrizations.weight_norm(layer, dim=dim), nn.Tanh())
    problem = Problem(model, nn.functional.mse_loss, (inputs, torch.ones(6, 5)))
    torch.testing.assert_close(problem.outputs(problem.start, inputs), model(inputs))
    step = 1e-5 * torch.eye(problem.size, dtype=torch.float64)
    difference = (problem.gradients(problem.start + step)[1] - problem.gradients(problem.start - step)[1]) / 2e-5
    torch.testing.assert_close(Curvature(problem).dense()[0], difference, rtol=1e-6, atol=1e-8)


class Once(torch.autograd.Function):
    """A square whose gradient may not be differentiated again."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 2 * x * gradient


@pytest.mark.parametrize("square", [Once.apply, lambda x: torch.pdist(torch.stack([x, 0 * x]))], ids=["once", "pdist"])
def test_a_gradient_without_a_derivative_is_refused_and_not_called_flat(square):
    problem = Problem(
        lambda p, x: square(p["w"]).sum() * x,
        lambda z, _: z,
        (torch.ones(2), torch.ones(2)),
        parameters={"w": torch.ones(3)},
    )
    with pytest.raises(InvalidInput, match="cannot be differentiated again"):
        Curvature(problem).matvec(torch.ones(1, 3))


ONES = (torch.ones(2, dtype=torch.float64),) * 2


def rooted(start=0.0):
    """Return a problem with ``a^2 + sqrt(|w|^2)``, whose derivatives at w = 0 are not numbers."""
    return Problem(
        lambda p, x: (p["a"].square().sum() + p["w"].square().sum().sqrt()) * x,
        lambda z, _: z,
        ONES,
        parameters={"a": torch.ones(2).double(), "w": torch.full((3,), start).double()},
    )


MEASURE = {
    "dense": lambda p, params: Curvature(p, params).dense(),
    "product": lambda p, params: Curvature(p, params).matvec(torch.ones_like(params)),
    "eigenvalues": lambda p, params: top_eigenvalues(p, params=params),
    "lanczos": lambda p, params: top_eigenvalues(p, params=params, method="lanczos", negative=True),
    "trace": lambda p, params: trace(p, params=params),
    "density": lambda p, params: spectral_density(p, params=params),
    "lanczos density": lambda p, params: spectral_density(p, params=params, method="lanczos", steps=3, probes=2),
    "sharpness": lambda p, params: sharpness(p, params=params, forms=["adaptive_lambda_max"]),
}


@pytest.mark.parametrize("name", MEASURE)
def test_second_derivatives_that_are_not_finite_are_refused_by_every_instrument(name):
    with pytest.raises(InvalidInput, match=r"second derivatives of the loss are not finite .*, for w; look for sqrt"):
        MEASURE[name](problem := rooted(), problem.start[None])


@pytest.mark.parametrize("name", [name for name in MEASURE if name not in ("dense", "product")])
def test_of_several_networks_one_without_second_derivatives_takes_no_other_with_it(name):
    params = torch.stack([rooted(1.0).start, rooted().start])
    alone, both = (MEASURE[name](rooted(1.0), some) for some in (params[:1], params))
    fields = {"values", "estimate", "density", "value"} & {field.name for field in dataclasses.fields(both)}
    assert fields
    for field in fields:
        last = field == "value"  # of sharpness, whose first axis is the form
        found, expected = (
            np.moveaxis(getattr(of, field), -1, 0) if last else getattr(of, field) for of in (both, alone)
        )
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
        assert np.isnan(found[1]).all(), field


@pytest.mark.parametrize("form", ["sam", "sam_step", "adaptive", "adaptive_step", "keskar"])
def test_an_ascent_from_where_there_is_no_gradient_is_refused(form):
    with pytest.raises(InvalidInput, match=r"first derivatives of the loss are not finite .*, for w"):
        sharpness(rooted(), forms=[form])


def test_where_the_root_has_derivatives_they_are_measured():
    truth = torch.zeros(5, 5).double()
    truth[:2, :2] = 2 * torch.eye(2)
    truth[2:, 2:] = (torch.eye(3) - torch.ones(3, 3) / 3) / 3**0.5
    torch.testing.assert_close(Curvature(rooted(1.0)).dense()[0], truth)
