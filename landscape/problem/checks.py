"""Validate a Problem on its first batches before an instrument works on it."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput, brief
from grokscape.landscape.problem import loss_checks as checks
from grokscape.landscape.problem.batches import Batch, length
from grokscape.landscape.problem.chance import need_no_chance
from grokscape.landscape.problem.containers import copied, is_mapping, opaque, tensors
from grokscape.landscape.problem.derivatives import need_own_parameters, need_slope, settle_loss
from grokscape.landscape.problem.memory import settle_memory
from grokscape.landscape.problem.pairing import need_pairing

if TYPE_CHECKING:
    from grokscape.landscape.problem import Problem


@torch.no_grad()
def validate(problem: Problem) -> None:
    """Refuse a problem whose loss cannot be used.

    Raises
    ------
    InvalidInput
        If a weight is not finite; if model or loss fail on the first batch of a split (or on one of another shape), or
        give something else when asked again; if the loss is neither a mean nor one value for each example, or not
        finite on training data, or does not depend on the varied parameters, or pairs outputs with targets that are
        not theirs, or depends on how the data are cut into batches.
    """
    for name, tensor in problem.everything(problem.start).items():
        if not torch.isfinite(tensor).all():
            raise InvalidInput(f"parameter {name!r} holds NaN or infinite weights; measure an earlier checkpoint")
    for split in problem.batches:
        batch, outputs, loss = _first(problem, split)
        checks.need_mean(loss, length(batch))
        checks.need_classes(problem, split, outputs)
        if split == "train":
            if not torch.isfinite(loss).all():
                raise InvalidInput(
                    "the training loss is not finite at the given weights; look for NaN or infinite numbers in the "
                    "data, and for log or sqrt at 0 in the loss, or measure an earlier checkpoint"
                )
            _need_same(problem, loss, *batch)
            checks.need_no_sum(problem, loss, outputs, batch[1])
            settle_loss(problem, outputs, batch[1])
            settle_memory(problem)
            need_no_chance(problem)
            need_own_parameters(problem)
            _need_gradient(problem, *batch)
            need_slope(problem)
            problem.class_axis = checks.class_axis(problem, outputs, batch[1])
        _need_accuracy(problem, outputs, batch[1])
        need_pairing(problem, *_of_several_examples(problem, split, batch, outputs))
        _validate_others(problem, split, loss)


def _first(problem: Problem, split: str) -> tuple[Batch, Any, Any]:
    """Return the first batch that counts, its outputs and its loss, having found out whether it is written into.

    If model or loss write into their data or outputs, they get copies from now on, and what they wrote is undone.
    """
    _, inputs, targets = next(problem.shares(split))
    batch = inputs, targets
    before, versions = copied(batch), _versions(batch)
    outputs, loss = _tried(problem, split, *batch)
    _need_tensors(outputs)
    written = versions != _versions(batch) or not all(map(_equal, tensors(before), tensors(batch)))
    versions = _versions(outputs)
    with contextlib.suppress(Exception):  # that it cannot be called again is reported later
        problem.raw_loss(outputs, targets)
    if not problem.writes and (written or versions != _versions(outputs)):
        problem.writes = True
        for leaf, old in zip(tensors(batch), tensors(before), strict=True):
            leaf.copy_(old)
        return batch, *_tried(problem, split, *batch)
    return batch, outputs, loss


def _of_several_examples(problem: Problem, split: str, batch: Batch, outputs: Any) -> tuple[Batch, Any]:
    """Return a batch of more than one example, if there is one, and its outputs."""
    for share, other in problem.shared(split) if length(batch) < 2 else ():
        if share and length(other) > 1:
            return other, _tried(problem, split, *other, which="a later batch")[0]
    return batch, outputs


def _versions(data: Any) -> list[int]:
    return [leaf._version for leaf in tensors(data)]


def _validate_others(problem: Problem, split: str, loss: Tensor) -> None:
    """Refuse data whose later batches cannot be used, or do not go together with the first."""
    batches = problem.batches[split]
    if len(batches) > 1 and not loss.ndim and problem.weighing.loss is None:
        checks.need_equal_weights(problem, split)
        return
    seen = set()
    for number, (share, batch) in enumerate(problem.shared(split), start=1):
        sort = tuple((leaf.shape, leaf.dtype) for leaf in tensors(batch))
        finite = all(leaf.layout == torch.strided and bool(torch.isfinite(leaf).all()) for leaf in tensors(batch))
        if number > 1 and share and not (sort in seen and finite):
            _, later = _tried(problem, split, *batch, which=f"batch {number}")
            if split == "train" and not torch.isfinite(later).all():
                raise InvalidInput(
                    f"the training loss is not finite at the given weights in batch {number}, whose data hold NaN or "
                    "infinite numbers; correct them, or leave these examples out"
                )
        seen.add(sort)


def _equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are equal, NaN in the same places included; those not stored densely, by version."""
    if one.layout != torch.strided:
        return True
    return torch.equal(one, other) or bool(((one == other) | (one != one) & (other != other)).all())


