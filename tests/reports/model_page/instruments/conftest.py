"""A small homogeneous classifier to measure."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from grokscape.landscape.problem import Problem


@pytest.fixture(scope="package")
def problem() -> Problem:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pair = torch.randn(12, 2), torch.randint(2, (12,))
        model = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 2, bias=False))
    return Problem(model, nn.functional.cross_entropy, pair, pair)
