"""Whether the derivatives of a problem's loss are with respect to its varied parameters, and are those of the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from grokscape.landscape.errors import InvalidInput, brief
from grokscape.landscape.problem.containers import tensors as tensors_of
from grokscape.landscape.problem.gradient_check import elsewhere, few_examples, wrong_slope
from grokscape.landscape.problem.operations import Touched
from grokscape.landscape.problem.references import leaves, references

if TYPE_CHECKING:
    from grokscape.landscape.problem import Problem


@torch.no_grad()
def settle_loss(problem: Problem, outputs: Any, targets: Any) -> None:
    """Find out whether a loss that holds the model makes use of it; refuse one that reads tensors of it by themselves.

    Raises
    ------
    InvalidInput
        If the loss's code refers to parameters of the model, which are the original's.
    """
    loss = problem.given_loss
    trainable = {name: tensor for name, tensor in loss.originals.items() if tensor.requires_grad}
    with Touched(loss.original_buffers) as buffers, Touched(trainable) as touched:
        here = problem.raw_loss(outputs, targets)
    if loss.holds_model and torch.equal(here, problem.raw_loss(outputs, targets, elsewhere(problem))):
        loss.forget_model(buffers=_same_with_other_buffers(problem, here, outputs, targets))
    names = {id(tensor): name for name, tensor in trainable.items()}
    found = {names[id(thing)] for thing, itself in references(loss.function) if itself and id(thing) in names}
    found |= touched.names
    loss.reads_buffers = buffers.names
    if found:
        raise InvalidInput(_OWN.format(", ".join(sorted(found))))


def _same_with_other_buffers(problem: Problem, loss: Tensor, outputs: Any, targets: Any) -> bool:
    others = {name: b * 1.1 + 0.1 for name, b in problem.buffers().items() if b.is_floating_point()}
    return not others or torch.equal(loss, problem.carrying(others).raw_loss(outputs, targets))


_OWN = (
    "the loss uses the model's own parameters ({}), which are not those that are varied, because it refers to the "
    "tensors themselves or to what an earlier call has kept; let it refer to the module and call its parameters(), "
    "clone() what shall stay constant, or give a function f(parameters, inputs) that returns outputs and the penalty"
)


@torch.inference_mode(False)
@torch.enable_grad()
def need_own_parameters(problem: Problem) -> None:
    """Refuse a loss that depends on tensors which require a gradient and are not varied.

    Raises
    ------
    InvalidInput
        If so; the message names them, as far as they have a name.
    """
    leaf = problem.start.clone().requires_grad_()
    inputs, targets = few_examples(problem)
    try:
        outputs = tensors_of(problem.outputs(leaf, inputs))
        found, again = (leaves(problem.batch_loss(leaf, inputs, targets)) for _ in range(2))
    except Exception:  # who asks for the gradient says what it is
        return
    # What is made anew in every call, and data that a model takes gradients by, are no parameters.
    data = tensors_of((inputs, targets))
    others = [each for each in found if each is not leaf and _among(each, again) and not _among(each, data)]
    own = [name for name, tensor in problem.given_loss.originals.items() if _among(tensor, others)]
    if not others or (len(others) == len(found) and not set(own) & set(problem.layout.names)):
        return  # in the second case, nothing depends on what is varied
    shapes = ", ".join(sorted({str(tuple(other.shape)) for other in others}))
    in_model = [tensor for part in outputs for tensor in leaves(part)]
    if not own and not any(_among(other, in_model) for other in others):
        return  # the loss has weights of its own, which are constant here
    if own and not any(_among(other, in_model) for other in others):
        raise InvalidInput(_OWN.format(brief(", ".join(own))))
    if own:
        raise InvalidInput(
            f"the model runs on the original's parameters ({brief(', '.join(own))}) and not on those that are varied, "
            "because a function in it, such as a replaced forward, refers to the original; write it as a method of a "
            "subclass"
        )
    held = _attributes(problem.template, others)
    if held:
        raise InvalidInput(
            f"the model holds {brief(', '.join(held))} of shape {shapes} outside of its parameters, though gradients "
            "are required; register what is to be varied as nn.Parameter and nn.Module (nn.ModuleList), and set "
            "requires_grad_(False) for what is constant"
        )
    raise InvalidInput(
        f"the model or the loss uses tensors of shape {shapes} that require a gradient and are not varied; give them "
        "in parameters=, or register them with the module, and set requires_grad_(False) for what is constant"
    )


def _attributes(module: nn.Module | None, tensors: list[Tensor]) -> list[str]:
    """Return the names of the attributes that hold some of the tensors."""
    found = []
    for prefix, part in module.named_modules() if module is not None else ():
        for name, value in vars(part).items():
            if name not in ("_parameters", "_buffers", "_modules") and _holds(value, tensors):
                found.append(repr(f"{prefix}.{name}".lstrip(".")))
    return found


def _holds(value: Any, tensors: list[Tensor]) -> bool:
    if isinstance(value, nn.Module):
        value = list(value.parameters())
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return any(_holds(part, tensors) for part in value)
    return _among(value, tensors)


def _among(value: Any, tensors: list[Tensor]) -> bool:
    return any(value is tensor for tensor in tensors)


def need_slope(problem: Problem) -> None:
    """Refuse a gradient that is not the loss's.

    Raises
    ------
    InvalidInput
        If slopes along random directions clearly are not the differences of the loss.
    """
    found = wrong_slope(problem)
    if found is not None:
        claimed, measured = found
        raise InvalidInput(
            f"the gradient is not that of the loss: along a random direction it is {claimed:.4g}, and differences of "
            f"the loss give {measured:.4g}; look for hooks on gradients, gradient reversal, straight-through "
            "estimators (custom autograd functions, detach(), no_grad() in a part), activation checkpointing, spectral "
            "normalisation in training mode, and logarithms of probabilities that round to 0 or 1"
        )
