"""What logits say about labels, example by example."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Return ``z_label - max(other z)`` per example: positive if and only if the label has strictly the largest logit.

    Parameters
    ----------
    logits : Tensor, shape (..., n_classes)
    labels : Tensor of int64, shape (...)
    """
    at_label = logits.gather(-1, labels[..., None]).squeeze(-1)
    return at_label - logits.scatter(-1, labels[..., None], -torch.inf).amax(-1)


def label_logit(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the label's logit, centred over classes, per example (shapes as in `margin`)."""
    return logits.gather(-1, labels[..., None]).squeeze(-1) - logits.mean(-1)


def logit_scale(logits: Tensor) -> Tensor:
    """Return the root mean square over examples and classes of the logits centred over classes, shape (...).

    Parameters
    ----------
    logits : Tensor, shape (..., examples, n_classes)
    """
    return (logits - logits.mean(-1, keepdim=True)).square().mean((-2, -1)).sqrt()


def right(outputs: Any, targets: Any) -> Tensor:
    """Return 1 where an example's label has strictly the largest output, else 0, float64 of shape (n,).

    Outputs of several positions count by their share of right ones. NaN if the targets are no class indices. Positions
    whose target is no class (such as ``ignore_index``) do not count; NaN for an example that has no other.
    """
    if not isinstance(outputs, Tensor) or not isinstance(targets, Tensor) or targets.is_floating_point():
        n = len(targets) if isinstance(targets, Tensor) else 1
        return torch.full((n,), torch.nan, dtype=torch.float64)
    if outputs.ndim < 2 or outputs.shape[:-1] != targets.shape or outputs.shape[-1] == 1:
        return torch.full((len(targets),), torch.nan, dtype=torch.float64)
    counted = (targets >= 0) & (targets < outputs.shape[-1])
    found = (margin(outputs, targets.long().where(counted, 0)) > 0).double()
    return found.where(counted, torch.nan).reshape(len(targets), -1).nanmean(1)
