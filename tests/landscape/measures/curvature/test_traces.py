"""Traces: exact values, unbiased estimates, intervals that cover, and errors no larger than another library's."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.curvature.trace_estimators import Estimate
from grokscape.landscape.measures.curvature.traces import ESTIMATORS, trace
from grokscape.landscape.problem import Problem
from tests.landscape.measures.curvature import matrices
from tests.landscape.measures.curvature.matrices import Repeated

mpl.use("Agg")

SEEDS = 200


def seeded(matrix: Repeated, seed: int) -> Callable[[int], Tensor]:
    """Return probes that differ from network to network."""
    generator = torch.Generator().manual_seed(seed)
    return lambda _: torch.randn(matrix.count, matrix.size, generator=generator, dtype=matrix.dtype)


def estimates(method: str, matrix: Tensor, budget: int, count: int = SEEDS) -> Estimate:
    plain = Repeated(matrix, count)
    found = ESTIMATORS[method](plain, seeded(plain, 0), budget, lambda: None)
    assert budget - 2 <= plain.matvecs <= budget
    return found


#: A network of 227 parameters.
perceptron = functools.partial(matrices.perceptron, 12, 11)


def spectra() -> dict[str, Tensor]:
    rank = torch.arange(200, dtype=torch.float64)
    basis = torch.linalg.qr(torch.randn(200, 200, generator=torch.Generator().manual_seed(0), dtype=rank.dtype))[0]
    values = {"flat": 3 - rank / 100, "fast": 0.9**rank, "faster": 0.7**rank}
    found = {name: basis * value @ basis.T for name, value in values.items()}
    start, trained = perceptron(), perceptron(steps=300)
    found["hessian"] = Curvature(start).dense()[0]
    found["trained hessian"] = Curvature(trained).dense()[0]
    found["gauss-newton"] = Curvature(trained, kind="gauss_newton").dense()[0]
    return found


MATRICES = spectra()


@functools.cache
def measured(method: str, name: str) -> Estimate:
    return estimates(method, MATRICES[name], 100)


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("method", ESTIMATORS)
def test_the_95_percent_interval_covers_the_trace_in_92_to_98_percent_of_200_seeds(method: str, name: str) -> None:
    matrix = MATRICES[name]
    found = measured(method, name)
    reach = torch.from_numpy(stats.t.ppf(0.975, found.degrees_of_freedom)) * found.standard_error
    covered = ((found.value - matrix.trace()).abs() <= reach).double().mean()
    assert 0.92 <= covered <= 0.98


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("method", ESTIMATORS)
def test_estimates_are_unbiased_and_the_squared_standard_error_is_their_variance(method: str, name: str) -> None:
    matrix = MATRICES[name]
    found = measured(method, name)
    error = found.value - matrix.trace()
    assert abs(error.mean()) < 4 * error.std() / SEEDS**0.5
    if (method, name) == ("xtrace", "faster"):
        # Errors of 1e-8 with heavy tails: a covariance that is not let below 0 makes the square too large on average,
        # by 1.7 here, while the interval still covers as often as it says (above).
        assert found.standard_error.square().mean() > error.square().mean()
        return
    # The variance of 200 values is known to within some 10 %.
    assert 0.7 < found.standard_error.square().mean() / error.square().mean() < 1.45


def test_the_textbook_error_of_xtrace_would_not_cover() -> None:
    matrix = MATRICES["gauss-newton"]
    found = measured("xtrace", "gauss-newton")
    textbook = found.samples.std(1) / found.samples.shape[1] ** 0.5
    covered = ((found.value - matrix.trace()).abs() <= 2.01 * textbook).double().mean()
    assert covered < 0.9


@pytest.mark.parametrize("name", ["hessian", "gauss-newton"])
def test_xtrace_errs_no_more_than_the_best_estimator_of_curvlinops(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        curvlinops = pytest.importorskip("curvlinops")
    matrix, exact = MATRICES[name], MATRICES[name].trace()
    assert len(matrix) == 227
    ours = (measured("xtrace", name).value - exact).square()
    best = torch.tensor([torch.inf])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for rival, matvecs in (("hutchinson_trace", 100), ("hutchpp_trace", 99), ("xtrace", 100)):
            values = torch.stack([getattr(curvlinops, rival)(matrix, matvecs) for _ in range(SEEDS)])
            theirs = (values - exact).square()
            best = min(best, theirs, key=lambda squares: squares.mean())
    ratio = (ours.mean() / best.mean()).sqrt()
    # Of two root mean squares over 200 seeds each, by the delta method.
    noise = 0.5 * sum(float(x.var() / x.mean() ** 2 / SEEDS) for x in (ours, best)) ** 0.5
    assert ratio <= 1.05 + 1.64 * noise
    assert noise < 0.1


@pytest.mark.parametrize("rank", [0, 10, 49])
def test_a_matrix_of_low_rank_is_measured_to_rounding_by_xtrace(rank: int) -> None:
    matrix = torch.diag((torch.arange(120) < rank) * torch.arange(1.0, 121.0).double())
    found = estimates("xtrace", matrix, 100, count=10)
    assert (found.value - matrix.trace()).abs().max() <= 1e-11 * (1 + matrix.trace())
    assert found.standard_error.max() <= 1e-11 * (1 + matrix.trace())
    assert found.degrees_of_freedom.isfinite().all()


def test_hutchinson_is_exact_on_a_diagonal_matrix() -> None:
    found = estimates("hutchinson", torch.diag(torch.arange(30.0).double()), 6)
    assert found.value.allclose(torch.tensor(435.0).double())


@pytest.mark.parametrize("kind", ["hessian", "gauss_newton"])
def test_a_budget_of_all_parameters_gives_the_dense_trace_exactly(kind: str) -> None:
    problem = perceptron()
    dense = Curvature(problem, kind=kind).dense()[0].trace()
    found = trace(problem, kind=kind, budget=227)
    assert found.exact
    assert found.method == "exact"
    assert found.estimate[0] == pytest.approx(float(dense), rel=1e-12)
    assert found.standard_error[0] == 0
    assert np.equal(*found.interval()).all()
    assert found.cost.matvecs == 227
    assert trace(problem, kind=kind, method="exact").estimate == found.estimate


@pytest.mark.parametrize("method", ESTIMATORS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_networks_side_by_side_are_measured_as_each_alone(method: str, dtype: torch.dtype) -> None:
    problem = perceptron(dtype)
    params = problem.start * torch.tensor([[1.0], [0.5], [2.0]], dtype=dtype)
    together = trace(problem, params=params, method=method, budget=30, seed=3)
    alone = [trace(problem, params=row[None], method=method, budget=30, seed=3) for row in params]
    rtol = 1e-4 if dtype == torch.float32 else 1e-8
    np.testing.assert_allclose(together.estimate, [one.estimate[0] for one in alone], rtol=rtol)
    np.testing.assert_allclose(together.standard_error, [one.standard_error[0] for one in alone], rtol=10 * rtol)
    assert together.cost.matvecs == sum(one.cost.matvecs for one in alone)
    exact = trace(problem, params=params, method="exact").estimate
    low, high = together.interval(0.9999)
    assert ((low < exact) & (exact < high)).all()


def test_the_seed_decides_and_nothing_global_changes() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(6, 12), nn.Dropout(), nn.Linear(12, 11)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    problem = Problem(model, F.cross_entropy, (torch.ones(8, 6), torch.arange(8)))
    state = torch.get_rng_state()
    one, same, other = (trace(problem, budget=20, seed=seed) for seed in (0, 0, 1))
    assert one.estimate == same.estimate
    assert one.estimate != other.estimate
    assert torch.equal(state, torch.get_rng_state())
    assert model.training
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_progress_reaches_the_end_and_the_result_is_a_table_and_a_picture() -> None:
    told: list[float] = []
    found = trace(perceptron(), budget=20, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    frame = found.to_frame()
    assert list(frame) == ["network", "trace", "standard_error", "lower", "upper", "method"]
    assert frame["lower"][0] < frame["trace"][0] < frame["upper"][0]
    assert found.plot().get_ylabel() == "trace of the Hessian"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "guess"}, "method is 'guess', expected 'xtrace'"),
        ({"budget": 5}, "budget is 5, expected at least 6"),
        ({"kind": "fisher"}, "kind is 'fisher'"),
        ({"split": "test"}, "no test data"),
    ],
)
def test_bad_input_is_refused_in_words(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        trace(perceptron(), **options)  # type: ignore[arg-type]


def test_the_interval_is_that_of_student_on_both_sides() -> None:
    found = trace(perceptron(), method="hutchinson", budget=10)
    low, high = found.interval(0.9)
    reach = stats.t.ppf(0.95, 9) * found.samples.std(1, ddof=1) / 10**0.5
    np.testing.assert_allclose([low, high], [found.estimate - reach, found.estimate + reach])


def test_a_level_outside_0_to_1_is_refused() -> None:
    with pytest.raises(InvalidInput, match="level is 95"):
        trace(perceptron(), budget=10).interval(95)
