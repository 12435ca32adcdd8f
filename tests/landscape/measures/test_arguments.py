"""Wrong arguments of every instrument are refused by name; numbers of other libraries are numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from grokscape import landscape
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem import Problem
from tests.landscape.problem.test_networks import INPUTS, LABELS

PROBLEM = Problem(nn.Linear(4, 3).double(), nn.functional.cross_entropy, (INPUTS, LABELS), (INPUTS, LABELS))
A = PROBLEM.start
WRONG_NUMBER = ("x", [], [1.0], np.nan, np.inf, True, -1)
WRONG_COUNT = (*WRONG_NUMBER, 1.5)

#: Instrument -> how it is called, and its arguments: counts, other numbers, words, lists.
INSTRUMENTS: dict[str, tuple[dict[str, Any], str, str, str, str]] = {
    "top_eigenvalues": ({"method": "lanczos"}, "k max_matvecs basis seed", "tolerance", "kind split method", ""),
    "trace": ({}, "budget seed", "", "kind split method", ""),
    "spectral_density": ({"method": "lanczos"}, "probes steps points seed", "width", "axis kind split method", ""),
    "sharpness": ({}, "subspace iterations seed budget", "radius adaptive_radius box tolerance", "split", "forms"),
    "line_slice": ({"direction": 0}, "points chunk_size", "extent", "normalise biases", ""),
    "plane_slice": ({}, "points chunk_size", "extent", "normalise", "directions"),
    "interpolate": ({"a": A, "b": 2 * A}, "points refine chunk_size", "tolerance smoothness", "", ""),
    "low_loss_path": ({"a": A, "b": 2 * A}, "bends steps samples seed points", "fixed_norm", "curve", "optimiser"),
    "norm_profile": (
        {},
        "steps record_every",
        "tolerance zero_loss stop_loss",
        "",
        "scales norms seeds sizes start optimiser",
    ),
    "minimise_at_norm": (
        {"params": A[None], "norms": [1.0]},
        "steps record_every",
        "tolerance",
        "",
        "params norms examples",
    ),
    "homogeneity": ({}, "", "factor tolerance", "split", "included"),
    "efficiency": ({}, "", "kappa level", "definition split", "included"),
    "norm_at_loss": ({"loss": 1.0, "norms": [1.0, 2.0]}, "steps", "loss", "", "norms included params"),
    "efficiency_frontier": (
        {"sizes": [4, 8], "norms": [1.0, 2.0], "level": 0.9},
        "steps",
        "level gate confidence",
        "",
        "sizes norms seeds",
    ),
}


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_wrong_arguments_are_refused_by_name(name):
    given, counts, numbers, words, lists = INSTRUMENTS[name]
    wrong = {
        **dict.fromkeys(counts.split(), WRONG_COUNT),
        **dict.fromkeys(numbers.split(), WRONG_NUMBER),
        **dict.fromkeys(words.split(), ("nothing", 1, [], np.nan)),
        **dict.fromkeys(lists.split(), (1.5, True, np.nan, [np.nan], [])),
    }
    for argument, values in wrong.items():
        for value in values:
            with pytest.raises(InvalidInput, match=argument if argument != "loss" else "loss"):
                getattr(landscape, name)(PROBLEM, **(given | {argument: value}))


def test_numbers_of_other_libraries_and_generators_are_taken():
    expected = landscape.top_eigenvalues(PROBLEM, 3, method="lanczos", seed=2)
    for three, two in ((np.int64(3), np.int32(2)), (3.0, np.float32(2)), (torch.tensor(3), torch.tensor(2.0))):
        found = landscape.top_eigenvalues(PROBLEM, three, method="lanczos", seed=two, tolerance=np.float32(1e-6))
        np.testing.assert_allclose(found.values, expected.values)
        assert found.seed == 2
        assert type(found.seed) is int
    scales, seeds, sizes = (iter(numbers) for numbers in ([1, 2], [0, 1], [5.0, 40]))
    once = landscape.norm_profile(PROBLEM, scales, seeds=seeds, sizes=sizes, steps=2)
    assert once.scales.tolist() == [1.0, 2.0]
    assert once.seeds.tolist() == [0, 1]
    assert once.sizes.tolist() == [5, 40]
    assert landscape.sharpness(PROBLEM, forms="trace").forms == ("trace",)


def test_indices_beyond_the_examples_are_refused():
    for examples in ([[40]], [[-1]], [[0.5]]):
        with pytest.raises(InvalidInput, match="examples"):
            landscape.minimise_at_norm(PROBLEM, A[None], [1.0], examples=torch.tensor(examples), steps=1)


def test_results_do_not_share_memory_with_what_was_given():
    row, direction = A.clone(), torch.ones_like(A)
    found = landscape.line_slice(PROBLEM, direction, around=row, points=3)
    path = landscape.interpolate(PROBLEM, row, 2 * row, points=3, refine=0)
    plane = landscape.plane_slice(PROBLEM, [direction, row], around=row, points=3)
    for array in (found.direction, found.around, path.pivots, plane.directions, plane.around):
        array[:] = 7.0
    assert torch.equal(row, A)
    assert torch.equal(PROBLEM.start, A)
    assert bool((direction == 1).all())


def test_batches_that_do_not_line_up_along_examples_are_measured_where_their_weights_are_known():
    class Sequence(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 3, bias=False).double()

        def forward(self, x):
            return self.layer(x)

    def loss(outputs, targets):
        return (outputs - targets).square().mean()

    batches = [(torch.randn(5, n, 4).double(), torch.randn(5, n, 3).double()) for n in (4, 4, 2)]
    with pytest.raises(InvalidInput, match="batches 2 and 3 of the train data differ in shape"):
        Problem(Sequence(), loss, batches)
    found = landscape.homogeneity(Problem(Sequence(), nn.functional.mse_loss, batches))
    assert found.degree == pytest.approx(1.0)  # outputs are linear in the weights


def test_outputs_that_are_no_tensor_leave_out_what_needs_one_although_there_is_a_start():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 3).double()

        def forward(self, x):
            return self.layer(x), x

    problem = Problem(Two(), lambda z, y: nn.functional.cross_entropy(z[0], y), (INPUTS, LABELS))
    found = landscape.progress(problem, {np.int64(0): problem.start, 2.0: problem.start * 2})
    assert found.steps.tolist() == [0, 2]
    assert "kernel_change" in found.left_out
    assert found.values["weight_norm"][1] == pytest.approx(2 * found.values["weight_norm"][0])


@pytest.mark.parametrize("step", [-1, 0.5, "10", True, None, np.nan, (1, 2)])
def test_steps_that_are_none_are_refused(step):
    with pytest.raises(InvalidInput, match="expected a whole number that is not negative"):
        landscape.progress(PROBLEM, {step: A})


def test_checkpoints_that_are_no_mapping_are_refused():
    for checkpoints in ([A], (a for a in [A]), "folder", {}, A):
        with pytest.raises(InvalidInput, match="expected a mapping of steps to weights"):
            landscape.progress(PROBLEM, checkpoints)
    twice = {torch.tensor(3): A, 3: A}
    with pytest.raises(InvalidInput, match="hold a step twice"):
        landscape.progress(PROBLEM, twice)
