"""What the page of ``grokscape measure`` says of a result follows from its numbers."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues
from grokscape.landscape.measures.curvature.traces import trace
from grokscape.landscape.measures.efficiency.degree import homogeneity
from grokscape.landscape.measures.norm_profile.profile import norm_profile
from grokscape.landscape.measures.paths.straight import interpolate
from grokscape.landscape.measures.progress import progress
from grokscape.landscape.problem import Problem
from grokscape.reports.model_page.account import Quantity
from grokscape.reports.model_page.instruments import account

SCALES = np.geomspace(0.1, 10, 9)


@pytest.fixture(scope="module")
def problem():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pair = torch.randn(12, 2), torch.randint(2, (12,))
        model = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 2, bias=False))
    return Problem(model, nn.functional.cross_entropy, pair, pair)


def profile(problem, train, test, converged=True):
    """A norm profile of four seeds whose losses are these functions of log10 of the scale, with a little noise."""
    found = norm_profile(problem, SCALES, seeds=range(4), steps=1)
    noise = 0.02 * np.random.default_rng(0).standard_normal((2, 1, len(SCALES), 4))
    curves = [np.exp(f(np.log10(SCALES)))[None, :, None] for f in (train, test)]
    end = dict(found.end)
    for split, curve, own in zip(("train", "test"), curves, noise, strict=True):
        end[split, "loss"] = curve * np.exp(own)
    resting = np.full(found.converged.shape, True)
    resting[:, 0, :] = converged
    return dataclasses.replace(found, end=end, converged=resting)


def test_the_lu_mechanism(problem):
    told = account("norm-profile", profile(problem, lambda x: -np.minimum(3 * (x + 1), 3), lambda x: 3 * x**2))
    assert told.sentence.startswith("The training loss has an L. The test loss has a U; its minimum lies at ")
    assert told.sentence.endswith(" times the initial norm; 4 of 4 seeds agree.")
    critical = told.quantities[-1]
    assert critical.low < 1 < critical.high
    assert critical.text in told.sentence
    assert told.converged
    assert told.warnings == ()


def test_no_shape_is_said_to_be_none_and_why(problem):
    told = account("norm-profile", profile(problem, lambda x: -8 * x, lambda x: x, converged=False))
    assert told.sentence.startswith("The training loss has neither an L nor a U that is certain.")
    assert "0 of 4 seeds have its minimum inside the norms measured" in told.sentence
    assert "agree" not in told.sentence
    assert not told.converged
    assert any("32 of 36 networks came to rest" in warning for warning in told.warnings)
    assert any(warning.startswith("Test loss: left side") for warning in told.warnings)


def test_eigenvalues_that_have_not_converged_are_named(problem):
    found = top_eigenvalues(problem, 3)
    assert account("eigenvalues", found).converged
    told = account("eigenvalues", dataclasses.replace(found, converged=np.array([[True, False, False]])))
    assert told.converged is False
    assert told.warnings[0].startswith("2 eigenvalues of 3 have a residual above the tolerance")
    assert f"2/λ₁ = {2 / found.values[0, 0]:.3g}" in told.sentence


def test_exact_and_estimated_traces(problem):
    exact = trace(problem)
    assert account("trace", exact).sentence.endswith(", exactly.")
    estimated = trace(problem, budget=6)
    told = account("trace", estimated)
    low, high = (float(end[0]) for end in estimated.interval())
    assert (told.quantities[0].low, told.quantities[0].high) == (low, high)
    rough = dataclasses.replace(estimated, standard_error=np.abs(estimated.estimate))
    assert "The standard error is 100 % of the trace" in account("trace", rough).warnings[0]


def test_homogeneous_models_and_what_breaks_them(problem):
    told = account("homogeneity", homogeneity(problem))
    assert "homogeneous of degree 2: doubling its weights multiplies its outputs by 4." in told.sentence
    assert told.warnings == ()
    biased = Problem(nn.Linear(2, 2), nn.functional.cross_entropy, problem.all_data("train"))
    other = Problem(
        nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2)), nn.functional.cross_entropy, biased.all_data("train")
    )
    told = account("homogeneity", homogeneity(other))
    assert "Without 0.bias" in told.sentence or "Without 1.bias" in told.sentence
    assert told.warnings


@pytest.mark.parametrize(
    ("barrier", "bound", "words"),
    [
        (0.0, 0.001, "There is no barrier on the straight line: its height is at most 0.001."),
        (0.5, 0.6, "There is a barrier on the straight line: its height lies between 0.5 and 0.6."),
        (0.009, 0.011, "There is a barrier on the straight line: its height lies between 0.009 and 0.011."),
        (0.001, 0.02, "Whether there is a barrier on the straight line is not settled: its height lies between 0.001"),
        (0.0, math.inf, "is not settled: its height lies between 0 and ∞."),
    ],
)
def test_barriers(problem, barrier, bound, words):
    found = interpolate(problem, problem.start, -problem.start, points=5, refine=0)
    changed = dataclasses.replace(found, barrier=barrier, barrier_bound=bound, tolerance=0.01)
    assert words in account("straight-path", changed).sentence


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (Quantity("a", 1.5), "1.5"),
        (Quantity("a", 1.5, 0.25), "1.5 ± 0.25"),
        (Quantity("a", 1.5, math.nan), "1.5"),
        (Quantity("a", 0.9, low=0.8, high=1.1), "0.9 [0.8, 1.1]"),
        (Quantity("a", math.nan, low=0.0, high=math.inf), "in [0, ∞]"),
        (Quantity("a", math.nan, low=math.nan, high=math.nan), "not determined"),
        (Quantity("a", math.nan, word="U"), "U"),
    ],
)
def test_quantities(quantity, text):
    assert quantity.text == text


def test_checkpoints_that_are_not_finite_are_named(problem):
    lost = torch.full_like(problem.start, torch.nan)
    told = account(
        "progress", progress(problem, {0: problem.start, 5: lost, 9: problem.start}, measures=["weight_norm"])
    )
    assert "Nothing could be measured at step 5, where weights are not finite." in told.sentence
    told = account("progress", progress(problem, {0: problem.start, 9: problem.start}, measures=["weight_norm"]))
    assert "finite" not in told.sentence
    many = {step: problem.start if step in (0, 9) else lost for step in range(10)}
    told = account("progress", progress(problem, many, measures=["weight_norm"]))
    assert "at steps 1, 2, 3, 4, 5 and 3 others, where" in told.sentence
