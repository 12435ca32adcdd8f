"""Several networks by one call: each with its own buffers, and none lost through another's failure."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.curvature.density import spectral_density
from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues
from grokscape.landscape.measures.curvature.traces import trace
from grokscape.landscape.measures.efficiency.at_loss import norm_at_loss
from grokscape.landscape.measures.efficiency.degree import homogeneity
from grokscape.landscape.measures.efficiency.per_norm import efficiency
from grokscape.landscape.measures.progress import progress
from grokscape.landscape.measures.sharpness.forms import sharpness
from grokscape.landscape.problem import Problem
from tests.landscape.problem.test_networks import INPUTS, LABELS, frozen, normed, problem_of

MEASURES = {
    "lanczos": lambda p, params: top_eigenvalues(p, 2, params=params, method="lanczos").values,
    "dense": lambda p, params: top_eigenvalues(p, 2, params=params, method="dense").values,
    "smallest": lambda p, params: top_eigenvalues(p, params=params, method="lanczos", negative=True).smallest.values,
    "xtrace": lambda p, params: trace(p, params=params, budget=10).estimate,
    "hutch++": lambda p, params: trace(p, params=params, budget=10, method="hutch++").estimate,
    "exact": lambda p, params: trace(p, params=params).estimate,
    "density": lambda p, params: spectral_density(p, params=params, method="lanczos", steps=8).density[:, 0, ::100],
    "all eigenvalues": lambda p, params: spectral_density(p, params=params, axis="log").density[:, 0, ::100],
    "sharpness": lambda p, params: sharpness(p, params=params, iterations=5).value.T,
}
OTHERS = {
    "homogeneity": lambda p, params: homogeneity(p, params=params).degree,
    "efficiency": lambda p, params: efficiency(p, params=params, kappa=2.0).value,
    "norm at loss": lambda p, params: norm_at_loss(p, 1.05, params=params, norms=[1.0, 2.0], steps=3).norm,
}


@pytest.mark.parametrize("measure", MEASURES | OTHERS)
@pytest.mark.parametrize("damage", ["nan", "one infinite weight", "overflow"])
def test_a_bad_checkpoint_is_nan_and_leaves_the_others_as_they_are(measure, damage):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).double()
    problem, apply = problem_of(model), (MEASURES | OTHERS)[measure]
    good = problem.start * torch.tensor([[1.0], [0.9], [1.1]])
    bad = problem.start.clone()
    if damage == "overflow":
        if measure in ("norm at loss", "efficiency"):
            pytest.skip("weights are finite, and so is their norm")
        bad *= 1e200
    else:
        bad[3:] = torch.inf if damage == "one infinite weight" else torch.nan
    found = apply(problem, torch.cat([good[:1], bad[None], good[1:]]))
    np.testing.assert_allclose(np.delete(found, 1, 0), apply(problem, good), rtol=1e-6, atol=1e-8)
    assert np.isnan(found[1]).all()


def test_a_bad_network_has_not_converged():
    problem = problem_of(nn.Linear(4, 3).double())
    params = torch.stack([problem.start, problem.start * torch.nan])
    assert top_eigenvalues(problem, 2, params=params, method="lanczos").converged.tolist() == [[True] * 2, [False] * 2]
    assert trace(problem, params=params).converged.tolist() == [True, False]
    assert spectral_density(problem, params=params).converged.tolist() == [True, False]
    found = sharpness(problem, params=params, forms=["lambda_max", "keskar", "sam", "sam_step"])
    assert not found.converged[:, 1].any()
    with pytest.raises(InvalidInput, match="params hold NaN or infinite weights in every network"):
        trace(problem, params=params[1:])


def test_a_bad_checkpoint_is_nan_in_every_progress_measure():
    problem = problem_of(nn.Linear(4, 3).double())
    params = {0: problem.start, 3: problem.start * torch.nan, 7: problem.start * 2}
    measures = ["performance", "kernel_change", "weight_norm"]
    found, clean = (progress(problem, given, measures=measures) for given in (params, {0: params[0], 7: params[7]}))
    for quantity, values in found.values.items():
        assert np.isnan(values[1])
        np.testing.assert_array_equal(np.delete(values, 1), clean.values[quantity])


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("make", [normed, frozen])
def test_modules_are_measured_with_their_own_buffers_and_frozen_parts(measure, make):
    models, apply = [make(seed) for seed in range(3)], MEASURES[measure]
    problem = problem_of(models[1])
    expected = np.concatenate([apply(problem_of(model), None) for model in models])
    np.testing.assert_allclose(apply(problem, models), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(apply(problem, (m.state_dict() for m in models)), expected, rtol=1e-9, atol=1e-12)


def test_costs_add_up_and_progress_ends_at_one():
    models, seen = [normed(seed) for seed in range(3)], []
    problem = problem_of(models[1])
    found = trace(problem, params=models, budget=10, progress=seen.append)
    assert found.cost.matvecs == 3 * trace(problem, budget=10).cost.matvecs
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    forms = ["sam", "trace"]
    assert [cost.matvecs for cost in sharpness(problem, params=models, forms=forms).costs] == [
        sum(each)
        for each in zip(
            *([c.matvecs for c in sharpness(problem_of(m), forms=forms).costs] for m in models), strict=True
        )
    ]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ([], "params are empty"),
        ("params.pt", "params are 'params.pt', expected networks"),
        (nn.Linear(4, 3), "params are Linear.* or a list of modules"),
        ([nn.Linear(4, 2)], r"params\[0\] has \(2, 4\) for parameter 'weight'"),
        (torch.ones(15), r"params have shape \(15,\), expected \(networks, 15\); give params\[None\]"),
        (torch.ones(0, 15), r"params have shape \(0, 15\)"),
        (torch.ones(2, 15, dtype=torch.bool), "params holds torch.bool, expected real numbers"),
        (torch.ones(2, 15, dtype=torch.cfloat), "params holds torch.complex64, expected real numbers"),
    ],
)
def test_what_are_no_networks_is_refused(params, message):
    problem = problem_of(nn.Linear(4, 3).double())
    for measure in (top_eigenvalues, trace, spectral_density, sharpness):
        with pytest.raises(InvalidInput, match=message):
            measure(problem, params=params)


def test_rows_of_any_precision_that_require_gradients_are_only_read():
    model = nn.Linear(4, 3).double()
    problem = Problem(model, F.cross_entropy, (INPUTS, LABELS))
    params = problem.start[None].float().requires_grad_()
    before = copy.deepcopy(params.detach())
    found = top_eigenvalues(problem, params=params)
    np.testing.assert_array_equal(found.values, top_eigenvalues(problem, params=before.numpy()).values)
    assert torch.equal(params, before)
    assert params.grad is None
