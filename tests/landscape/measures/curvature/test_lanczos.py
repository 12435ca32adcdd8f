"""The step that all Lanczos iterations share: an orthonormal basis, and the entries of the projected matrix."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grokscape.landscape.measures.curvature.lanczos import lanczos_step, orthogonal_to, start_vectors
from grokscape.landscape.measures.curvature.operator import Rescaled, Signed
from tests.landscape.measures.curvature.matrices import Known, with_spectrum

SPREAD = torch.stack([with_spectrum(np.linspace(-1, 1, 60) ** 3, 1), with_spectrum(np.linspace(0, 9, 60), 2)])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_basis_is_orthonormal_and_the_projected_matrix_is_known(dtype):
    matrices, steps = SPREAD.to(dtype), 30
    vectors = torch.zeros(2, steps + 1, 60, dtype=dtype)
    vectors[:, 0] = start_vectors(Known(matrices), 0)
    found = [lanczos_step(Known(matrices), vectors, last) for last in range(steps)]
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(
        vectors @ vectors.mT, torch.eye(steps + 1, dtype=dtype).expand(2, -1, -1), atol=50 * eps, rtol=0
    )
    projected = (vectors @ matrices @ vectors.mT).double()
    for last, step in enumerate(found):
        torch.testing.assert_close(step.along[:, -1], projected[:, last, last], atol=500 * eps, rtol=0)
        torch.testing.assert_close(step.length, projected[:, last, last + 1], atol=500 * eps, rtol=0)
        assert not step.complete.any()


def test_a_complete_space_is_flagged_of_its_own_matrix_alone():
    low = torch.zeros(60, 60, dtype=torch.float64)
    low[0, 0] = 5.0
    operator = Known(torch.stack([low, SPREAD[1]]))
    vectors = torch.zeros(2, 4, 60, dtype=torch.float64)
    vectors[:, 0] = start_vectors(operator, 0)
    first, second = (lanczos_step(operator, vectors, last) for last in range(2))  # one direction, and the null space
    assert (first.complete.tolist(), second.complete.tolist()) == ([False, False], [True, False])
    assert second.length[0] == 0
    assert not vectors[0, 2].any()
    assert vectors[1, 2].norm() == pytest.approx(1)


def test_what_is_deflated_stays_out_of_the_basis():
    values, eigenvectors = torch.linalg.eigh(SPREAD)
    top = eigenvectors[:, :, -5:].mT.contiguous()
    vectors = torch.zeros(2, 56, 60, dtype=torch.float64)
    start = orthogonal_to(top, start_vectors(Known(SPREAD), 1))
    vectors[:, 0] = start / start.norm(dim=1, keepdim=True)
    steps = [lanczos_step(Known(SPREAD), vectors, last, deflated=top) for last in range(55)]
    assert (vectors[:, :55] @ top.mT).abs().max() < 1e-13
    diagonal = torch.stack([step.along[:, -1] for step in steps], 1)
    beside = torch.stack([step.length for step in steps[:-1]], 1)
    matrix = torch.diag_embed(diagonal) + torch.diag_embed(beside, 1) + torch.diag_embed(beside, -1)
    torch.testing.assert_close(torch.linalg.eigvalsh(matrix), values[:, :-5])


def test_an_image_is_judged_by_the_longest_one_where_that_is_given():
    operator = Known(torch.diag(torch.tensor([1.0, 1e-9, 0.0], dtype=torch.float64))[None])
    for longest, complete in ((None, False), (torch.tensor([1e9], dtype=torch.float64), True)):
        vectors = torch.zeros(1, 2, 3, dtype=torch.float64)
        vectors[0, 0] = torch.tensor([0.0, 1.0, 1.0]) / 2**0.5
        assert lanczos_step(operator, vectors, 0, largest_image=longest).complete.item() is complete


def test_matrices_made_of_others_multiply_as_their_dense_forms():
    scale = torch.linspace(-2, 2, 120, dtype=torch.float64).reshape(2, 60)
    vectors = torch.ones(2, 60, dtype=torch.float64)
    for operator in (Signed(Known(SPREAD), -1), Rescaled(Known(SPREAD), scale)):
        assert (operator.size, operator.count, operator.dtype) == (60, 2, torch.float64)
        torch.testing.assert_close(operator.matvec(vectors), operator.dense().sum(2))
        torch.testing.assert_close(operator.select(torch.tensor([1])).dense(), operator.dense()[1:])
