"""Tensors inside tuples, dicts, dataclasses and the like: what models take and return.

Taken apart are lists, tuples (named ones too), mappings (also a subclass of dict, or a `collections.UserDict` such as
a tokenizer's output), dataclasses, and what is registered with PyTorch's pytree. Anything else is a leaf.
"""

from __future__ import annotations

import copy
import dataclasses
import enum
import numbers
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

#: What hides no tensors.
PLAIN = (Tensor, numbers.Number, str, bytes, torch.dtype, torch.device, torch.layout, type(None))


class _Hole(enum.Enum):  # whose member stays the same when it is copied or pickled
    TENSOR = enum.auto()

    def __repr__(self) -> str:
        return "a tensor"


#: Stands where a tensor was.
HOLE = _Hole.TENSOR


def each_leaf(function: Callable[..., Any], data: Any, *others: Any) -> Any:
    """Return a container of the same form, with a function of each leaf (and of its like in the others).

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError
        If the others have another form.
    """
    if isinstance(data, tuple | list):
        parts = [each_leaf(function, *some) for some in zip(data, *others, strict=True)]
        return type(data)(*parts) if hasattr(data, "_fields") else type(data)(parts)
    if isinstance(data, MutableMapping):
        found = copy.copy(data)
        for key in data:
            found[key] = each_leaf(function, data[key], *(other[key] for other in others))
        return found
    if dataclasses.is_dataclass(data) and not isinstance(data, type):
        result = copy.copy(data)
        for field in dataclasses.fields(data):
            if hasattr(data, field.name):
                values = (getattr(one, field.name) for one in (data, *others))
                object.__setattr__(result, field.name, each_leaf(function, *values))  # a frozen one, too
        return result
    node = pytree.SUPPORTED_NODES.get(type(data))
    if node is not None:
        children, context = node.flatten_fn(data)
        rest = (node.flatten_fn(other)[0] for other in others)
        return node.unflatten_fn([each_leaf(function, *some) for some in zip(children, *rest, strict=True)], context)
    return function(data, *others)


def each_tensor(function: Callable[..., Any], data: Any, *others: Any) -> Any:
    """Return a container with a function of each tensor; all other leaves are carried along."""
    return each_leaf(lambda leaf, *rest: function(leaf, *rest) if isinstance(leaf, Tensor) else leaf, data, *others)


def leaves(data: Any) -> list[Any]:
    """Return all leaves in order."""
    found: list[Any] = []
    each_leaf(found.append, data)
    return found


def tensors(data: Any) -> list[Tensor]:
    """Return all tensors in order."""
    return [leaf for leaf in leaves(data) if isinstance(leaf, Tensor)]


def emptied(data: Any) -> Any:
    """Return the form of a container: itself with a `HOLE` for each tensor."""
    return each_tensor(lambda _: HOLE, data)


def filled(form: Any, contents: Iterable[Tensor]) -> Any:
    """Return a form with tensors in its holes."""
    waiting = iter(contents)
    return each_leaf(lambda leaf: next(waiting) if leaf is HOLE else leaf, form)


def copied(data: Any) -> Any:
    """Return a container with copies of its tensors, through which gradients go."""
    return each_tensor(torch.clone, data)


def opaque(data: Any) -> Any:
    """Return the first leaf that may hide tensors: neither a tensor nor None, a number or a word; else None."""
    return next((leaf for leaf in leaves(data) if leaf is not HOLE and not isinstance(leaf, PLAIN)), None)


def is_mapping(data: Any) -> bool:
    """Return whether something is like a dict."""
    return isinstance(data, Mapping)
