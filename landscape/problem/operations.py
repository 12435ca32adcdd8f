"""What a model does internally that its outputs do not show: drawing at random, and computing with few digits."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode


class Touched(TorchDispatchMode):
    """Notes which of some tensors are operands, themselves or as what shares their memory (detached, views).

    Parameters
    ----------
    tensors : mapping of str to Tensor
        Stored densely.

    Attributes
    ----------
    names : set of str
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._places = {tensor.untyped_storage().data_ptr(): name for name, tensor in tensors.items() if tensor.numel()}
        self.names: set[str] = set()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        del types
        for leaf in pytree.tree_leaves((args, kwargs)):
            if isinstance(leaf, Tensor) and leaf.layout == torch.strided:
                name = self._places.get(leaf.untyped_storage().data_ptr())
                self.names |= set() if name is None else {name}
        return func(*args, **(kwargs or {}))


class Watched(TorchDispatchMode):
    """Notes the floating-point types of all results, and whether anything was drawn at random.

    Parameters
    ----------
    fill : float, optional
        What stands in place of random numbers that lie between 0 and 1. A part that is left out with a small
        probability would show in few evaluations; between all draws at 0 and all at 1 it shows in one.

    Attributes
    ----------
    dtypes : set of torch.dtype
    drawn : bool
    narrowed : bool
        Whether a result was float32 though an operand was float64.
    """

    def __init__(self, fill: float | None = None) -> None:
        super().__init__()
        self.fill = fill
        self.dtypes: set[torch.dtype] = set()
        self.drawn = self.narrowed = False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        del types
        result = func(*args, **(kwargs or {}))
        self.dtypes |= _dtypes(result)
        if torch.float32 in _dtypes(result) and torch.float64 in _dtypes((args, kwargs)):
            self.narrowed = True
        if torch.Tag.nondeterministic_seeded in func.tags and _draws(func, args):
            self.drawn = True
            if self.fill is not None and isinstance(result, Tensor) and result.is_floating_point():
                _fill(func, args, result, self.fill)
        return result


def _dtypes(tree: Any) -> set[torch.dtype]:
    leaves = pytree.tree_leaves(tree)
    return {leaf.dtype for leaf in leaves if isinstance(leaf, Tensor) and leaf.is_floating_point()}


def _draws(func: Any, args: tuple[Any, ...]) -> bool:
    """Whether a function that can draw does: attention and dropout have the tag, whatever their rate."""
    schema = func._schema.arguments
    rates = {"p", "dropout", "dropout_p"}
    if not rates & {argument.name for argument in schema} or "bernoulli" in func._schema.name:
        return True
    given = {argument.name: value for argument, value in zip(schema, args, strict=False)}
    rate = next((given[name] for name in rates if name in given), 0.0)
    return bool(rate) and given.get("train", given.get("training", True)) is not False


def _fill(func: Any, args: tuple[Any, ...], result: Tensor, fill: float) -> None:
    """Put one end of the possible values in place of what was drawn."""
    name = func._schema.name.removeprefix("aten::").removesuffix("_").removesuffix("_like")
    if name == "rand":
        result.fill_(fill * (1 - torch.finfo(result.dtype).eps))
    elif name == "uniform":
        low, high = (*args[1:], 0.0, 1.0)[:2] if len(args) != 2 else (args[1], 1.0)
        result.fill_(low + (high - low) * fill * (1 - torch.finfo(result.dtype).eps))
    elif name == "bernoulli":
        chance = args[1] if len(args) > 1 and args[1] is not None else (args[0] if result is not args[0] else 0.5)
        chance = torch.as_tensor(chance, dtype=result.dtype, device=result.device)
        result.copy_(torch.where((chance > 0) & (chance < 1), torch.full_like(result, fill), result))


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed all global generators, of torch, NumPy and Python, and restore them."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
