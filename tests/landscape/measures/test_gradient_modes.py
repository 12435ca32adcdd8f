"""Instruments measure the same whether or not their caller has switched gradients off."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from grokscape import landscape
from grokscape.landscape.problem import Problem

INPUTS = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
LABELS = (INPUTS[:, 0] > 0).long() + (INPUTS[:, 1] > 0).long()


def problem() -> Problem:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
    return Problem(model, nn.functional.cross_entropy, (INPUTS[:20], LABELS[:20]), (INPUTS[20:], LABELS[20:]))


INSTRUMENTS: dict[str, Callable[[Problem], pd.DataFrame]] = {
    "top_eigenvalues": lambda p: landscape.top_eigenvalues(p).to_frame(),
    "trace": lambda p: landscape.trace(p, budget=6).to_frame(),
    "sharpness": lambda p: landscape.sharpness(p, forms=("lambda_max", "adaptive")).to_frame(),
    "spectral_density": lambda p: landscape.spectral_density(p).to_frame(),
    "norm_profile": lambda p: landscape.norm_profile(p, (1, 2), seeds=range(2), steps=5).to_frame(),
    "minimise_at_norm": lambda p: pd.DataFrame(landscape.minimise_at_norm(p, p.start[None], [3.0], steps=5).end),
    "efficiency": lambda p: landscape.efficiency(p).to_frame(),
    "homogeneity": lambda p: landscape.homogeneity(p).to_frame(),
    "norm_at_loss": lambda p: landscape.norm_at_loss(p, 0.9, norms=[1, 4], steps=5).to_frame(),
    "efficiency_frontier": lambda p: landscape.efficiency_frontier(
        p, [4, 8], [1.0, 4.0], level=0.5, seeds=(0, 1), steps=5
    ).to_frame(),
    "line_slice": lambda p: landscape.line_slice(p, 0, points=3).to_frame(),
    "interpolate": lambda p: landscape.interpolate(p, p.start, p.start / 2, points=3, refine=2).to_frame(),
    "low_loss_path": lambda p: landscape.low_loss_path(p, p.start, p.start / 2, steps=3, points=3, refine=2).to_frame(),
    "split_by_mask": lambda p: landscape.split_by_mask(p, steps=5, nulls=2).to_frame(),
    "progress": lambda p: landscape.progress(p, {0: p.start / 2, 10: p.start}).to_frame(),
}


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_instrument_measures_the_same_where_gradients_are_off(name, mode):
    expected = INSTRUMENTS[name](problem())
    with mode():
        found = INSTRUMENTS[name](problem())
        assert not torch.is_grad_enabled()
    pd.testing.assert_frame_equal(found, expected)
    assert np.isfinite(expected.select_dtypes("number").to_numpy()).any()


def test_data_made_in_inference_mode_are_taken():
    with torch.inference_mode():
        inputs = INPUTS * 1.0
    made = Problem(nn.Linear(4, 3), nn.functional.cross_entropy, (inputs, LABELS))
    assert made.gradients(made.start[None])[1].norm() > 0
