"""Top eigenvalues: exact where the matrix is known, honest about what has not converged, the same in any batch."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse.linalg
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.curvature.eigenvalues import measured, top_eigenvalues
from grokscape.landscape.measures.curvature.lanczos import start_vectors
from grokscape.landscape.measures.curvature.restarted import Ritz, largest
from grokscape.landscape.problem import Problem
from tests.landscape.measures.cases import CASES, case
from tests.landscape.measures.curvature.matrices import Known, bowl, with_spectrum


@pytest.fixture(scope="module")
def trained():
    """A small network on modular addition, trained a little, with its checkpoints (float64)."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(22, 24, bias=False), nn.ReLU(), nn.Linear(24, 11)).double()
    pairs = torch.cartesian_prod(torch.arange(11), torch.arange(11))
    inputs, labels = F.one_hot(pairs, 11).flatten(1).double(), pairs.sum(1) % 11
    problem = Problem(module, F.cross_entropy, (inputs, labels))
    optimiser, params = torch.optim.AdamW(module.parameters(), 1e-2), []
    for step in range(60):
        if step % 15 == 0:
            params.append(problem.layout.row(dict(module.named_parameters())).detach())
        optimiser.zero_grad()
        F.cross_entropy(module(inputs), labels).backward()
        optimiser.step()
    return problem, torch.stack(params)


def test_the_largest_algebraic_eigenvalue_not_the_largest_magnitude():
    found = top_eigenvalues(bowl([-6.0, 2.0, 1.0]), negative=True)
    np.testing.assert_allclose(found.values, [[2.0]], atol=1e-12)
    np.testing.assert_allclose(found.smallest.values, [[-6.0]], atol=1e-12)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("method", ["lanczos", "dense"])
def test_eigenvalues_are_those_of_the_dense_matrix(name, method):
    problem = case(name).problem()
    truth = torch.linalg.eigvalsh(Curvature(problem).dense()[0]).flip(0)
    found = top_eigenvalues(problem, 4, method=method, negative=True)
    np.testing.assert_allclose(found.values[0], truth[:4], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found.smallest.values[0], truth[-1:], rtol=1e-6, atol=1e-12)
    assert found.converged.all()


def test_eigenvectors_have_the_residuals_that_are_stated(trained):
    problem, params = trained
    found = top_eigenvalues(problem, 5, params=params, tolerance=1e-4)
    dense = Curvature(problem, params).dense().numpy()
    for network in range(len(params)):
        vectors, values = found.vectors[network], found.values[network]
        np.testing.assert_allclose(vectors @ vectors.T, np.eye(5), atol=1e-10)
        residuals = np.linalg.norm(dense[network] @ vectors.T - vectors.T * values, axis=0)
        np.testing.assert_allclose(found.residuals[network], residuals, rtol=1e-3, atol=1e-14)
        truth = np.linalg.eigvalsh(dense[network])[::-1]
        for value, residual in zip(values, residuals, strict=True):  # Weinstein's bound
            assert np.abs(truth - value).min() <= residual + 1e-14
    assert (found.residuals <= 1e-4 * found.values).all()
    assert found.converged.all()


def test_checkpoints_together_are_as_each_alone(trained):
    problem, params = trained
    together = top_eigenvalues(problem, 3, params=params)
    for index, row in enumerate(params):
        alone = top_eigenvalues(problem, 3, params=row[None])
        np.testing.assert_allclose(together.values[index], alone.values[0], rtol=1e-9)
    assert together.cost.matvecs == sum(top_eigenvalues(problem, 3, params=r[None]).cost.matvecs for r in params)


