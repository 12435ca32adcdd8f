"""Every instrument measures a network that wraps its one tensor of outputs as it measures the bare one."""

from __future__ import annotations

import dataclasses
import functools

import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.circuits import Neurons, split_by_pruning
from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.curvature.density import spectral_density
from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues
from grokscape.landscape.measures.curvature.traces import trace
from grokscape.landscape.measures.efficiency.degree import homogeneity
from grokscape.landscape.measures.efficiency.frontier import efficiency_frontier
from grokscape.landscape.measures.efficiency.per_norm import efficiency
from grokscape.landscape.measures.norm_profile.profile import norm_profile
from grokscape.landscape.measures.paths.bent import low_loss_path
from grokscape.landscape.measures.paths.slices import line_slice, plane_slice
from grokscape.landscape.measures.paths.straight import interpolate
from grokscape.landscape.measures.progress import Context, progress
from grokscape.landscape.measures.sharpness.forms import sharpness
from grokscape.landscape.problem import Problem
from tests.landscape.data import Wrapped, draw

X = draw(20, 4)
Y = X[:, :3].argmax(1)


@dataclasses.dataclass
class Output:
    logits: torch.Tensor
    loss: torch.Tensor | None = None


FORMS = {
    "bare": (lambda z: z, lambda o: o),
    "tuple with None": (lambda z: (z, None), lambda o: o[0]),
    "dict with None": (lambda z: {"logits": z, "loss": None}, lambda o: o["logits"]),
    "dataclass": (Output, lambda o: o.logits),
}


@functools.cache
def problem(name: str) -> Problem:
    """Return a bias-free perceptron with its outputs in some form, half fitted; the data lie in two batches."""
    after, get = FORMS[name]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        layers = nn.Sequential(nn.Linear(4, 5, bias=False), nn.ReLU(), nn.Linear(5, 3, bias=False)).double()
    adam = torch.optim.Adam(layers.parameters(), 0.05)
    for _ in range(30):
        adam.zero_grad()
        F.cross_entropy(layers(X[:14]), Y[:14]).backward()
        adam.step()

    def loss(outputs, targets):
        return F.cross_entropy(get(outputs), targets, reduction="none")

    return Problem(Wrapped(layers, after), loss, [(X[:8], Y[:8]), (X[8:14], Y[8:14])], (X[14:], Y[14:]))


NEURONS = Neurons(("module.0.weight", 0), ("module.2.weight", 1))
INSTRUMENTS = {
    "eigenvalues": lambda p: top_eigenvalues(p, 2, tolerance=1e-6),
    "trace": lambda p: trace(p, method="hutchinson", budget=10),
    "density": lambda p: spectral_density(p, probes=2, steps=8),
    "sharpness": lambda p: sharpness(p, budget=10, iterations=5),
    "homogeneity": homogeneity,
    "efficiency": lambda p: efficiency(p, split="test"),
    "efficiency at a loss": lambda p: efficiency(p, definition="inverse_norm_at_loss", level=0.9),
    "frontier": lambda p: efficiency_frontier(p, [4, 8], [1.0, 3.0], level=0.5, seeds=(0, 1), steps=5),
    "profile": lambda p: norm_profile(p, [0.5, 1.0], seeds=[0, 1], sizes=[5, 14], steps=5),
    "line": lambda p: line_slice(p, 0, points=5),
    "plane": lambda p: plane_slice(p, (0, 1), points=3),
    "straight path": lambda p: interpolate(p, p.start, p.start * 0.3, points=5),
    "bent path": lambda p: low_loss_path(p, p.start, p.start.flip(0), steps=5),
    "progress": lambda p: progress(p, {0: p.start * 0.5, 9: p.start}, context=Context(neurons=NEURONS, examples=5)),
}


@functools.cache
def bare(name: str) -> pd.DataFrame:
    return INSTRUMENTS[name](problem("bare")).to_frame()


@pytest.mark.parametrize("form", [name for name in FORMS if name != "bare"])
@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_form_of_outputs_makes_no_difference(name, form):
    pd.testing.assert_frame_equal(INSTRUMENTS[name](problem(form)).to_frame(), bare(name), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("form", [name for name in FORMS if name != "bare"])
def test_nor_in_the_gauss_newton_matrix_and_circuits(form):
    expected, found = (Curvature(problem(one), kind="gauss_newton").dense() for one in ("bare", form))
    torch.testing.assert_close(found, expected)
    expected, found = (split_by_pruning(problem(one), NEURONS).to_frame() for one in ("bare", form))
    pd.testing.assert_frame_equal(found, expected)


def test_outputs_of_several_tensors_are_refused_where_one_is_needed():
    after, loss = lambda z: (z, z * 2), lambda o, t: F.cross_entropy(o[0], t)
    two = Problem(Wrapped(nn.Linear(4, 3).double(), after), loss, (X, Y))
    for instrument, words in (
        (homogeneity, "homogeneity needs outputs that are one tensor, found tuple; let the model return the one"),
        (efficiency, "^efficiency needs .* found tuple and .* let the model return the logits alone"),
        (
            lambda p: Curvature(p, kind="gauss_newton").dense(),
            "one tensor, found tuple; let the model .* kind='hessian'",
        ),
    ):
        with pytest.raises(InvalidInput, match=words):
            instrument(two)
    left_out = progress(two, {0: two.start}).left_out
    assert {"logit_scale", "kernel_change"} <= set(left_out)
    assert "one tensor" in left_out["kernel_change"]
