"""A private copy of anyone's module, or the reason why there can be none."""

from __future__ import annotations

import copy
import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from grokscape.landscape.errors import InvalidInput, brief
from grokscape.landscape.twice_differentiable import make_twice_differentiable


def adopted(model: nn.Module, training_mode: bool) -> nn.Module:
    """Return a copy of a module, differentiable twice, in training or evaluation mode.

    Wrappers that change how a module runs and not what it computes (`torch.compile`, `nn.DataParallel`,
    `DistributedDataParallel`) are taken off, inside too, and so are hooks on gradients: they are no part of the loss.
    What an attribute holds that cannot be copied (a lock, an open file) is shared with the original.

    Raises
    ------
    InvalidInput
        If weights are not there (lazy, on the meta device, sharded) or share memory, if the module is compiled to
        TorchScript, cannot be copied, or drops out at random.
    """
    model = unwrapped(model)
    for name, part in model.named_modules():
        _refuse_kind(f"module {name!r}" if name else "the model", part)
    _refuse_weights(model)
    template = copied(model)
    if {id(p) for p in template.parameters()} & {id(p) for p in model.parameters()}:
        raise InvalidInput(
            "a copy of the model shares its parameters; look for a __deepcopy__ method that copies nothing"
        )
    template.train(training_mode)
    for part in template.modules():
        part._backward_hooks.clear()
        part._backward_pre_hooks.clear()
    make_twice_differentiable(template)
    if training_mode:
        _refuse_dropout(template)
    return template


def unwrapped(model: nn.Module) -> nn.Module:
    """Return what is inside of wrappers that change how a module runs and not what it computes."""
    while True:
        if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            model = model.module
        elif isinstance(getattr(model, "_orig_mod", None), nn.Module):  # what torch.compile returns
            model = model._orig_mod  # type: ignore[assignment]
        else:
            return model


def copied(model: nn.Module) -> nn.Module:
    """Return a copy of a module, without the graphs of tensors that it keeps between calls."""
    try:
        return _deepcopy(model, {})
    except Exception:  # whatever somebody else's attributes raise
        kept: dict[int, Any] = {}
        _keep(model, {id(t): t for t in (*model.parameters(), *model.buffers())}, kept, {})
    try:
        return _deepcopy(model, kept)
    except Exception as error:
        raise InvalidInput(
            f"the model cannot be copied ({type(error).__name__}: {brief(str(error))}); give a function "
            "f(parameters, inputs) that calls it, with torch.func.functional_call, and parameters="
        ) from error


def _deepcopy(model: nn.Module, memo: dict[int, Any]) -> nn.Module:
    for part in reversed(list(model.modules())):  # what is inside comes first
        if unwrapped(part) is not part:
            memo[id(part)] = copy.deepcopy(unwrapped(part), memo)
    return copy.deepcopy(model, memo)


def _keep(thing: Any, weights: dict[int, Any], kept: dict[int, Any], known: dict[int, bool]) -> bool:
    """Note what takes the place of everything inside a thing that cannot be copied: itself, or a tensor's values.

    Returns whether the thing can be copied so. Modules have to be copied, and so has what holds one that cannot be.
    """
    if id(thing) in known:
        return known[id(thing)]
    known[id(thing)] = True
    if _copies(thing, weights | kept):
        return True
    if isinstance(thing, Tensor):
        kept[id(thing)] = thing.detach().clone()
        return True
    parts = [_keep(part, weights, kept, known) for part in _inside(thing)]
    if all(parts) and not _copies(thing, weights | kept) and not isinstance(thing, nn.Module):
        kept[id(thing)] = thing
    known[id(thing)] = all(parts) and _copies(thing, weights | kept)
    return known[id(thing)]


def _copies(thing: Any, memo: dict[int, Any]) -> bool:
    try:
        copy.deepcopy(thing, memo)
    except Exception:  # whatever somebody else's attributes raise
        return False
    return True


def _inside(thing: Any) -> Iterator[Any]:
    if isinstance(thing, dict):
        yield from thing.values()
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from thing
    elif hasattr(thing, "__dict__"):
        yield from vars(thing).values()


def _refuse_kind(what: str, part: nn.Module) -> None:
    if isinstance(part, torch.jit.ScriptModule):
        raise InvalidInput(
            f"{what} is compiled to TorchScript, whose parameters cannot be replaced; give the module that was "
            "scripted or traced"
        )
    if type(part).__name__.startswith(("FullyShardedDataParallel", "FSDP")):
        raise InvalidInput(
            f"{what} is sharded over processes ({type(part).__name__}); load its full state dict into the plain module "
            "and give that"
        )


def _refuse_weights(model: nn.Module) -> None:
    """Refuse weights without values, and those that share memory with others."""
    places: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if is_lazy(tensor):
            raise InvalidInput(
                f"{name!r} of the model has no shape yet (a lazy module); call the model once on a batch before"
            )
        if tensor.is_meta:
            raise InvalidInput(f"{name!r} of the model is on the meta device, without values; load its weights before")
        if hasattr(tensor, "to_local") or tensor.layout != torch.strided or tensor.is_quantized:
            raise InvalidInput(
                f"{name!r} of the model is {type(tensor).__name__} of layout {tensor.layout} and {tensor.dtype}, "
                "expected a dense tensor that one process holds; convert it (full_tensor(), to_dense(), dequantize())"
            )
    for name, tensor in model.named_parameters():
        if 0 in [step for step, n in zip(tensor.stride(), tensor.shape, strict=True) if n > 1]:
            raise InvalidInput(
                f"parameter {name!r} of shape {tuple(tensor.shape)} is expanded: its elements share memory; make a "
                "parameter of its own size, and expand it in forward"
            )
        if not tensor.numel():
            continue
        first, other = places.setdefault(tensor.data_ptr(), (name, tensor))
        if other is not tensor:
            raise InvalidInput(
                f"parameters {first!r} and {name!r} share memory but are two parameters; tie them by one nn.Parameter "
                "under both names, or clone() one of them"
            )


def _refuse_dropout(module: nn.Module) -> None:
    for name, part in module.named_modules():
        rate = getattr(part, "p", getattr(part, "dropout", 0.0))
        if "dropout" in type(part).__name__.lower() and rate:
            raise InvalidInput(f"module {name!r} drops out at random in training mode; set its rate to 0")


def matching(everything: Mapping[str, Tensor], only: str | Sequence[str] | None) -> list[str]:
    """Return the names of the parameters to vary: those that require a gradient and match a pattern, if there is one.

    Raises
    ------
    InvalidInput
        If nothing requires a gradient, or nothing matches.
    """
    free = [name for name, tensor in everything.items() if tensor.requires_grad]
    if not everything:
        raise InvalidInput("the model has no parameters (as when it is quantised); give the model that they belong to")
    if not free:
        raise InvalidInput("no parameter requires a gradient, so there is nothing to vary; unfreeze some")
    if only is None:
        return free
    patterns = [only] if isinstance(only, str) else list(only)
    for pattern in patterns:
        if not fnmatch.filter(free, pattern):
            raise InvalidInput(f"only={pattern!r} matches no free parameter; there are {', '.join(free)}")
    return [name for name in free if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
