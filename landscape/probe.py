"""Whether a problem can be measured, found out on its first batches before an instrument works on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from landscape.chance import need_no_chance
from landscape.derivatives import need_own_parameters, need_slope, settle_loss
from landscape.errors import InvalidInput, brief

if TYPE_CHECKING:
    from landscape.problem import Problem


@torch.no_grad()
def probe(problem: Problem) -> None:
    """Refuse a problem whose loss cannot be used.

    Raises
    ------
    InvalidInput
        If a weight is not finite; if model or loss fail on the first batch of a split, or give something else when
        asked again; if the loss is neither a mean nor one value for each example, or not finite on training data, or
        does not depend on the varied parameters, or depends on how the data are cut into batches.
    """
    for name, tensor in problem.everything(problem.start).items():
        if not torch.isfinite(tensor).all():
            raise InvalidInput(f"parameter {name!r} holds NaN or infinite weights; measure an earlier checkpoint")
    for split, batches in problem.batches.items():
        inputs, targets = batches[0]
        outputs, loss = _tried(problem, split, inputs, targets)
        _need_means(loss, next(len(leaf) for leaf in pytree.tree_leaves(batches[0]) if isinstance(leaf, Tensor)))
        if split == "train":
            if not torch.isfinite(loss).all():
                raise InvalidInput("the training loss is not finite at the given weights")
            _need_same(problem, loss, inputs, targets)
            _need_no_sum(problem, loss, outputs, targets)
            settle_loss(problem, outputs, targets)
            need_no_chance(problem)
            need_own_parameters(problem)
            _need_gradient(problem, inputs, targets)
            need_slope(problem)
            if len(batches) > 1:
                _need_equal_weights(problem, loss, outputs, targets)


def _tried(problem: Problem, split: str, inputs: Any, targets: Any, when: str = "") -> tuple[Any, Any]:
    """Return outputs and loss, as they come."""
    part = "the model"
    try:
        outputs = problem.outputs(problem.start, inputs)
        part = "the loss"
        return outputs, problem.raw_loss(outputs, targets)
    except Exception as error:  # whatever a stranger's module can raise
        found = f"{type(error).__name__}: {brief(str(error))}"
        raise InvalidInput(
            f"{part} fails{when} on the first batch of the {split} data ({found}); check that shapes and number "
            "types are those that it was made for, and take gradients under torch.enable_grad()"
        ) from error


def _need_means(loss: Any, n: int) -> None:
    if not isinstance(loss, Tensor) or not loss.is_floating_point() or tuple(loss.shape) not in {(), (n,)}:
        found = f"shape {tuple(loss.shape)} and {loss.dtype}" if isinstance(loss, Tensor) else brief(repr(loss), 60)
        raise InvalidInput(
            f"loss returned {found} on {n} examples, expected a scalar, or one value for each example: shape ({n},)"
        )


def _need_same(problem: Problem, loss: Tensor, inputs: Any, targets: Any) -> None:
    """Refuse what is random, or remembers; rounding may differ, as on a GPU it does."""
    again = float(_tried(problem, "train", inputs, targets, " when called again")[1].mean())
    first = float(loss.mean())
    if not abs(first - again) <= torch.finfo(problem.dtype).eps ** 0.5 * max(abs(first), abs(again)):
        raise InvalidInput(
            f"the loss is {first:.6g} and, evaluated again at the same weights and data, {again:.6g}; expected the "
            "same, so turn off what is random (such as functional dropout without training=self.training), what the "
            "model keeps between calls, and what changes its inputs in place"
        )


def _need_no_sum(problem: Problem, loss: Tensor, outputs: Any, targets: Any) -> None:
    """Refuse a scalar that doubles with the data: the mean over batches would be taken of sums."""
    if loss.ndim or not loss:
        return
    try:
        twice = problem.raw_loss(*pytree.tree_map(lambda leaf: torch.cat([leaf, leaf]), (outputs, targets)))
    except Exception:  # a loss may insist on its batch, or outputs not be batches
        return
    if abs(float(twice) / float(loss) - 2) < torch.finfo(problem.dtype).eps ** 0.5:
        raise InvalidInput(
            "the loss doubles when its batch is repeated, so it is a sum over examples, expected their mean or one "
            "value for each; use reduction='mean' or 'none'"
        )


@torch.inference_mode(False)
@torch.enable_grad()
def _need_gradient(problem: Problem, inputs: Any, targets: Any) -> None:
    """Refuse a loss that has lost its way to the parameters: all of its derivatives would be called zero."""
    leaf = problem.start.clone().requires_grad_()
    try:
        loss = problem.batch_loss(leaf, inputs, targets)
        found = torch.autograd.grad(loss, leaf, allow_unused=True)[0] if loss.requires_grad else None
    except Exception as error:  # whatever a stranger's module can raise
        raise InvalidInput(
            f"the gradient of the loss fails on the first batch ({type(error).__name__}: {brief(str(error))}); look "
            "for inference_mode(), operations in place, and functions without a derivative"
        ) from error
    if found is None:
        names = brief(", ".join(problem.layout.names))
        raise InvalidInput(
            f"the training loss does not depend on the parameters that are varied ({names}); "
            "look for detach() or no_grad() in the model or the loss, or choose others with only="
        )


def _need_equal_weights(problem: Problem, loss: Tensor, outputs: Any, targets: Any) -> None:
    """Refuse a scalar that weighs examples unequally: its mean over batches depends on how the data were cut."""
    n = next(len(leaf) for leaf in pytree.tree_leaves(outputs) if isinstance(leaf, Tensor))
    if loss.ndim or n < 2:
        return
    parts = []
    for part in (slice(0, n // 2), slice(n // 2, n)):
        try:
            piece = problem.raw_loss(*pytree.tree_map(lambda leaf, part=part: leaf[part], (outputs, targets)))
        except Exception:  # a loss may insist on its batch
            return
        parts.append(float(piece) * (part.stop - part.start) / n)
    if abs(sum(parts) - float(loss)) > 100 * torch.finfo(problem.dtype).eps * max(abs(float(loss)), *map(abs, parts)):
        raise InvalidInput(
            f"the loss of a batch, {float(loss):.6g}, is not the mean over its halves, {sum(parts):.6g}, so it weighs "
            "examples by their company (class weights, ignored labels, contrasts), and what is measured would depend "
            "on how the data are cut; give the data as one batch, or a loss with one value for each example"
        )
