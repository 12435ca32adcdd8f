"""The instruments against what a user would otherwise run; part of ``python -m tests.benchmark``."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues
from grokscape.landscape.measures.curvature.traces import trace
from grokscape.landscape.problem import Problem
from tests.benchmark.norm_profile import norm_profile_ratio
from tests.benchmark.timing import medians


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence the deprecations of other libraries."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def addition(p: int, width: int, share: float) -> tuple[nn.Module, Tensor, Tensor]:
    """Return a two-layer perceptron on modular addition, one-hot inputs, and labels."""
    torch.manual_seed(0)
    pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p))
    chosen = torch.randperm(len(pairs))[: round(share * len(pairs))]
    module = nn.Sequential(nn.Linear(2 * p, width, bias=False), nn.ReLU(), nn.Linear(width, p))
    return module, F.one_hot(pairs[chosen], p).flatten(1).float(), (pairs.sum(1) % p)[chosen]


def trained(module: nn.Module, inputs: Tensor, labels: Tensor, steps: int, every: int) -> list[dict[str, Tensor]]:
    """Train with AdamW; return a checkpoint every some steps."""
    optimiser, kept = torch.optim.AdamW(module.parameters(), 1e-2, weight_decay=1.0), []
    for step in range(steps):
        if step % every == 0:
            kept.append({name: tensor.detach().clone() for name, tensor in module.named_parameters()})
        optimiser.zero_grad()
        F.cross_entropy(module(inputs), labels).backward()
        optimiser.step()
    return kept


def eigenvalues_against_pyhessian() -> None:
    """Top ten eigenvalues at a tolerance of 1e-6, p = 37, 14,245 parameters, along a training."""
    with quiet():
        from pyhessian import hessian
    print("Top ten Hessian eigenvalues, 14,245 parameters, tolerance 1e-6, float32, one thread")
    for steps in (0, 30, 300, 1000, 3000):
        module, inputs, labels = addition(37, 128, 0.4)
        trained(module, inputs, labels, steps, 10_000)
        problem = Problem(module, F.cross_entropy, (inputs, labels))
        answers: dict[str, Any] = {}

        def ours(problem: Problem = problem, answers: dict[str, Any] = answers) -> None:
            answers["ours"] = top_eigenvalues(problem, 10, tolerance=1e-6)

        def theirs(
            module: nn.Module = module,
            data: tuple[Tensor, Tensor] = (inputs, labels),
            answers: dict[str, Any] = answers,
        ) -> None:
            with quiet():
                torch.manual_seed(1)
                measured = hessian(module, nn.CrossEntropyLoss(), data=data, cuda=False)
                answers["theirs"] = measured.eigenvalues(maxIter=10_000, tol=1e-6, top_n=10)

        took = medians({"PyHessian": theirs, "ours": ours}, rounds=3, warm=1)
        found, (values, vectors) = answers["ours"], answers["theirs"]
        matrix, residuals = Curvature(problem), []
        for value, vector in zip(values, vectors, strict=True):
            row = torch.cat([part.flatten() for part in vector])
            residuals.append(float((matrix.matvec(row[None])[0] - value * row).norm() / abs(value)))
        print(
            f"  after {steps:4} steps: PyHessian {took['PyHessian']:.2f} s to a largest relative residual of "
            f"{max(residuals):.0e}; ours {took['ours']:.3f} s to {(found.residuals / abs(found.values)).max():.0e} "
            f"({found.cost.matvecs} products); ratio {took['PyHessian'] / took['ours']:.0f}"
        )


def forty_checkpoints() -> None:
    """The largest eigenvalue of forty checkpoints of one run, together and one after another."""
    with quiet():
        import curvlinops
        from scipy.sparse.linalg import eigsh
    for p, width in ((13, 32), (23, 32), (37, 64)):
        module, inputs, labels = addition(p, width, 0.5)
        kept = trained(module, inputs, labels, 400, 10)
        problem = Problem(module, F.cross_entropy, (inputs, labels))
        params = problem.layout.rows(kept)

        def library(
            module: nn.Module = module,
            kept: list[dict[str, Tensor]] = kept,
            data: tuple[Tensor, Tensor] = (inputs, labels),
        ) -> None:
            with quiet():
                for tensors in kept:
                    module.load_state_dict(tensors)
                    parameters = list(module.parameters())
                    matrix = curvlinops.HessianLinearOperator(
                        module, nn.CrossEntropyLoss(), parameters, [data], check_deterministic=False
                    )
                    operator = matrix.to_scipy()
                    eigsh(operator, 1, which="LA", tol=1e-4, v0=np.ones(operator.shape[0], dtype=np.float32))

        took = medians(
            {
                "together": lambda: top_eigenvalues(problem, params=params, tolerance=1e-4),  # noqa: B023
                "one after another": lambda: [top_eigenvalues(problem, params=r[None], tolerance=1e-4) for r in params],  # noqa: B023
            },
            rounds=5,
            warm=1,
        )
        began = time.perf_counter()
        library()
        took["curvlinops and eigsh, one after another"] = time.perf_counter() - began
        print(f"Largest eigenvalue of forty checkpoints, {problem.size} parameters, {len(labels)} examples")
        for name, seconds in took.items():
            print(f"  {name:42} {seconds:6.3f} s    ratio {seconds / took['together']:.1f}")


def trace_errors() -> None:
    """Root mean square error of the trace over seeds, 100 products, a network of 227 parameters."""
    with quiet():
        import curvlinops
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 18), nn.Tanh(), nn.Linear(18, 3), nn.Flatten(), nn.Linear(3, 2)).double()
    inputs, labels = torch.randn(200, 8, dtype=torch.float64), torch.randint(2, (200,))
    problem = Problem(module, F.cross_entropy, (inputs, labels))
    dense = Curvature(problem).dense()[0]
    truth = float(dense.trace())
    errors: dict[str, list[float]] = {}
    for seed in range(200):
        for method in ("hutchinson", "hutch++", "xtrace"):
            found = trace(problem, method=method, budget=99, seed=seed)
            errors.setdefault(f"ours, {method}", []).append(float(found.estimate[0]) - truth)
        torch.manual_seed(seed)
        for name, count in (("hutchinson_trace", 99), ("hutchpp_trace", 99), ("xtrace", 98)):
            with quiet():
                theirs = float(getattr(curvlinops, name)(dense, count))
            errors.setdefault(f"curvlinops, {name}", []).append(theirs - truth)
    print(f"Trace of a Hessian of {problem.size} parameters, 98 or 99 products, 200 seeds: relative RMS error")
    for name, values in errors.items():
        print(f"  {name:30} {np.sqrt(np.mean(np.square(values))) / abs(truth):.2%}")


def norm_profile_against_loops() -> None:
    """A norm profile of 11 norms and 4 seeds against one network after another."""
    ratios = norm_profile_ratio()
    print("Norm profile of 11 norms and 4 seeds (MLP 5-100-100-5, 100 examples) against one after another")
    print("  ratio " + ", ".join(f"{ratio:.1f}" for ratio in ratios))


def everything() -> None:
    """Run all comparisons of instruments."""
    eigenvalues_against_pyhessian()
    forty_checkpoints()
    norm_profile_against_loops()
    trace_errors()
