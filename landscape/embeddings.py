"""Embeddings whose flags change gradients: made right where the flag has a meaning, refused where it has none."""

from __future__ import annotations

import copy
import inspect
import types
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from grokscape.landscape.errors import InvalidInput


def repaired(module: nn.Module) -> nn.Module:
    """Return a module whose embeddings have right gradients, one network at a time and many: itself, or a copy."""
    if not any(map(_flagged, module.modules())):
        return module
    module = copy.deepcopy(module)
    repair(module)
    return module


def repair(module: nn.Module) -> None:
    """Let embeddings compute so that their derivatives are right, in all parts of a module, in place.

    - ``padding_idx``: that row takes no part in the gradient, for any number of networks at once. Under
      `torch.func.vmap` PyTorch's own backward pass keeps only the first network's row out of it, if networks have
      inputs of their own.
    - ``scale_grad_by_freq``: derivatives are those of the loss; the flag would divide them by how often a row is used.
    - ``sparse``: gradients are dense; they hold the same numbers.
    - Bags of one length are looked up and added, which can be differentiated twice.

    A subclass keeps its own forward pass: what it calls is replaced while it runs.

    Raises
    ------
    InvalidInput
        For ``max_norm``, which rewrites weights during a forward pass.
    """
    for name, part in module.named_modules():
        if not _flagged(part):
            continue
        if part.max_norm is not None:
            raise InvalidInput(
                f"module {name!r} ({type(part).__name__}) has max_norm={part.max_norm}, which rewrites its weights "
                "during every forward pass; set max_norm to None (after a pass over the data the weights keep to it)"
            )
        part.forward = types.MethodType(_repaired_forward, part)


def _repaired_forward(self: Any, *args: Any, **kwargs: Any) -> Any:
    with _RightFlags():
        return type(self).forward(self, *args, **kwargs)


def scaled_by_frequency(module: nn.Module) -> str | None:
    """Return the name of an embedding that asks for gradients scaled by frequency, if there is one."""
    return next((name for name, part in module.named_modules() if getattr(part, "scale_grad_by_freq", False)), None)


def padding_rows(module: nn.Module) -> Iterator[tuple[str, int]]:
    """Yield the name of each weight that has a row for padding, and which row that is."""
    for name, part in module.named_modules():
        if isinstance(part, nn.Embedding | nn.EmbeddingBag) and part.padding_idx is not None:
            yield f"{name}.weight".lstrip("."), part.padding_idx


class _RightFlags(TorchFunctionMode):
    """While this is entered, look-ups have the right gradients, whatever their flags."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        call = _look_up(func, args, kwargs or {})
        if call is None or call.get("max_norm") is not None:
            return func(*args, **(kwargs or {}))
        weight = _without_padding(call["weight"], call["padding_idx"])
        if func is not F.embedding_bag:
            return F.embedding(call["input"], weight)
        if call["input"].ndim == 2 and call["offsets"] is None:
            return _reduced(call, weight)
        if call["padding_idx"] is not None:
            raise InvalidInput(
                "an EmbeddingBag with padding_idx reads bags that are given by offsets; give bags of one length, shape "
                "(bags, length), filled up with padding_idx"
            )
        return func(**(call | {"sparse": False, "scale_grad_by_freq": False}))


class RefuseFlags(TorchFunctionMode):
    """While this is entered, look-ups with flags by a function of ``torch.nn.functional`` are refused.

    Modules with such flags are repaired; a call of the function inside somebody's forward pass is not.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        call = _look_up(func, args, kwargs or {}) or {}
        if call.get("sparse"):
            raise InvalidInput(
                f"the model calls torch.nn.functional.{func.__name__} with sparse=True, whose gradients are sparse "
                "tensors, of which no curvature can be taken; leave the flag out, or use the module "
                "torch.nn.Embedding, whose flag is seen to here"
            )
        for flag in ("padding_idx", "max_norm", "scale_grad_by_freq"):
            if call.get(flag) is not None and call[flag] is not False:
                raise InvalidInput(
                    f"the model calls torch.nn.functional.{func.__name__} with {flag}={call[flag]}, whose gradients "
                    "are wrong for several networks at once; use the module torch.nn.Embedding with that flag, or "
                    "leave it out"
                )
        return func(*args, **(kwargs or {}))


def _raw(
    weight: Tensor, input: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> None:
    """Have the signature of `torch.embedding`."""


_SIGNATURES = {
    F.embedding: inspect.signature(F.embedding),
    F.embedding_bag: inspect.signature(F.embedding_bag),
    torch.embedding: inspect.signature(_raw),
}


def _look_up(func: Any, args: Any, kwargs: Any) -> dict[str, Any] | None:
    """Return the arguments of a look-up by name, None of anything else."""
    if func not in _SIGNATURES:
        return None
    if func is torch.embedding and "indices" in kwargs:
        kwargs = {("input" if name == "indices" else name): value for name, value in kwargs.items()}
    bound = _SIGNATURES[func].bind(*args, **kwargs)
    bound.apply_defaults()
    call = dict(bound.arguments)
    if func is torch.embedding and call["padding_idx"] == -1:
        call["padding_idx"] = None
    return call


def _flagged(part: nn.Module) -> bool:
    if isinstance(part, nn.EmbeddingBag):
        return True
    if not isinstance(part, nn.Embedding):
        return False
    return part.padding_idx is not None or part.max_norm is not None or part.scale_grad_by_freq or part.sparse


def _reduced(call: dict[str, Any], weight: Tensor) -> Tensor:
    """Look up and reduce bags of one length, shape (bags, length); the padding row counts as absent."""
    input, padding = call["input"], call["padding_idx"]
    rows = F.embedding(input, weight)
    here = torch.ones_like(input, dtype=torch.bool) if padding is None else input != padding % len(weight)
    if call["mode"] == "max":
        found = rows.masked_fill(~here[..., None], -torch.inf).amax(1)
        return found.masked_fill(~here.any(1, keepdim=True), 0.0)
    if call["per_sample_weights"] is not None:
        rows = rows * call["per_sample_weights"][..., None]
    total = (rows * here[..., None]).sum(1)
    return total / here.sum(1, keepdim=True).clamp(min=1) if call["mode"] == "mean" else total


def _without_padding(weight: Tensor, padding_idx: int | None) -> Tensor:
    """Return the weight; of the row that stands for padding, a value without a gradient."""
    if padding_idx is None:
        return weight
    padding = torch.arange(len(weight), device=weight.device) == padding_idx % len(weight)
    return torch.where(padding[:, None], weight.detach(), weight)
