"""Losses per example, over any leading dimensions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return ``logsumexp(z) - z_label`` per example, in nats.

    Parameters
    ----------
    logits : Tensor, shape (..., n_classes)
    labels : Tensor of int64, shape (...)
    """
    flat = F.cross_entropy(logits.flatten(0, -2), labels.flatten(), reduction="none")
    return flat.view(labels.shape)


def mse(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the squared distance to the label (a one-hot one, if it is a class), averaged over outputs, per example.

    Parameters
    ----------
    logits : Tensor, shape (..., n_outputs)
    labels : Tensor
        Classes, int64 of shape (...), or values, shape (..., n_outputs).
    """
    if labels.is_floating_point():
        return (logits - labels).square().mean(-1)
    # |z - e_y|^2 = |z|^2 - 2 z_y + 1 needs no one-hot tensor, but cancels near the optimum; so subtract first.
    at_label = torch.zeros_like(logits).scatter(-1, labels[..., None], 1.0)
    return (logits - at_label).square().mean(-1)


OBJECTIVES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"cross_entropy": cross_entropy, "mse": mse}