def test_scipy_and_pyhessian_agree(trained):
    problem, params = trained
    ours = top_eigenvalues(problem, 3, params=params[-1:])
    matrix = Curvature(problem, params[-1:])
    operator = scipy.sparse.linalg.LinearOperator(
        (problem.size, problem.size),
        matvec=lambda v: matrix.matvec(torch.from_numpy(v.reshape(1, -1)))[0].numpy(),
        dtype=np.float64,
    )
    start = np.random.default_rng(0).standard_normal(problem.size)
    theirs = scipy.sparse.linalg.eigsh(operator, 3, which="LA", v0=start, tol=1e-10, return_eigenvectors=False)
    np.testing.assert_allclose(ours.values[0], np.sort(theirs)[::-1], rtol=1e-8)
    # PyHessian means the largest in magnitude, stops on the change of the value rather than on a residual, and warns
    # of a reference cycle; where the largest magnitude is positive the two must agree.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyhessian = pytest.importorskip("pyhessian")
        module = problem.template
        for name, tensor in problem.layout.tensors(params[-1]).items():
            module.get_parameter(name).data.copy_(tensor)
        inputs, labels = problem.batches["train"][0]
        with torch.random.fork_rng():
            torch.manual_seed(0)
            second = pyhessian.hessian(module, nn.CrossEntropyLoss(), data=(inputs, labels), cuda=False)
            values, _ = second.eigenvalues(maxIter=2000, tol=1e-9, top_n=1)
    assert ours.values[0, 0] == pytest.approx(values[0], rel=1e-4)


def test_restarts_and_repeated_values_and_low_rank():
    # A small basis must restart; a matrix of low rank exhausts its Krylov space; a multiple of one has nothing else.
    spread = with_spectrum(np.linspace(-1, 1, 200) ** 3, 1)
    low = with_spectrum([3.0, 2.0, 1.0] + [0.0] * 197, 2)
    same = 2.0 * torch.eye(200, dtype=torch.float64)
    operator = Known(torch.stack([spread, low, same]))
    start = start_vectors(operator, 0)
    ritz = largest(operator, start, 4, tolerance=1e-8, max_matvecs=4000, basis=12)
    truth = torch.linalg.eigvalsh(operator.matrices).flip(1)[:, :4]
    torch.testing.assert_close(ritz.values, truth, rtol=1e-7, atol=1e-9)


def test_what_has_not_converged_says_so():
    problem = bowl(np.linspace(0.999, 1.0, 300))
    found = top_eigenvalues(problem, 2, max_matvecs=4, tolerance=1e-9)
    assert not found.converged.any()
    assert (found.residuals > 1e-9).all()
    assert found.cost.matvecs == 4 + 1  # for the search, and for the residuals


def test_float32_reaches_its_rounding_and_float64_goes_further():
    exact = case("conv")
    single = case("conv", torch.float32)
    truth = torch.linalg.eigvalsh(Curvature(exact.problem()).dense()[0])[-1]
    found = top_eigenvalues(single.problem(), method="lanczos")
    assert found.values.dtype == np.float64
    assert found.vectors.dtype == np.float32
    assert found.converged.all()
    assert found.values[0, 0] == pytest.approx(float(truth), rel=1e-5)


