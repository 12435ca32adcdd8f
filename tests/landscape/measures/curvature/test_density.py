"""Spectral densities: against dense eigenvalues, closed moments and another library, with intervals that cover."""

from __future__ import annotations

import functools
import warnings

import matplotlib as mpl
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.curvature.density import SpectralDensity, density_of, spectral_density
from grokscape.landscape.measures.curvature.quadrature import quadrature
from grokscape.landscape.measures.curvature.smoothing import Smoothing
from grokscape.landscape.problem import Problem
from tests.landscape.measures.curvature import matrices
from tests.landscape.measures.curvature.matrices import Repeated

mpl.use("Agg")

SEEDS = 200


#: A network of 125 parameters.
perceptron = functools.partial(matrices.perceptron, 10, 5)


def spectra() -> dict[str, Tensor]:
    rank = torch.arange(120, dtype=torch.float64)
    outlier = torch.where(rank < 1, 5.0, rank / 120)
    found = {"flat": torch.diag(3 - rank / 60), "fast": torch.diag(0.9**rank), "outlier": torch.diag(outlier)}
    found["hessian"] = Curvature(perceptron()).dense()[0]
    found["gauss-newton"] = Curvature(perceptron(steps=300), kind="gauss_newton").dense()[0]
    return found


MATRICES = spectra()


def smoothed(found: SpectralDensity, eigenvalues: np.ndarray) -> np.ndarray:
    """Return the exact density on the grids of a linear measurement, shape (networks, points)."""
    width = found.width[:, None, None]
    kernel = np.exp(-0.5 * ((found.grid[:, :, None] - eigenvalues) / width) ** 2) / (width * (2 * np.pi) ** 0.5)
    return kernel.mean(2)


@functools.cache
def measured(name: str, seeds: int = SEEDS, steps: int = 40) -> SpectralDensity:
    matrix = MATRICES[name]
    plain, generator = Repeated(matrix, seeds), torch.Generator().manual_seed(0)

    def draw(_: int) -> Tensor:
        return torch.randn(seeds, len(matrix), generator=generator, dtype=matrix.dtype)

    found = quadrature(plain, draw, 8, steps, lambda: None)
    smooth = Smoothing("linear", None, steps, 25)
    return density_of(found, smooth, plain, exact=False, kind="hessian", split="train", seed=0)


@pytest.mark.parametrize("name", MATRICES)
def test_the_95_percent_interval_covers_the_density_in_92_to_98_percent_of_200_seeds(name: str) -> None:
    found, eigenvalues = measured(name), torch.linalg.eigvalsh(MATRICES[name]).numpy()
    exact = smoothed(found, eigenvalues)
    lower, upper = (end[:, 0] for end in found.interval())
    covered = ((lower <= exact) & (exact <= upper)).mean(0)
    seen = exact.mean(0) > 0.1 / (len(eigenvalues) * found.width.mean() * (2 * np.pi) ** 0.5)
    assert seen.sum() >= 4
    assert 0.92 <= covered[seen].mean() <= 0.98
    # At a single point, four standard deviations of the share that 200 seeds show.
    assert (np.abs(covered[seen] - 0.95) < 4 * (0.95 * 0.05 / SEEDS) ** 0.5).all()
    assert found.quadrature_error[:, 0, seen].max() < 0.01 * exact.max()


@pytest.mark.parametrize("name", MATRICES)
def test_the_95_percent_interval_covers_the_mean_eigenvalue_in_92_to_98_percent_of_1000_seeds(name: str) -> None:
    lower, upper = measured(name, seeds=1000, steps=16).mean_interval()
    exact = float(MATRICES[name].trace()) / len(MATRICES[name])
    assert 0.92 <= ((lower <= exact) & (exact <= upper)).mean() <= 0.98


@pytest.mark.parametrize("name", MATRICES)
def test_weights_sum_to_1_and_moments_are_those_of_the_matrix(name: str) -> None:
    found, matrix = measured(name), MATRICES[name]
    np.testing.assert_allclose(found.weights.sum(2), 1, rtol=1e-12)
    for order in (1, 2, 3):
        exact = float(torch.linalg.eigvalsh(matrix).pow(order).mean())
        moments = found.moment(order)
        assert abs(moments.mean() - exact) < 4 * moments.std() / SEEDS**0.5


def test_a_t_interval_would_miss_the_density_of_a_single_outlier() -> None:
    found = measured("outlier")
    exact = smoothed(found, torch.linalg.eigvalsh(MATRICES["outlier"]).numpy())
    at = exact[0, -8:].argmax() - 8
    reach = 2.365 * found.standard_error[:, 0, at]
    assert (np.abs(found.density[:, 0, at] - exact[:, at]) <= reach).mean() < 0.92


def test_standard_errors_are_the_spread_over_seeds() -> None:
    found = measured("hessian")
    spread = found.density[:, 0].std(0, ddof=1)
    seen = found.density.mean((0, 1)) > 0.05
    claimed = np.sqrt((found.standard_error[:, 0] ** 2).mean(0))
    np.testing.assert_allclose(claimed[seen], spread[seen], rtol=0.25)


@pytest.mark.parametrize("axis", ["linear", "log"])
def test_all_steps_of_lanczos_from_many_probes_give_the_dense_density(axis: str) -> None:
    problem = perceptron()
    dense = spectral_density(problem, axis=axis, method="dense", width=0.3)
    found = spectral_density(problem, axis=axis, method="lanczos", probes=30, steps=125, width=0.3)
    assert dense.exact
    assert not found.exact
    for index in range(len(dense.sides)):
        ours = np.interp(dense.grid[0], found.grid[0], found.density[0, index], left=0, right=0)
        low, high = (np.interp(dense.grid[0], found.grid[0], end[0, index]) for end in found.interval(0.9999))
        exact = dense.density[0, index]
        seen = exact > 0.05 * dense.density.max()
        assert ((low <= exact) & (exact <= high))[seen].all()
        assert np.abs(ours - exact).max() < 0.2 * dense.density.max()


