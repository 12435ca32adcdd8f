"""Margins, label logits and accuracy, example by example."""

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


def class_axes(outputs: Any, targets: Any) -> list[int]:
    """Return along which axes of the outputs the classes can lie, of -1 and 1, given targets that are class indices."""
    if not isinstance(outputs, Tensor) or not isinstance(targets, Tensor) or outputs.ndim < 2:
        return []
    if targets.is_floating_point() or targets.is_complex():
        return []
    shape = outputs.shape
    fit = {-1: shape[:-1] == targets.shape, 1: outputs.ndim > 2 and shape[:1] + shape[2:] == targets.shape}
    return [axis for axis, fits in fit.items() if fits and shape[axis] > 1]


def correct(outputs: Any, targets: Any, axis: int | None = -1, ignored: int | None = None) -> Tensor:
    """Return 1 where an example's label has strictly the largest output, else 0, float64 of shape (n,).

    Outputs of several positions count by their share of correct ones. NaN if the targets are no class indices.
    Positions whose target is no class (such as ``ignore_index``) do not count; NaN for an example that has no other.

    Parameters
    ----------
    outputs : Tensor, shape (n, ..., n_classes) or (n, n_classes, ...)
    targets : Tensor of int64, shape (n, ...)
    axis : {-1, 1} or None
        Where the classes are if the shapes leave both possible; None if that is not known, and then all is NaN.
    ignored : int, optional
        A class that does not count.
    """
    axes = class_axes(outputs, targets)
    if len(axes) == 2:
        axes = [axis] if axis is not None else []
    if not axes:
        n = len(targets) if isinstance(targets, Tensor) else 1
        return torch.full((n,), torch.nan, dtype=torch.float64)
    last = outputs.movedim(axes[0], -1)
    counted = (targets >= 0) & (targets < last.shape[-1])
    if ignored is not None:
        counted &= targets != ignored
    found = (margin(last, targets.long().where(counted, 0)) > 0).double()
    return found.where(counted, torch.nan).reshape(len(targets), -1).nanmean(1)
