"""Catches stacked parameters that get each other's rates, moments or gradients, or lose some when a run leaves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grokscape.landscape.learners.embedding_parameters import Parameters
from grokscape.landscape.optimisers import AdamW

SHAPES = ((4, 3), (2,), (1, 5))
OPTIMISERS = [
    AdamW(lr=1e-2, weight_decay=0.0, beta2=0.999),
    AdamW(lr=1e-1, weight_decay=2.0, beta2=0.999),
    AdamW(lr=3e-3, weight_decay=0.5, beta2=0.999),
]


def drawn(seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(len(OPTIMISERS), *shape, generator=generator, dtype=torch.float64) for shape in SHAPES]


def stepped(parameters: Parameters, rows: list[int], first: int, last: int) -> None:
    """Take steps with gradients that depend on the step and on the run alone."""
    for number in range(first, last + 1):
        for gradient, given in zip(parameters.gradients, drawn(number), strict=True):
            gradient.copy_(given[rows])
        parameters.step(number)


def test_steps_against_the_optimiser_of_torch() -> None:
    parameters = Parameters(drawn(0), OPTIMISERS)
    stepped(parameters, [0, 1, 2], 1, 9)
    for row, optimiser in enumerate(OPTIMISERS):
        own = [array[row].clone().requires_grad_() for array in drawn(0)]
        reference = torch.optim.AdamW(own, lr=optimiser.lr, weight_decay=optimiser.weight_decay, betas=(0.9, 0.999))
        for number in range(1, 10):
            for array, gradient in zip(own, drawn(number), strict=True):
                array.grad = gradient[row]
            reference.step()
        for array, found in zip(own, parameters.arrays, strict=True):
            np.testing.assert_allclose(found[row], array.detach(), rtol=1e-9)


def test_others_leave_and_a_run_goes_on() -> None:
    whole, fewer = Parameters(drawn(0), OPTIMISERS), Parameters(drawn(0), OPTIMISERS)
    stepped(whole, [0, 1, 2], 1, 8)
    stepped(fewer, [0, 1, 2], 1, 4)
    fewer.keep([2, 1])
    stepped(fewer, [2, 1], 5, 8)
    for one, other in zip(fewer.arrays, whole.arrays, strict=True):
        np.testing.assert_allclose(one, other[[2, 1]], rtol=1e-12)


def test_what_was_kept_of_a_run_puts_it_back() -> None:
    whole = Parameters(drawn(0), OPTIMISERS)
    stepped(whole, [0, 1, 2], 1, 4)
    saved = [whole.of_run(row) for row in (0, 1, 2)]
    resumed = Parameters([array + 1 for array in drawn(0)], OPTIMISERS)
    resumed.restore(saved)
    for parameters in (whole, resumed):
        stepped(parameters, [0, 1, 2], 5, 6)
    for name in Parameters.KEPT:
        assert torch.equal(getattr(whole, name), getattr(resumed, name))
    # A copy: later steps leave it as it was.
    assert saved[0]["values"].shape == (sum(np.prod(shape) for shape in SHAPES),)
    assert saved[0]["values"] != pytest.approx(whole.of_run(0)["values"])
