"""Embeddings whose flags change gradients: made right where the flag has a meaning, refused where it has none."""

from __future__ import annotations

import copy
import types
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from landscape.errors import InvalidInput


def repaired(module: nn.Module) -> nn.Module:
    """Return a module whose embeddings have right gradients, one network at a time and many: itself, or a copy."""
    if not any(map(_flagged, module.modules())):
        return module
    module = copy.deepcopy(module)
    repair(module)
    return module


def repair(module: nn.Module) -> None:
    """Replace how embeddings with flags compute, in all parts of a module, in place.

    - ``padding_idx``: that row takes no part in the gradient, for any number of networks at once. Under
      `torch.func.vmap` PyTorch's own backward pass keeps only the first network's row out of it, if networks have
      inputs of their own.
    - ``scale_grad_by_freq``: derivatives are those of the loss; the flag would divide them by how often a row is used.
    - ``sparse``: gradients are dense; they hold the same numbers.

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
        forward = _embedding if isinstance(part, nn.Embedding) else _embedding_bag
        part.forward = types.MethodType(forward, part)


def scaled_by_frequency(module: nn.Module) -> str | None:
    """Return the name of an embedding that asks for gradients scaled by frequency, if there is one."""
    return next((name for name, part in module.named_modules() if getattr(part, "scale_grad_by_freq", False)), None)


def padding_rows(module: nn.Module) -> Iterator[tuple[str, int]]:
    """Yield the name of each weight that has a row for padding, and which row that is."""
    for name, part in module.named_modules():
        if isinstance(part, nn.Embedding | nn.EmbeddingBag) and part.padding_idx is not None:
            yield f"{name}.weight".lstrip("."), part.padding_idx


class RefuseFlags(TorchFunctionMode):
    """While this is entered, ``torch.nn.functional.embedding`` and ``embedding_bag`` refuse flags.

    Modules with such flags are repaired; a call of the function inside somebody's forward pass cannot be.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (F.embedding, F.embedding_bag):
            names = ("padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse")
            given = kwargs | (dict(zip(names, args[2:], strict=False)) if func is F.embedding else {})
            for flag in ("padding_idx", "max_norm", "scale_grad_by_freq"):
                if given.get(flag) is not None and given[flag] is not False:
                    raise InvalidInput(
                        f"the model calls torch.nn.functional.{func.__name__} with {flag}={given[flag]}, whose "
                        "gradients are wrong for several networks at once; use the module torch.nn.Embedding with that "
                        "flag, or leave it out"
                    )
            if given.get("sparse"):
                raise InvalidInput(
                    f"the model calls torch.nn.functional.{func.__name__} with sparse=True, whose gradients are sparse "
                    "tensors, of which no curvature can be taken; leave the flag out, or use the module "
                    "torch.nn.Embedding, whose flag is seen to here"
                )
        return func(*args, **kwargs)


def _flagged(part: nn.Module) -> bool:
    if not isinstance(part, nn.Embedding | nn.EmbeddingBag):
        return False
    flags = (part.padding_idx is not None, part.max_norm is not None, part.scale_grad_by_freq, part.sparse)
    return any(flags)


def _embedding(self: Any, input: Tensor) -> Tensor:
    return F.embedding(input, _without_padding(self))


def _embedding_bag(
    self: Any, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
) -> Tensor:
    """Look up and reduce bags of one length, shape (bags, length); the padding row counts as absent."""
    if input.ndim != 2 or offsets is not None:
        raise InvalidInput(
            "an EmbeddingBag with flags reads bags that are given by offsets; give bags of one length, shape "
            "(bags, length), filled up with padding_idx"
        )
    rows = F.embedding(input, _without_padding(self))
    here = torch.ones_like(input, dtype=torch.bool) if self.padding_idx is None else input != self.padding_idx
    if self.mode == "max":
        found = rows.masked_fill(~here[..., None], -torch.inf).amax(1)
        return found.masked_fill(~here.any(1, keepdim=True), 0.0)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights[..., None]
    total = (rows * here[..., None]).sum(1)
    return total / here.sum(1, keepdim=True).clamp(min=1) if self.mode == "mean" else total


def _without_padding(part: Any) -> Tensor:
    """Return the weight; of the row that stands for padding, a value without a gradient."""
    weight: Tensor = part.weight
    if part.padding_idx is None:
        return weight
    padding = torch.arange(len(weight), device=weight.device) == part.padding_idx % len(weight)
    return torch.where(padding[:, None], weight.detach(), weight)
