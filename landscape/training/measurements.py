"""What is recorded of every network: loss and accuracy per split, of classifiers their logits; weight norms."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from landscape.classification import label_logit, margin
from landscape.ensemble import Stack

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
        For values: the mean squared error below which an answer is right.

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
        means = {name: (values * mask).sum(1) / counts for name, values in per_example.items()}
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
