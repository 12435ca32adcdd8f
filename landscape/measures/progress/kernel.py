"""The empirical tangent kernel: how far it has moved, and how well it is aligned with the labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.progress.context import Context, NotApplicable
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.batches import part
from grokscape.landscape.problem.containers import each_tensor, tensors
from grokscape.landscape.problem.networks import network_of


def tangent_kernel(problem: Problem, vector: Tensor, inputs: Any) -> Tensor:
    """Return the empirical neural tangent kernel, added up over outputs, float64 of shape (n, n).

    ``K_ij = sum_c <d z_ic / d theta, d z_jc / d theta>`` with the outputs z, exact on these inputs.

    Parameters
    ----------
    problem : Problem
    vector : Tensor, shape (P,)
    inputs : Tensor or tuple of Tensor, n examples
        Memory: two tensors (n, P), and the graph of n networks with one example each.

    Raises
    ------
    NotApplicable
        If outputs are not one tensor.
    """
    alone = each_tensor(lambda leaf: leaf[:, None], inputs)
    count = len(tensors(alone)[0])
    # One copy of the weights for each example, so that one backward pass gives the gradient of each alone.
    params = vector.detach().expand(count, -1).clone().requires_grad_()
    outputs = problem.outputs_of(params, alone, own=True)
    if not isinstance(outputs, Tensor):
        raise NotApplicable(f"the tangent kernel needs outputs that are one tensor, found {type(outputs).__name__}")
    columns = outputs.reshape(count, -1).unbind(1)
    kernel = torch.zeros(count, count, dtype=torch.float64, device=vector.device)
    for index, column in enumerate(columns):
        if not column.requires_grad:
            continue
        (gradient,) = torch.autograd.grad(
            column.sum(), params, retain_graph=index + 1 < len(columns), allow_unused=True
        )
        if gradient is not None:
            kernel += (gradient @ gradient.T).double()
    return kernel


def kernel_distance(kernel: Tensor, start: Tensor) -> float:
    """Return ``1 - <K, K_0> / (||K||_F ||K_0||_F)``: 0 if only the scale has changed, 1 if they share nothing.

    Fort et al. 2020, arXiv:2010.15110, section 3; NaN where a kernel is zero.

    Parameters
    ----------
    kernel, start : Tensor, shape (n, n)

    Raises
    ------
    InvalidInput
        If their shapes differ.
    """
    if kernel.shape != start.shape:
        raise InvalidInput(f"kernels have shapes {tuple(kernel.shape)} and {tuple(start.shape)}, expected the same")
    return 1 - float((kernel * start).sum() / (kernel.norm() * start.norm()))


def kernel_alignment(kernel: Tensor, labels: Tensor) -> float:
    """Return ``<K, Y Y^T> / (||K||_F ||Y Y^T||_F)``, which for one output is ``y^T K y / (||K||_F ||y||^2)``.

    Kumar et al. 2023, arXiv:2310.06110 (there at initialisation); NaN where either is zero.

    Parameters
    ----------
    kernel : Tensor, shape (n, n)
    labels : Tensor of floats, shape (n,) or (n, outputs)
        Class indices are to be given as one-hot rows less ``1 / classes``.
    """
    flat = labels.reshape(len(labels), -1).to(kernel)
    gram = flat @ flat.T
    return float((kernel * gram).sum() / (kernel.norm() * gram.norm()))


def kernel_change(problem: Problem, vector: Tensor, context: Context) -> dict[str, float]:
    """Return how far the tangent kernel is from that at ``context.start``, how large it is, how aligned with labels.

    ``kernel_distance``, ``kernel_norm = ||K||_F / n`` and ``kernel_alignment``, on the training examples that
    ``context.seed`` chooses. They are exact for these examples and have no sampling error for themselves; other
    examples give other values. Without a start only the last two.

    Cost: one gradient of each output of each example alone, and of the start as many if its kernel is not given.
    """
    inputs, targets = context.sample(problem)
    kernel = tangent_kernel(problem, vector, inputs)
    found = {}
    if context.start is not None:
        start = context.start_kernel
        if start is None:
            start = tangent_kernel(*network_of(problem, context.start, "start"), inputs)
        found["kernel_distance"] = kernel_distance(kernel, start.to(kernel))
    found["kernel_norm"] = float(kernel.norm()) / len(kernel)
    labels = _labels(problem, targets)
    if labels is not None:
        found["kernel_alignment"] = kernel_alignment(kernel, labels)
    return found


@torch.no_grad()
def outputs_each(problem: Problem) -> int:
    """Return how many numbers the network answers for one example."""
    inputs, _ = problem.batches["train"][0]
    outputs: Tensor = problem.outputs(problem.start, part(inputs, slice(1)))
    return outputs.numel()


def _labels(problem: Problem, targets: Any) -> Tensor | None:
    """Return targets as numbers, class indices as centred one-hot rows; None if they are neither."""
    if not isinstance(targets, Tensor):
        return None
    classes = outputs_each(problem)
    if targets.is_floating_point() or classes < 2 or (targets.ndim > 1 and targets[0].numel() == classes):
        return targets.double()
    if targets.ndim > 1 or not 0 <= int(targets.min()) <= int(targets.max()) < classes:
        return None  # classes of several positions, or ignored ones
    return F.one_hot(targets.long(), classes).double() - 1 / classes
