"""Whether examples lie along the first axis of the data, so that they can be taken apart and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem.batches import Batch, alike, concatenate, length, part
from grokscape.landscape.problem.containers import tensors

if TYPE_CHECKING:
    from grokscape.landscape.problem import Problem


@torch.no_grad()
def same_alone(problem: Problem, batch: Batch, first: int) -> bool | None:
    """Return whether the examples from one on have the same outputs without those before; None if that fails."""
    if not 0 < first < length(batch):
        return True
    rest, n = slice(first, None), length(batch)
    try:
        together = tensors(problem.outputs(problem.start, batch[0]))
        alone = tensors(problem.outputs(problem.start, part(batch[0], rest)))
    except Exception:  # a model may insist on its batch
        return None
    # Accelerators choose their algorithm, and its few digits (TF32), by the size of the batch.
    exact = problem.device.type == "cpu" or problem.dtype == torch.float64
    tolerance = torch.finfo(problem.dtype).eps ** 0.5 if exact else 5e-3
    return len(alone) == len(together) and all(
        _same(one, other[rest], tolerance)
        for one, other in zip(alone, together, strict=True)
        if other.ndim and len(other) == n  # what is not one for each example, such as a hidden state, says nothing
    )


def need_separable(problem: Problem, split: str, batch_size: int | None) -> None:
    """Refuse several batches whose examples are not along the first axis, where that makes a difference."""
    batches = problem.batches[split]
    if problem.training_mode or len(batches) < 2:
        return
    if batch_size is not None and alike(batches[:2]):
        if same_alone(problem, concatenate(batches[:2]), length(batches[0])) is False:
            raise InvalidInput(
                f"batch_size={batch_size} cuts the {split} data along the first axis, and the outputs of a part differ "
                "from those in the batch, so that axis is not that of the examples, or the model compares them; have "
                "examples along the first axis (batch_first=True), or leave batch_size out"
            )
    elif not alike(batches) and same_alone(problem, batches[0], length(batches[0]) // 2) is False:
        raise InvalidInput(
            f"{split} batches differ in more than their first axis, which is not that of the examples, or the model "
            "compares them: the outputs of half a batch differ from those in the whole batch. How much each batch "
            "counts cannot be known; have examples along the first axis (batch_first=True), or give one batch"
        )


def _same(one: Tensor, other: Tensor, tolerance: float) -> bool:
    if one.shape != other.shape or not one.is_floating_point() or not one.numel():
        return one.shape == other.shape
    return torch.allclose(one, other, tolerance, tolerance * float(other.abs().max()), equal_nan=True)
