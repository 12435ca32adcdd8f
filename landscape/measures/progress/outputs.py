"""Measures of what the network answers: loss, accuracy, the scale of its logits."""
# ruff: noqa: ARG001  # one signature for all measures

from __future__ import annotations

import torch
from torch import Tensor

from grokscape.landscape.measures.progress.context import Context, NotApplicable
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.batches import length


def performance(problem: Problem, vector: Tensor, context: Context) -> dict[str, float]:
    """Return loss and accuracy on each split that the problem has; accuracy is NaN where it is undefined."""
    found = {}
    for split in problem.batches:
        for quantity, values in problem.evaluate(vector[None], split).items():
            found[f"{split}_{quantity}"] = float(values[0])
    return found


@torch.no_grad()
def logit_scale(problem: Problem, vector: Tensor, context: Context) -> float:
    """Return the root mean square of the outputs over the training set, centred over classes where there are several.

    ``sqrt(mean_ic (z_ic - mean_c z_ic)^2)``: the confidence that softmax sees. Logits that grow by the norm alone are
    the "naive loss minimisation" of Prieto et al. 2025 (arXiv:2501.04697).
    """
    total = 0.0
    for inputs, targets in problem.batches["train"]:
        outputs = problem.outputs(vector, inputs)
        if not isinstance(outputs, Tensor):
            raise NotApplicable(f"logit_scale needs outputs that are one tensor, found {type(outputs).__name__}")
        outputs = problem.classes_last(outputs).double()
        if outputs.ndim > 1 and outputs.shape[-1] > 1:
            outputs = outputs - outputs.mean(-1, keepdim=True)
        total += length((inputs, targets)) / problem.count["train"] * float(outputs.square().mean())
    return total**0.5
