"""The teacher-student set-up of Omnigrok (arXiv:2210.01117): a net learns from another of its kind."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from grokscape.landscape.problem import Problem

SCALES = 10 ** np.linspace(-1, 1, 11)


def student(width: int = 100) -> nn.Module:
    """Return the net 5-width-width-5 with tanh and PyTorch's own initialisation."""
    return nn.Sequential(
        nn.Linear(5, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 5)
    )  # fmt: skip


def teacher_student(
    seed: int = 0, width: int = 100, examples: int = 100, dtype: torch.dtype = torch.float32
) -> Problem:
    """Return a student's problem: as many Gaussian examples for testing as for training, mean squared error."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1000 + seed)  # a teacher that no student starts from
        teacher, pupil = student(width).to(dtype), student(width).to(dtype)
        inputs = torch.randn(2, examples, 5, dtype=dtype)
    targets = teacher(inputs).detach()
    return Problem(pupil, nn.MSELoss(), (inputs[0], targets[0]), (inputs[1], targets[1]))