def _need_tensors(outputs: Any) -> None:
    """Refuse outputs that cannot be taken apart into tensors."""
    hidden = opaque(outputs)
    if isinstance(hidden, torch.distributions.Distribution):
        raise InvalidInput(
            f"the model returns a distribution ({type(hidden).__name__}), expected tensors; return its parameters, and "
            "let the loss make the distribution of them"
        )
    if hidden is not None or not tensors(outputs):
        raise InvalidInput(
            f"the model returns {outputs if hidden is None else hidden!r:.60} of type "
            f"{type(outputs if hidden is None else hidden).__name__}, expected a tensor, or a tuple, dict or dataclass "
            "of tensors; return these, or leave it out"
        )


def _need_accuracy(problem: Problem, outputs: Any, targets: Any) -> None:
    """Refuse a given accuracy that fails, or has not one value for each example."""
    try:
        problem.correct(outputs, targets)
    except InvalidInput:
        raise
    except Exception as error:  # whatever somebody else's function can raise
        raise InvalidInput(
            f"accuracy fails on the first batch ({type(error).__name__}: {error!s:.200}); expected a function "
            "accuracy(outputs, targets) with one value for each example"
        ) from error


def _tried(
    problem: Problem, split: str, inputs: Any, targets: Any, which: str = "the first batch", when: str = ""
) -> tuple[Any, Any]:
    """Return outputs and loss, as they come."""
    part = "the model"
    try:
        outputs = problem.outputs(problem.start, inputs)
        part = "the loss"
        return outputs, problem.raw_loss(outputs, targets)
    except InvalidInput:
        raise
    except Exception as error:  # whatever somebody else's module can raise
        found = f"{type(error).__name__}: {brief(str(error))}"
        advice = _how_to_take_apart(problem.whole_outputs(outputs)) if part == "the loss" else ""
        raise InvalidInput(
            f"{part} fails{when} on {which} of the {split} data ({found}); {advice}check that shapes and number types "
            "are those that it was made for, and take gradients under torch.enable_grad()"
        ) from error


def _how_to_take_apart(outputs: Any) -> str:
    """Return what a loss may not know: that it gets the whole of what a model returns."""
    if isinstance(outputs, Tensor):
        return ""
    first = "[0]" if isinstance(outputs, tuple | list) else ""
    if is_mapping(outputs):
        first = f"[{next(iter(outputs), None)!r}]"
    elif dataclasses.is_dataclass(outputs):
        first = f".{dataclasses.fields(outputs)[0].name}"
    return (
        f"it gets the whole output as the model returns it, a {type(outputs).__name__}, so write, for instance, "
        f"lambda out, t: loss(out{first}, t); "
    )


def _need_same(problem: Problem, loss: Tensor, inputs: Any, targets: Any) -> None:
    """Refuse what is random, or remembers; rounding may differ, as on a GPU it does."""
    again = float(_tried(problem, "train", inputs, targets, when=" when called again")[1].mean())
    first = float(loss.mean())
    if not abs(first - again) <= torch.finfo(problem.dtype).eps ** 0.5 * max(abs(first), abs(again)):
        raise InvalidInput(
            f"the loss is {first:.6g} and, evaluated again at the same weights and data, {again:.6g}; expected the "
            "same, so turn off what is random (such as functional dropout without training=self.training), what the "
            "model keeps between calls, and what changes its inputs in place"
        )


@torch.inference_mode(False)
@torch.enable_grad()
def _need_gradient(problem: Problem, inputs: Any, targets: Any) -> None:
    """Refuse a loss that has lost its connection to the parameters: all of its derivatives would be called zero."""
    leaf = problem.start.clone().requires_grad_()
    try:
        loss = problem.batch_loss(leaf, inputs, targets)
        found = torch.autograd.grad(loss, leaf, allow_unused=True)[0] if loss.requires_grad else None
    except Exception as error:  # whatever somebody else's module can raise
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
