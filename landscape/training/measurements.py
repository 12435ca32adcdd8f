"""What is recorded of every network: loss and accuracy per split, of classifiers their logits; weight norms."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.classification import label_logit, margin
from grokscape.landscape.objectives import OBJECTIVES
from grokscape.landscape.stack import Stack
from grokscape.landscape.training.arithmetic import compiled_records

Measured = dict[tuple[str, str], float]


def behaviour(
    logits: Tensor,
    labels: Tensor,
    masks: dict[str, Tensor],
    loss: Callable[[Tensor, Tensor], Tensor],
    tolerance: float | None = None,
) -> list[Measured]:
    """Measure what the networks do on each split.

    Parameters
    ----------
    logits : Tensor, shape (runs, N, n_outputs)
        On all inputs.
    labels : Tensor
        Classes, int64 of shape (runs, N), or values, shape (runs, N, n_outputs).
    masks : dict of Tensor of bool, shape (runs, N)
        Membership in each split; empty splits are left out of the result.
    loss : callable
        Per example.
    tolerance : float, optional
        For values: the mean squared error below which an answer is correct.

    Returns
    -------
    list of dict
        For each run, (split, quantity) -> value, with the quantities

        - ``loss``: mean loss (nats for cross-entropy);
        - ``accuracy``: share of examples whose label has the strictly largest logit, or whose values are met within
          the tolerance;

        and for classes besides

        - ``margin``, ``margin_min``: mean and minimum over examples of ``z_label - max(other z)``;
        - ``logit_scale``: root mean square of the logits, centred over classes;
        - ``label_logit``: mean centred logit of the label.
    """
    wide = logits.double()
    if tolerance is not None:
        per_example = {"loss": loss(wide, labels.double())}
        per_example["accuracy"] = ((wide - labels).square().mean(-1) < tolerance).double()
        return _averaged(per_example, masks)
    margins = margin(wide, labels)
    per_example = {
        "loss": loss(wide, labels),
        "accuracy": (margins > 0).double(),
        "margin": margins,
        "label_logit": label_logit(wide, labels),
        "logit_variance": wide.square().mean(-1) - wide.mean(-1).square(),
    }
    return _averaged(per_example, masks)


def _averaged(per_example: dict[str, Tensor], masks: dict[str, Tensor]) -> list[Measured]:
    """Average over each split."""
    results: list[Measured] = [{} for _ in range(len(per_example["loss"]))]
    for split, mask in masks.items():
        counts = mask.sum(1)
        # Masked, not multiplied: what is no number on one split says nothing of the others.
        means = {name: values.masked_fill(~mask, 0.0).sum(1) / counts for name, values in per_example.items()}
        if "margin" in per_example:
            means["logit_scale"] = means.pop("logit_variance").clamp(min=0).sqrt()
            means["margin_min"] = per_example["margin"].masked_fill(~mask, torch.inf).amin(1)
        table = {name: values.tolist() for name, values in means.items()}
        for row, (result, count) in enumerate(zip(results, counts.tolist(), strict=True)):
            if count:
                result.update({(split, name): values[row] for name, values in table.items()})
    return results


def norms(stack: Stack, rows: Tensor) -> list[Measured]:
    """Return the L2 norm of all parameters (``weight_norm``) and of each tensor (``weight_norm/<name>``)."""
    table = {"weight_norm": rows.double().norm(dim=1).tolist()}
    for name, tensor in stack.tensors(rows).items():
        table[f"weight_norm/{name}"] = tensor.double().flatten(1).norm(dim=1).tolist()
    return [{("", name): values[row] for name, values in table.items()} for row in range(len(rows))]


class RunMeasurer:
    """Measures one run of an ensemble after another, in compiled code where there is a compiler.

    Parameters
    ----------
    stack : Stack
    labels : Tensor, shape (runs, N) or (runs, N, n_outputs)
    masks, loss, tolerance
        As `behaviour` takes them; the loss by its name.
    """

    def __init__(
        self, stack: Stack, labels: Tensor, masks: dict[str, Tensor], loss: str, tolerance: float | None
    ) -> None:
        self.stack, self.labels, self.masks, self.loss, self.tolerance = stack, labels, masks, loss, tolerance
        self.kernel = compiled_records() if loss in ("cross_entropy", "mse") else None
        if self.kernel is None:
            return
        self.in_splits = torch.stack(list(masks.values()), 1).contiguous().numpy()
        self.counted = [[bool(mask[row].any()) for mask in masks.values()] for row in range(len(labels))]
        spans = stack.slices()
        self.starts = np.array([span.start for span in spans.values()], dtype=np.int64)
        self.ends = np.array([span.stop for span in spans.values()], dtype=np.int64)
        self.found = np.zeros((len(masks), 7))
        self.squares = np.zeros(len(spans))

    def run(self, row: int, parameters: Tensor, outputs: Tensor) -> Measured:
        """Return what is recorded of a run, given its parameters (P,) and its outputs on all inputs."""
        if self.kernel is None:
            of_run = slice(row, row + 1)
            masks = {name: mask[of_run] for name, mask in self.masks.items()}
            objective = OBJECTIVES[self.loss]
            found = behaviour(outputs[None], self.labels[of_run], masks, objective, self.tolerance)[0]
            return found | norms(self.stack, parameters[None])[0]
        in_splits, labels, kernel = self.in_splits[row], self.labels[row].numpy(), self.kernel
        if self.tolerance is None:
            kernel.of_classes(outputs.numpy(), labels, in_splits, self.loss == "mse", self.found)
        else:
            kernel.of_values(outputs.numpy(), labels, in_splits, self.tolerance, self.found)
        kernel.sums_of_squares(parameters.numpy(), self.starts, self.ends, self.squares)
        measured: Measured = {}
        for split, counted, sums in zip(self.masks, self.counted[row], self.found.tolist(), strict=True):
            if not counted:
                continue
            number = sums[kernel.COUNT]
            measured[split, "loss"] = sums[kernel.LOSS] / number
            measured[split, "accuracy"] = sums[kernel.ACCURACY] / number
            if self.tolerance is None:
                measured[split, "margin"] = sums[kernel.MARGIN] / number
                measured[split, "label_logit"] = sums[kernel.LABEL_LOGIT] / number
                measured[split, "logit_scale"] = math.sqrt(sums[kernel.VARIANCE] / number)
                measured[split, "margin_min"] = sums[kernel.LEAST_MARGIN]
        squares = self.squares.tolist()
        measured["", "weight_norm"] = math.sqrt(sum(squares))
        for name, square in zip(self.stack.names, squares, strict=True):
            measured["", f"weight_norm/{name}"] = math.sqrt(square)
        return measured
