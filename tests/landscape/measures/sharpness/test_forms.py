"""Forms of sharpness: closed forms on quadratics, dense maxima, and what rescaling a network changes."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.sharpness.forms import FORMS, LOWER_BOUNDS, sharpness
from grokscape.landscape.problem import Problem

mpl.use("Agg")

DATA = (torch.zeros(1, 1), torch.zeros(1))


def quadratic(matrix: Tensor, start: Tensor, slope: Tensor | None = None) -> Problem:
    """Return ``w^T A w / 2 + b^T w`` as a problem."""
    slope = torch.zeros_like(start) if slope is None else slope

    def model(parameters: dict[str, Tensor], _: Tensor) -> Tensor:
        weights = parameters["w"]
        return (0.5 * weights @ matrix @ weights + slope @ weights)[None]

    return Problem(model, lambda outputs, _: outputs.mean(), DATA, parameters={"w": start})


def random_matrix(size: int = 12, *, convex: bool = True) -> Tensor:
    root = torch.randn(size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return root @ root.T / size if convex else (root + root.T) / 2


def classifier(dtype: torch.dtype = torch.float64, bias: bool = True) -> Problem:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 9, bias=bias), nn.ReLU(), nn.Linear(9, 3, bias=bias)).to(dtype)
        inputs = torch.randn(40, 4, dtype=dtype)
    problem = Problem(model, F.cross_entropy, (inputs, inputs[:, :3].argmax(1)), (inputs[:7], inputs[:7, :3].argmax(1)))
    row = problem.start[None].clone()
    for _ in range(100):
        row -= 0.3 * problem.gradients(row)[1]
    problem.start = row[0]
    return problem


def rescaled(problem: Problem, c: float) -> Tensor:
    """Return the same function: first layer times c, second by c."""
    factors = {"0.weight": c, "0.bias": c, "2.weight": 1 / c, "2.bias": 1.0}
    return problem.layout.row({n: factors[n] * t for n, t in problem.layout.tensors(problem.start).items()})


def test_sam_at_the_minimum_of_a_quadratic_is_half_the_largest_eigenvalue_times_the_squared_radius() -> None:
    matrix = random_matrix()
    found = sharpness(quadratic(matrix, torch.zeros(12).double()), forms=["sam", "lambda_max"], radius=0.3)
    largest = float(torch.linalg.eigvalsh(matrix)[-1])
    assert found.converged.all()
    assert found.of("lambda_max")[0] == pytest.approx(largest, rel=1e-6)
    assert found.of("sam")[0] == pytest.approx(0.3**2 * largest / 2, rel=1e-3)
    assert found.of("sam")[0] <= 0.3**2 * largest / 2 * (1 + 1e-12)


@pytest.mark.parametrize("convex", [True, False])
def test_sam_away_from_the_minimum_is_the_trust_region_maximum(convex: bool) -> None:
    matrix, radius = random_matrix(convex=convex), 0.5
    start = torch.linspace(-1, 1, 12).double()
    found = sharpness(quadratic(matrix, start), forms=["sam", "sam_step"], radius=radius, iterations=500)
    values, vectors = np.linalg.eigh(matrix.numpy())
    pull = vectors.T @ (matrix @ start).numpy()
    # The maximum is at (nu - A)^-1 g with nu above the largest eigenvalue: |e(nu)| falls to the radius.
    low, high = values[-1], values[-1] + np.linalg.norm(pull) / radius
    for _ in range(200):
        nu = (low + high) / 2
        low, high = (nu, high) if np.linalg.norm(pull / (nu - values)) > radius else (low, nu)
    step = pull / (nu - values)
    maximum = pull @ step + 0.5 * step @ (values * step)
    assert found.converged[0, 0]
    assert found.of("sam")[0] == pytest.approx(maximum, rel=2e-3)
    assert found.of("sam")[0] <= maximum * (1 + 1e-9)
    # The first-order step by hand.
    slope = matrix @ start
    first = radius * slope / slope.norm()
    assert found.of("sam_step")[0] == pytest.approx(float(slope @ first + 0.5 * first @ matrix @ first), rel=1e-12)
    assert found.of("sam_step")[0] <= found.of("sam")[0]


def test_adaptive_forms_of_a_quadratic_are_those_of_the_rescaled_matrix() -> None:
    matrix = random_matrix()
    start = torch.linspace(0.5, 2, 12).double()
    problem = quadratic(matrix, start, slope=-matrix @ start)  # the minimum is where it starts
    found = sharpness(problem, forms=["adaptive", "adaptive_lambda_max", "adaptive_step"], adaptive_radius=0.2)
    largest = float(torch.linalg.eigvalsh(start[:, None] * matrix * start)[-1])
    assert found.of("adaptive_lambda_max")[0] == pytest.approx(largest, rel=1e-6)
    assert found.of("adaptive")[0] == pytest.approx(0.2**2 * largest / 2, rel=1e-3)
    assert found.converged[:2].all()


def test_the_first_adaptive_step_is_that_of_kwon() -> None:
    matrix, start, radius = random_matrix(), torch.linspace(-1, 2, 12).double(), 0.3
    found = sharpness(quadratic(matrix, start), forms=["adaptive_step"], adaptive_radius=radius)
    slope = matrix @ start
    step = radius * start.square() * slope / (start.abs() * slope).norm()
    assert found.value[0, 0] == pytest.approx(float(slope @ step + 0.5 * step @ matrix @ step), rel=1e-10)


@pytest.mark.parametrize("start", [0.0, 2.0, -3.0])
def test_keskar_on_one_parameter_is_its_closed_form(start: float) -> None:
    problem = quadratic(torch.tensor([[3.0]]).double(), torch.tensor([start]).double())
    found = sharpness(problem, forms=["keskar"], box=0.01)
    end, loss = abs(start) + 0.01 * (abs(start) + 1), 1.5 * start**2
    assert found.value[0, 0] == pytest.approx(100 * (1.5 * end**2 - loss) / (1 + loss), rel=1e-9)
    assert found.converged[0, 0]


def test_keskar_never_exceeds_the_best_corner_of_a_convex_quadratic_and_comes_near_it() -> None:
    matrix, start = random_matrix(), torch.linspace(-1, 1, 12).double()
    found = sharpness(quadratic(matrix, start), forms=["keskar"], box=0.1)
    reach = 0.1 * (start.abs() + 1)
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0]).double()] * 12)
    ends = start + signs * reach
    losses = 0.5 * ((ends @ matrix) * ends).sum(1)
    loss = 0.5 * start @ matrix @ start
    best = float(100 * (losses.max() - loss) / (1 + loss))
    assert 0.9 * best <= found.value[0, 0] <= best * (1 + 1e-12)


def test_keskar_in_a_random_subspace_rises_and_is_decided_by_the_seed() -> None:
    problem = classifier()
    found = [sharpness(problem, forms=["keskar"], box=0.01, subspace=5, seed=seed) for seed in (0, 0, 1)]
    # SciPy's ascent goes through NumPy's BLAS, whose last digit depends on where in memory an array lies.
    assert found[0].value[0, 0] == pytest.approx(found[1].value[0, 0], rel=1e-9)
    assert found[0].value[0, 0] != pytest.approx(found[2].value[0, 0], rel=1e-6)
    assert found[0].value[0, 0] > 0
    assert found[0].converged[0, 0]


def test_rescaling_layers_changes_lambda_max_but_no_adaptive_form() -> None:
    problem = classifier()
    params = torch.stack([rescaled(problem, c) for c in (1.0, 3.0, 10.0)])
    losses = problem.evaluate(params)["loss"]
    assert (losses - losses[0]).abs().max() < 1e-12
    found = sharpness(problem, params=params)
    for form in ("lambda_max", "trace", "keskar", "sam", "norm_normalised"):
        assert found.of(form)[2] > 2 * found.of(form)[0]
    for form in ("adaptive_step", "adaptive", "adaptive_lambda_max"):
        np.testing.assert_allclose(found.of(form), found.of(form)[0], rtol=1e-5)


def test_norm_normalised_sharpness_of_a_scale_invariant_network_does_not_change_with_its_length() -> None:
    inputs = torch.randn(30, 5, generator=torch.Generator().manual_seed(0)).double()

    def model(parameters: dict[str, Tensor], x: Tensor) -> Tensor:
        return x @ (parameters["w"] / parameters["w"].norm())

    start = torch.linspace(-1, 1, 5).double()
    problem = Problem(model, F.mse_loss, (inputs, inputs[:, 0]), parameters={"w": start})
    params = start * torch.tensor([[1.0], [2.0], [5.0]]).double()
    found = sharpness(problem, forms=["norm_normalised", "lambda_max"], params=params)
    np.testing.assert_allclose(found.of("norm_normalised"), found.of("norm_normalised")[0], rtol=1e-8)
    np.testing.assert_allclose(found.of("lambda_max") * [1, 4, 25], found.of("lambda_max")[0], rtol=1e-8)


def test_eigenvalues_and_trace_are_those_of_the_dense_hessian() -> None:
    problem = classifier()
    dense = Curvature(problem).dense()[0]
    found = sharpness(problem, forms=["lambda_max", "trace", "adaptive_lambda_max", "norm_normalised"])
    largest = float(torch.linalg.eigvalsh(dense)[-1])
    size = problem.start.abs()
    adaptive = float(torch.linalg.eigvalsh(size[:, None] * dense * size)[-1])
    norm = float(problem.start.square().sum())
    np.testing.assert_allclose(found.value[:, 0], [largest, float(dense.trace()), adaptive, largest * norm], rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_form_of_networks_side_by_side_is_that_of_each_alone(dtype: torch.dtype) -> None:
    problem = classifier(dtype)
    params = problem.start * torch.tensor([[1.0], [0.5]], dtype=dtype)
    together = sharpness(problem, params=params, split="test")
    assert np.isfinite(together.value).all()
    rtol = 5e-2 if dtype == torch.float32 else 1e-3
    for index, row in enumerate(params):
        alone = sharpness(problem, params=row[None], split="test")
        np.testing.assert_allclose(together.value[:, index], alone.value[:, 0], rtol=rtol)


def test_refined_rises_are_not_below_first_order_ones_and_bounds_are_named() -> None:
    found = sharpness(classifier())
    for form in ("sam", "adaptive"):
        assert found.of(form)[0] >= found.of(f"{form}_step")[0] > 0
    assert dict(zip(found.forms, found.lower_bound, strict=True)) == {form: form in LOWER_BOUNDS for form in FORMS}


def test_too_few_iterations_are_reported_as_not_converged() -> None:
    matrix = torch.diag(torch.cat([torch.ones(11), torch.tensor([1.2])]).double())
    found = sharpness(quadratic(matrix, torch.zeros(12).double()), forms=["sam"], iterations=1, tolerance=1e-9)
    assert not found.converged[0, 0]
    assert found.value[0, 0] < 0.05**2 * 1.2 / 2
    assert found.error[0, 0] > 0


def test_the_cost_of_an_ascent_is_the_gradients_that_it_took() -> None:
    problem, calls = quadratic(random_matrix(), torch.ones(12).double()), 0
    plain = problem.gradients

    def counted(params: Tensor, split: str = "train") -> tuple[Tensor, Tensor]:
        nonlocal calls
        calls += len(params)
        return plain(params, split)

    problem.gradients = counted  # type: ignore[method-assign]
    params = problem.start.expand(3, -1)
    found = sharpness(problem, forms=["sam_step", "sam", "adaptive", "keskar"], params=params)
    assert calls == found.cost.gradients == sum(cost.gradients for cost in found.costs)


def test_a_loss_that_overflows_is_neither_followed_nor_reported_as_a_rise() -> None:
    def model(parameters: dict[str, Tensor], _: Tensor) -> Tensor:
        return parameters["w"].exp().sum()[None]

    problem = Problem(model, lambda z, _: z.mean(), DATA, parameters={"w": torch.tensor([80.0])})
    found = sharpness(problem, forms=["sam", "sam_step"], radius=20.0)
    assert np.isfinite(found.value[0, 0])
    assert found.value[0, 0] > np.exp(85)
    assert np.isnan(found.value[1, 0])
    assert not found.converged.any()


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e6])
def test_a_rise_that_is_lost_in_the_rounding_of_a_large_loss_has_not_converged(offset: float) -> None:
    generator = torch.Generator().manual_seed(0)
    inputs, labels = torch.randn(30, 4, generator=generator), torch.randint(3, (30,), generator=generator)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = nn.Linear(4, 3)
    forms = ["sam", "sam_step", "adaptive"]
    found = sharpness(Problem(model, lambda z, y: F.cross_entropy(z, y) + offset, (inputs, labels)), forms=forms)
    exact = sharpness(Problem(model.double(), F.cross_entropy, (inputs.double(), labels)), forms=forms)
    wrong = np.abs(found.value - exact.value) > 0.01 * exact.value
    assert (np.abs(found.value - exact.value) <= found.error + exact.error + 1e-5 * exact.value)[found.converged].all()
    assert not (wrong & found.converged).any()
    assert found.converged[0, 0] == (offset == 0)


def test_what_is_measured_stays_as_it_was() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(4, 6), nn.Dropout(), nn.Linear(6, 3)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    problem = Problem(model, F.cross_entropy, (torch.ones(8, 4), torch.arange(8) % 3))
    state = torch.get_rng_state()
    one, same = (sharpness(problem, seed=4) for _ in range(2))
    assert np.array_equal(one.value, same.value)
    assert torch.equal(state, torch.get_rng_state())
    assert model.training
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("networks", [1, 3])
def test_progress_reaches_the_end_and_the_result_is_a_table_and_a_picture(networks: int) -> None:
    problem, told = classifier(), []
    found = sharpness(problem, params=problem.start.expand(networks, -1), iterations=5, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    frame = found.to_frame()
    assert len(frame) == len(FORMS) * networks
    assert list(frame.columns[:6]) == ["form", "network", "value", "error", "converged", "lower_bound"]
    assert found.plot().get_ylabel().startswith("sharpness")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"forms": ["flat"]}, "forms hold 'flat', expected some of lambda_max"),
        ({"forms": []}, "forms hold 'nothing'"),
        ({"radius": 0.0}, "radius is 0.0, expected a positive number"),
        ({"adaptive_radius": -1.0}, "adaptive_radius is -1.0"),
        ({"box": np.inf}, "box is inf"),
        ({"subspace": 0}, "subspace is 0"),
        ({"iterations": 0}, "iterations is 0"),
        ({"tolerance": 0.0}, "tolerance is 0.0"),
        ({"split": "dev"}, "split is 'dev', expected 'train' or 'test'"),
    ],
)
def test_bad_input_is_refused_in_words(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        sharpness(classifier(), **options)  # type: ignore[arg-type]


def test_a_form_that_was_not_measured_is_refused() -> None:
    with pytest.raises(InvalidInput, match="form is 'sam', expected one of those measured: trace"):
        sharpness(classifier(), forms=["trace"]).of("sam")


class NoSecond(torch.autograd.Function):
    """The square, of which the backward pass is no function of the input any more."""

    @staticmethod
    def forward(ctx, inputs):
        ctx.save_for_backward(inputs)
        return inputs**2

    @staticmethod
    def backward(ctx, gradient):
        return 2 * ctx.saved_tensors[0].detach() * gradient


def test_forms_of_first_order_do_not_ask_for_second_derivatives() -> None:
    def problem(square) -> Problem:
        torch.manual_seed(0)
        inputs, weights = torch.randn(8, 3).double(), torch.randn(3).double()
        return Problem(
            lambda p, x: square(x @ p["w"]), F.mse_loss, (inputs, torch.ones(8).double()), parameters={"w": weights}
        )

    with torch.random.fork_rng():
        wrong, right = problem(NoSecond.apply), problem(torch.square)
    forms = ("sam", "keskar")
    found, truth = (sharpness(each, forms=forms, iterations=5).value for each in (wrong, right))
    np.testing.assert_allclose(found, truth, rtol=1e-9)
    with pytest.raises(InvalidInput, match="second derivatives by autograd are not those of the loss"):
        sharpness(wrong, forms=("lambda_max",))