def test_same_seed_same_bits_and_the_model_is_left_alone():
    one = case("batch norm")
    one.module.train()
    before = {name: value.clone() for name, value in one.module.state_dict().items()}
    random_state = torch.get_rng_state()
    first, second = (top_eigenvalues(one.problem(), 2, method="lanczos", seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.vectors, second.vectors)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert one.module.training
    assert all(torch.equal(before[name], value) for name, value in one.module.state_dict().items())
    assert all(parameter.grad is None for parameter in one.module.parameters())


def test_the_table_and_the_picture_hold_every_value(trained):
    problem, params = trained
    found = top_eigenvalues(problem, 2, params=params, negative=True)
    frame = found.to_frame()
    assert len(frame) == len(params) * 3
    assert set(frame["rank"]) == {1, 2, -1}
    axes = found.plot()
    drawn = np.concatenate([line.get_ydata() for line in axes.lines])
    assert set(found.values.ravel()) <= set(drawn)


def test_bad_requests_are_refused_by_name():
    problem = case("mlp").problem()
    with pytest.raises(InvalidInput, match="k is 52, expected between 1 and 51"):
        top_eigenvalues(problem, 52)
    with pytest.raises(InvalidInput, match="tolerance is 0"):
        top_eigenvalues(problem, tolerance=0)
    with pytest.raises(InvalidInput, match="method is 'power'"):
        top_eigenvalues(problem, method="power")


@pytest.mark.parametrize(("tolerance", "bound"), [(1e-6, 1e-6), (1e-20, 32 * 2.0**-52)])
def test_a_pair_has_converged_up_to_the_tolerance_and_to_the_rounding_of_a_product(tolerance, bound):
    matrix = Known(torch.diag(torch.tensor([1.0, 0.0], dtype=torch.float64))[None])
    for share, fine in ((0.8, True), (1.25, False)):
        vector = torch.tensor([[[1.0, share * bound]]], dtype=torch.float64)  # A v - v = (0, -share * bound)
        ritz = Ritz(torch.ones(1, 1).double(), vector, torch.zeros(1, 1).double(), torch.zeros(1, 2).double(), 0)
        _, _, residuals, converged = measured(matrix, ritz, tolerance)
        assert residuals.item() == pytest.approx(share * bound)
        assert converged.item() == fine


def test_an_error_that_lanczos_does_not_know_of_is_measured():
    # A v_i = theta_i v_i + edge_i beyond + e_i, with errors e_i of lengths 3 and 4 that are orthogonal.
    matrix = torch.zeros(1, 4, 4, dtype=torch.float64)
    matrix[0, 2, 0], matrix[0, 3, 1] = 3.0, 4.0
    units = torch.eye(4, dtype=torch.float64)
    edges = torch.tensor([[0.5, -0.5]], dtype=torch.float64)
    matrix[0, :, :2] += units[2][:, None] * edges[0]
    ritz = Ritz(torch.zeros(1, 2).double(), units[None, :2], edges, units[None, 2], 0)
    _, _, residuals, converged = measured(Known(matrix), ritz, 1e-6)
    np.testing.assert_allclose(residuals, [[(0.25 + 12.5) ** 0.5] * 2])  # 12.5 is the mean of 9 and 16
    assert not converged.any()


LARGE = """
import pathlib, re, sys, torch
from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues
from grokscape.landscape.problem import Problem

torch.set_num_threads(1)
size, one = int(sys.argv[1]), torch.ones(1)
values = torch.rand(size, generator=torch.Generator().manual_seed(0))
half = lambda parameters, inputs: 0.5 * (values * parameters["x"].square()).sum() * inputs
problem = Problem(half, lambda z, _: z, (one, one), parameters={"x": torch.ones(size)})
top_eigenvalues(problem, 1, basis=8, max_matvecs=8, tolerance=1e-1)
print(1024 * int(re.search("VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read where Linux tells it")
def test_memory_grows_linearly_up_to_ten_million_parameters():
    def peak(size):
        done = subprocess.run([sys.executable, "-c", LARGE, str(size)], capture_output=True, text=True, check=True)
        return int(done.stdout)

    small, middle, large = (peak(size) for size in (1, 2_000_000, 10_000_000))
    # The basis of nine vectors, the network, and a product's few temporaries: some twenty vectors of four bytes.
    assert large - small < 30 * 4 * 10_000_000
    assert large - small < 7 * (middle - small)  # five times as many; a square would be 25


@pytest.mark.parametrize("method", ["dense", "lanczos"])
@pytest.mark.parametrize("negative", [False, True])
def test_progress_never_falls_and_ends_at_one(method, negative):
    seen = []
    inputs = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    problem = Problem(nn.Linear(4, 3), F.cross_entropy, (inputs, torch.arange(30) % 3))
    top_eigenvalues(problem, method=method, negative=negative, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_fewer_products_than_eigenvalues_are_refused():
    with pytest.raises(InvalidInput, match="max_matvecs is 2, expected at least k = 3"):
        top_eigenvalues(case("mlp").problem(), 3, max_matvecs=2)
