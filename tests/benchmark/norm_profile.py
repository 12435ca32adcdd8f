"""How much faster 11 norms by 4 seeds are as one ensemble: ``python -m tests.benchmark.norm_profile``."""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from torch import Tensor, nn

from grokscape.landscape.initialisation import fresh
from grokscape.landscape.measures.norm_profile.on_sphere import minimise_at_norm
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.problem import Problem
from tests.landscape.measures.teacher_student import SCALES, student, teacher_student

STEPS, ROUNDS = 400, 5


def one_after_another(problem: Problem, params: Tensor, steps: int) -> None:
    """Do what one would write: a plain module for each norm and seed, `torch.optim.Adam`, rescaled after each step."""
    inputs, targets = problem.all_data("train")
    for row in params:
        module = student()
        nn.utils.vector_to_parameters(row, module.parameters())
        parameters, norm = list(module.parameters()), row.norm()
        optimiser = torch.optim.Adam(parameters, lr=3e-4)
        for _ in range(steps):
            optimiser.zero_grad()
            nn.functional.mse_loss(module(inputs), targets).backward()
            optimiser.step()
            with torch.no_grad():
                scale = norm / torch.stack([p.square().sum() for p in parameters]).sum().sqrt()
                for parameter in parameters:
                    parameter.mul_(scale)


def as_one_ensemble(problem: Problem, params: Tensor, steps: int) -> None:
    """Do the same, and look at train and test data twice."""
    optimiser = AdamW(lr=3e-4, weight_decay=0.0, beta2=0.999)
    minimise_at_norm(
        problem,
        params,
        params.norm(dim=1),
        steps=steps,
        optimiser=optimiser,
        tangential=False,
        record_every=steps,
        stop_loss=0.0,
    )


def norm_profile_ratio() -> tuple[float, ...]:
    """Return the ratio of times of each round, the two taking turns in one process; every network takes every step.

    Processor time of one thread, which other programs on the machine disturb less than the clock on the wall.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    problem = teacher_student(seed=0)
    starts = torch.stack([fresh(problem, seed) for seed in range(4)])
    params = (starts[None] * torch.from_numpy(SCALES).to(starts)[:, None, None]).reshape(-1, problem.size)
    one_after_another(problem, params[:1], 20)
    as_one_ensemble(problem, params, 20)
    ratios = []
    for _ in range(ROUNDS):
        times = []
        for work in (one_after_another, as_one_ensemble):
            began = time.process_time()
            work(problem, params, STEPS)
            times.append(time.process_time() - began)
        ratios.append(times[0] / times[1])
    torch.set_num_threads(threads)
    return tuple(ratios)


def main() -> None:
    """Print the ratio of every round and their median."""
    ratios = norm_profile_ratio()
    rounds = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    sys.stdout.write(f"11 norms by 4 seeds as one ensemble: {np.median(ratios):.2f} times faster ({rounds})\n")


if __name__ == "__main__":
    main()