@pytest.mark.parametrize("axis", ["linear", "log"])
@pytest.mark.parametrize("method", ["lanczos", "dense"])
def test_the_density_integrates_to_1_less_what_counts_as_zero(axis: str, method: str) -> None:
    model = nn.Sequential(nn.Linear(4, 8, dtype=torch.float64), nn.ReLU(), nn.Linear(8, 1, dtype=torch.float64))
    inputs = torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(6, 4)
    problem = Problem(model, F.mse_loss, (inputs, inputs[:, :1]))
    found = spectral_density(problem, axis=axis, method=method, kind="gauss_newton", points=2000, steps=30)
    total = found.density.sum((1, 2)) * (found.grid[0, 1] - found.grid[0, 0])
    assert total[0] == pytest.approx(1 - found.near_zero[0], abs=1e-3)
    if axis == "log" and method == "dense":
        assert found.near_zero[0] >= (problem.size - 6) / problem.size - 1e-12
        assert found.density[0, 1].max() == 0


def test_the_density_agrees_with_that_of_curvlinops() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spectrum = pytest.importorskip("curvlinops.papyan2020traces.spectrum")
    matrix = MATRICES["hessian"]
    values = torch.linalg.eigvalsh(matrix)
    low, high, steps = float(values[0]), float(values[-1]), 40
    with torch.random.fork_rng():
        torch.manual_seed(0)
        runs = [
            spectrum.lanczos_approximate_spectrum_from_iter(
                spectrum.fast_lanczos(matrix, steps), (low, high), num_points=200, kappa=3.0, margin=0.1
            )
            for _ in range(100)
        ]
    grid, theirs = runs[0][0], torch.stack([density for _, density in runs]).mean(0)
    half = 1.2 * (high - low) / 2  # their margin on either side
    width = half * 2 / (steps - 1) / np.sqrt(8 * np.log(3))  # of their kernel
    ours = spectral_density(perceptron(), method="lanczos", probes=100, steps=steps, width=width, points=2000)
    mine = np.interp(grid.numpy(), ours.grid[0], ours.density[0, 0])
    error = np.interp(grid.numpy(), ours.grid[0], ours.standard_error[0, 0])
    assert (np.abs(mine - theirs.numpy()) <= 4 * 2**0.5 * error + 1e-3 * mine.max()).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_networks_side_by_side_are_measured_as_each_alone(dtype: torch.dtype) -> None:
    problem = perceptron(dtype)
    params = problem.start * torch.tensor([[1.0], [0.5]], dtype=dtype)
    options = {"method": "lanczos", "probes": 3, "steps": 12, "width": 0.1, "points": 50, "seed": 2}
    together = spectral_density(problem, params=params, **options)
    for index, row in enumerate(params):
        alone = spectral_density(problem, params=row[None], **options)
        tolerance = 2e-3 if dtype == torch.float32 else 1e-9
        np.testing.assert_allclose(together.density[index], alone.density[0], atol=tolerance * alone.density.max())
    assert together.cost.matvecs == 2 * 3 * 12
    assert together.nodes.shape == (2, 3, 12)


def test_the_zero_matrix_and_few_steps_have_a_density_too() -> None:
    zero = Problem(
        lambda p, x: x @ p["w"],
        lambda z, y: z.mean(),
        (torch.ones(2, 3), torch.ones(2)),
        parameters={"w": torch.ones(3, 1)},
    )
    found = spectral_density(zero, method="lanczos", probes=2, steps=2)
    assert np.isfinite(found.density).all()
    assert found.moment()[0] == 0


def test_the_seed_decides_and_nothing_global_changes() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(6, 12), nn.Dropout(), nn.Linear(12, 11)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    problem = Problem(model, F.cross_entropy, (torch.ones(8, 6), torch.arange(8)))
    state = torch.get_rng_state()
    one, same, other = (spectral_density(problem, method="lanczos", probes=2, steps=5, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one.nodes, same.nodes)
    assert not np.array_equal(one.nodes, other.nodes)
    assert torch.equal(state, torch.get_rng_state())
    assert model.training
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("axis", ["linear", "log"])
def test_progress_reaches_the_end_and_the_result_is_a_table_and_a_picture(axis: str) -> None:
    told: list[float] = []
    found = spectral_density(perceptron(), axis=axis, method="lanczos", steps=10, points=64, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    frame = found.to_frame()
    assert len(frame) == 64 * len(found.sides)
    assert (frame["lower"] <= frame["density"]).all()
    assert (frame["density"] <= frame["upper"]).all()
    assert found.plot().get_ylabel() == "density"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"probes": 1}, "probes is 1, expected at least 2"),
        ({"steps": 1}, "steps is 1, expected at least 2"),
        ({"points": 1}, "points is 1, expected at least 2"),
        ({"axis": "cubic"}, "axis is 'cubic', expected 'linear' or 'log'"),
        ({"method": "guess"}, "method is 'guess', expected 'auto'"),
        ({"width": -1.0}, "width is -1.0, expected a positive number"),
        ({"kind": "fisher"}, "kind is 'fisher'"),
    ],
)
def test_bad_input_is_refused_in_words(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        spectral_density(perceptron(), **options)  # type: ignore[arg-type]


def test_a_level_outside_0_to_1_is_refused() -> None:
    found = spectral_density(perceptron())
    for interval in (found.interval, found.mean_interval):
        with pytest.raises(InvalidInput, match="level is 95"):
            interval(95)
