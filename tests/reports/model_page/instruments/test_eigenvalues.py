"""What the page says about eigenvalues follows from their numbers."""

from __future__ import annotations

import dataclasses

import numpy as np

from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues
from grokscape.reports.model_page.instruments.eigenvalues import EIGENVALUES, NEGATIVE_EIGENVALUE


def test_eigenvalues_that_have_not_converged_are_named(problem):
    found = top_eigenvalues(problem, 3)
    assert EIGENVALUES.summary(found).converged
    summary = EIGENVALUES.summary(dataclasses.replace(found, converged=np.array([[True, False, False]])))
    assert summary.converged is False
    assert summary.warnings[0].startswith("2 eigenvalues of 3 have a residual above the tolerance")
    assert f"2/λ₁ = {2 / found.values[0, 0]:.3g}" in summary.sentence


def test_a_minimum_is_told_from_a_saddle(problem):
    smallest = top_eigenvalues(problem, 1, negative=True).smallest
    down, flat = (dataclasses.replace(smallest, values=np.array([[value]])) for value in (-2.0, 0.0))
    assert "curves downwards along some direction, by −2" in NEGATIVE_EIGENVALUE.summary(down).sentence
    assert "No direction curves downwards beyond the error" in NEGATIVE_EIGENVALUE.summary(flat).sentence
