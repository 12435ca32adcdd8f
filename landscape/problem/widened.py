"""Double precision for models and losses that were written for single."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree


class Widened(TorchFunctionMode):
    """While it is active, torch's functions read float32 tensors and ``dtype=torch.float32`` as float64.

    So a model with parameters in float64 runs in float64, whatever else it or its loss holds or makes: class weights,
    masks, positions, casts by ``.float()``.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        del types
        if getattr(func, "__name__", "") == "__get__":  # an attribute is read
            return func(*args, **(kwargs or {}))
        if func is Tensor.float:
            func = Tensor.double
        args, kwargs = pytree.tree_map(_wide, (args, kwargs or {}))
        return pytree.tree_map(_wide, func(*args, **kwargs))


def _wide(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        return leaf.double() if leaf.dtype == torch.float32 else leaf
    return torch.float64 if leaf is torch.float32 else leaf
