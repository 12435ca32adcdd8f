"""Multiple eigenvalues are found as often as they occur, or not called converged."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grokscape.landscape.measures.curvature.completeness import SPARE, complete
from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues
from grokscape.landscape.measures.curvature.lanczos import start_vectors
from grokscape.landscape.measures.curvature.restarted import largest
from tests.landscape.measures.curvature.matrices import Known, bowl, perceptron, with_spectrum

SPREAD = list(np.linspace(0, 1, 300))
SPECTRA = {
    "fifty and one": [50.0] * 50 + [150.0] + [1.0] * 149,
    "copies above a bulk": [50.0] * 50 + [150.0] + SPREAD,
    "three and three": [3.0] * 3 + [2.0] * 3 + SPREAD,
    "copies of the last": [*SPREAD, 1.0, 1.0],
    "identity": [2.0] * 200,
    "zero": [0.0] * 200,
    "rank one": [5.0] + [0.0] * 199,
    "none positive": [-1.0] * 100 + [0.0] * 100,
    "half and half": [1.0] * 100 + [-1.0] * 100,
}


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("k", [2, 5])
def test_an_eigenvalue_is_found_as_often_as_it_occurs(spectrum, k):
    values = SPECTRA[spectrum]
    found = top_eigenvalues(bowl(values), k, method="lanczos")
    np.testing.assert_allclose(found.values[0], np.sort(values)[::-1][:k], rtol=1e-6, atol=1e-9)
    if spectrum != "copies of the last":  # at the edge of a bulk a bound may cost more than is spent on it
        assert found.converged.all()
    vectors = found.vectors[0]
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(k), atol=1e-9)
    true = np.linalg.norm(vectors * values - found.values[0][:, None] * vectors, axis=1)
    np.testing.assert_allclose(found.residuals[0], true, atol=1e-6 * max(map(abs, values)) + 1e-12)


def test_the_smallest_eigenvalue_does_not_suffer_from_copies():
    found = top_eigenvalues(bowl([-3.0] * 40 + SPREAD), 2, method="lanczos", negative=True)
    np.testing.assert_allclose(found.smallest.values, [[-3.0]])
    assert found.smallest.converged.all()


def test_what_is_called_certain_is_right_on_random_spectra():
    random, certain = np.random.default_rng(5), 0
    for trial in range(25):
        values = random.integers(0, 6, 90) if trial % 2 else np.repeat(random.standard_normal(30), 3)
        values = np.asarray(values, float) * 10.0 ** random.uniform(-12, 6)
        matrix, k = with_spectrum(values, trial)[None], int(random.integers(2, 10))
        first = largest(
            Known(matrix),
            start_vectors(Known(matrix), trial),
            k,
            tolerance=1e-6,
            max_matvecs=900,
            held=k + SPARE,
        )
        found, fine = complete(Known(matrix), first, k, tolerance=1e-6, max_matvecs=900)
        truth = np.sort(values)[::-1][:k]
        error = np.abs(found.values[0].numpy() - truth)
        assert (error <= 2e-6 * np.abs(truth) + 1e-8 * np.abs(values).max())[fine[0]].all()
        certain += int(fine.all())
    assert certain >= 24


def test_matrices_side_by_side_are_completed_as_each_alone():
    matrices = torch.stack([with_spectrum(values[:200], 1) for values in ([3.0] * 5 + SPREAD, [2.0] * 200, SPREAD)])
    start = start_vectors(Known(matrices), 0)

    def run(some: torch.Tensor) -> np.ndarray:
        first = largest(Known(some), start[: len(some)], 4, tolerance=1e-6, max_matvecs=900, held=34)
        return complete(Known(some), first, 4, tolerance=1e-6, max_matvecs=900)[0].values.numpy()

    np.testing.assert_allclose(run(matrices), np.concatenate([run(one[None]) for one in matrices]), rtol=1e-9)


def test_without_products_left_nothing_is_certain():
    found = top_eigenvalues(bowl(SPECTRA["three and three"]), 2, method="lanczos", max_matvecs=15)
    assert not found.converged.any()
    assert found.cost.matvecs <= 16


def test_certainty_is_cheap_where_no_eigenvalue_is_multiple():
    problem = perceptron(40, 5, steps=30)
    matrix = Curvature(problem)
    alone = largest(matrix, start_vectors(matrix, 0), 10, tolerance=1e-6, max_matvecs=2000).matvecs
    found = top_eigenvalues(problem, 10)
    assert found.converged.all()
    assert found.cost.matvecs <= 1.3 * alone + 1
