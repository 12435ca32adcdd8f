"""The instruments on a CUDA device give what they give on a CPU; skipped where there is none."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.measures.circuits import Neurons, cyclic, split_by_projection, split_by_pruning
from grokscape.landscape.measures.curvature.density import spectral_density
from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues
from grokscape.landscape.measures.curvature.traces import trace
from grokscape.landscape.measures.efficiency.per_norm import efficiency
from grokscape.landscape.measures.norm_profile.profile import norm_profile
from grokscape.landscape.measures.paths.bent import low_loss_path
from grokscape.landscape.measures.paths.slices import line_slice
from grokscape.landscape.measures.paths.straight import interpolate
from grokscape.landscape.measures.progress import Context, progress
from grokscape.landscape.measures.sharpness.forms import sharpness
from grokscape.landscape.problem import Problem

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

P = 7


@pytest.fixture(scope="module")
def problems():
    """The same problem on a CPU and on the device."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(2 * P, 16, bias=False), nn.ReLU(), nn.Linear(16, P, bias=False)).double()
    pairs = torch.cartesian_prod(torch.arange(P), torch.arange(P))
    inputs, labels = F.one_hot(pairs, P).flatten(1).double(), pairs.sum(1) % P
    order = torch.randperm(P * P, generator=torch.Generator().manual_seed(0))
    train, test = ((inputs[part], labels[part]) for part in (order[:35], order[35:]))
    return [Problem(copy.deepcopy(model).to(device), F.cross_entropy, train, test) for device in ("cpu", "cuda")]


def params_of(problem):
    return problem.start * torch.tensor([[1.0], [0.7]], dtype=torch.float64, device=problem.device)


@pytest.mark.parametrize(
    "measure",
    [
        lambda p: top_eigenvalues(p, 3, params=params_of(p), method="lanczos", negative=True).values,
        lambda p: trace(p, params=params_of(p), budget=30).estimate,
        lambda p: spectral_density(p, probes=2, steps=10).density,
        lambda p: sharpness(p, forms=("lambda_max", "sam")).to_frame()["value"],
        lambda p: norm_profile(p, [0.5, 1.0, 2.0], seeds=range(2), steps=20).end["train", "loss"],
        lambda p: efficiency(p).value,
        lambda p: line_slice(p, 0, points=5).train_loss,
        lambda p: interpolate(p, *params_of(p), points=5).barrier,
        lambda p: low_loss_path(p, *params_of(p), steps=10).barrier,
        lambda p: progress(p, {0: p.start, 1: p.start * 0.9}, context=Context(last_layer="2.*")).to_frame()["value"],
    ],
)
def test_the_device_gives_what_the_cpu_gives(problems, measure):
    here, there = problems
    np.testing.assert_allclose(measure(here), measure(there), rtol=1e-5, atol=1e-8)


def test_splits_on_the_device(problems):
    tokens = torch.cartesian_prod(torch.arange(P), torch.arange(P))
    whole, labels = F.one_hot(tokens, P).flatten(1).double(), tokens.sum(1) % P
    neurons = Neurons(("0.weight", 0), ("2.weight", 1))
    for split in (
        lambda p: split_by_pruning(p, neurons, keep=0.9),
        lambda p: split_by_projection(p, cyclic(P, whole, labels)),
    ):
        here, there = (split(problem) for problem in problems)
        assert here.generalising.norm == pytest.approx(there.generalising.norm, rel=1e-6)
        assert here.memorising.test.loss == pytest.approx(there.memorising.test.loss, rel=1e-6)
