"""How much a batch weighs in the mean loss, where a loss takes a mean of its own over each batch.

The mean over all data is ``sum_b w_b L_b / sum_b w_b``, with w_b what the loss divided by on batch b.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grokscape.landscape.problem.batches import Batch, length

#: Losses whose mean is over the weights of class labels, and those whose mean is over all numbers.
BY_LABEL = (nn.CrossEntropyLoss, nn.NLLLoss, F.cross_entropy, F.nll_loss)
BY_NUMBER = (
    nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss, nn.BCELoss, nn.BCEWithLogitsLoss,
    F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss, F.binary_cross_entropy, F.binary_cross_entropy_with_logits,
)  # fmt: skip
KNOWN = BY_LABEL + BY_NUMBER


@dataclass(frozen=True)
class Weighing:
    """What a loss divides by on a batch.

    Attributes
    ----------
    loss : object
        The one of `KNOWN` that the loss is; None for all others, which are taken to divide by the number of examples.
    reduction : str
    weight : Tensor of shape (classes,), or None
    ignore_index : int
    """

    loss: Any = None
    reduction: str = "mean"
    weight: Tensor | None = None
    ignore_index: int = -100

    @property
    def by_label(self) -> bool:
        """Whether the loss is PyTorch's cross-entropy or its like, with the classes along axis 1."""
        return self.loss in BY_LABEL

    @property
    def ignored(self) -> int | None:
        """The class index that does not count, if that is known."""
        return self.ignore_index if self.by_label else None

    def of(self, batch: Batch) -> float:
        """Return what the loss divides by on a batch; 0 if nothing in it counts."""
        _, targets = batch
        if self.loss is None or self.reduction != "mean" or not isinstance(targets, Tensor):
            return length(batch)
        if self.loss in BY_NUMBER or targets.is_floating_point():
            return targets.numel()
        counted = targets[targets != self.ignore_index]
        if self.weight is None:
            return counted.numel()
        if counted.numel() and not 0 <= int(counted.min()) <= int(counted.max()) < len(self.weight):
            return length(batch)  # the loss will say that there is no such class
        return float(self.weight.detach().double()[counted.long().to(self.weight.device)].sum())


def weighing(loss: Callable[..., Any]) -> Weighing:
    """Return how a loss weighs batches: PyTorch's own, as modules, functions, or partial applications of these."""
    given: dict[str, Any] = {}
    while isinstance(loss, functools.partial):
        if loss.args:
            return Weighing()
        given, loss = loss.keywords | given, loss.func
    if isinstance(loss, nn.Module):
        kind = type(loss)
        if given or kind not in KNOWN or loss._forward_hooks or loss._forward_pre_hooks:
            return Weighing()
        names = ("reduction", "weight", "ignore_index")
        given = {name: getattr(loss, name) for name in names if hasattr(loss, name)}
    else:
        kind = next((one for one in KNOWN if one is loss), None)  # type: ignore[assignment]
    if kind is None or {"size_average", "reduce"} & set(given):
        return Weighing()
    if kind in BY_NUMBER:
        plain = kind in BY_NUMBER[:6] or "weight" not in given
        return Weighing(kind, given.get("reduction", "mean")) if plain else Weighing()
    return Weighing(kind, given.get("reduction", "mean"), given.get("weight"), given.get("ignore_index", -100))


def weights(rule: Weighing, batches: list[Batch]) -> list[float]:
    """Return the weight of each batch."""
    with torch.no_grad():
        return [rule.of(batch) for batch in batches]
