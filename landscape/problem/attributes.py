"""What a module's parts hold besides parameters and buffers, kept so that it can be put back."""

from __future__ import annotations

import collections
import itertools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

#: Items of a container that are looked at, attributes that are followed one after the other, and things in all.
ITEMS, DEPTH, THINGS = 1000, 4, 10_000

#: What every module has.
_PLAIN = frozenset(vars(nn.Module()))

#: What holds no values of a network, or belongs to all.
_LEFT_ALONE = (nn.Module, nn.Parameter, type, types.ModuleType, types.FunctionType, types.MethodType, torch.Generator)


class Attributes:
    """The attributes of a module's parts as they are now, with the values in what they hold.

    Looked into are lists, dicts, sets, deques, arrays, tensors, and objects with attributes of their own. Parameters,
    buffers, modes and hooks are left out, and so are generators of random numbers.

    Parameters
    ----------
    module : nn.Module or None
    """

    def __init__(self, module: nn.Module | None) -> None:
        self._kept: list[tuple[str, Any, Any]] = []  # name, thing, and what it holds
        self._seen: set[int] = set()
        for part in [] if module is None else list(module.modules()):
            own = _own(part)
            self._kept.append(("", part, own))
            for name, value in own.items():
                self._keep(name, value, DEPTH)
        del self._seen

    def _keep(self, name: str, thing: Any, depth: int) -> None:
        kind = _kind(thing)
        if kind is None or id(thing) in self._seen or not depth or len(self._kept) > THINGS:
            return
        self._seen.add(id(thing))
        self._kept.append((name, thing, kind.held(thing)))
        for inner in itertools.islice(kind.inside(thing), ITEMS):
            self._keep(name, inner, depth - 1)

    def changed(self) -> list[str]:
        """Return the names of the attributes that are others now, or hold something else."""
        found: list[str] = []
        for name, thing, held in self._kept:
            if isinstance(thing, nn.Module):
                now = _own(thing)
                found += [key for key in now if key not in held or now[key] is not held[key]]
            elif not _need(_kind(thing)).same(thing, held):
                found.append(name)
        return list(dict.fromkeys(found))

    def restore(self) -> None:
        """Make all attributes what they were."""
        for _, thing, held in self._kept:
            if isinstance(thing, nn.Module):
                for name in _own(thing).keys() - held.keys():
                    del vars(thing)[name]
                vars(thing).update(held)
            elif not (kind := _need(_kind(thing))).same(thing, held):
                kind.restore(thing, held)


def _own(part: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(part).items() if name not in _PLAIN}


class _Kind:
    """How to keep what a thing of some kind holds, to compare it, and to put it back."""

    def __init__(
        self,
        held: Callable[[Any], Any],
        same: Callable[[Any, Any], bool],
        restore: Callable[[Any, Any], None],
        inside: Callable[[Any], Iterator[Any]] = lambda _: iter(()),
    ) -> None:
        self.held, self.same, self.restore, self.inside = held, same, restore, inside


def _kind(thing: Any) -> _Kind | None:
    if isinstance(thing, _LEFT_ALONE):
        return None
    if isinstance(thing, Tensor):
        return _TENSOR if thing.layout == torch.strided and not thing.requires_grad and not thing.is_meta else None
    for type_, kind in _KINDS.items():
        if isinstance(thing, type_):
            return kind
    # What the standard library has (loggers, threads) belongs to the whole program.
    own = type(thing).__module__.partition(".")[0] not in sys.stdlib_module_names
    has_attributes = type(getattr(thing, "__dict__", None)) is dict and not hasattr(thing, "getstate")
    return _OBJECT if has_attributes and (own or isinstance(thing, types.SimpleNamespace)) else None


def _need(kind: _Kind | None) -> _Kind:
    assert kind is not None
    return kind


def _each(ones: Any, others: Any) -> bool:
    return len(ones) == len(others) and all(a is b for a, b in zip(ones, others, strict=True))


def _same_dict(thing: Any, held: Any) -> bool:
    return thing.keys() == held.keys() and all(thing[key] is held[key] for key in held)


def _refill(thing: Any, held: Any) -> None:
    thing.clear()
    (thing.extend if hasattr(thing, "extend") else thing.update)(held)


@torch.no_grad()
def _write(tensor: Tensor, held: tuple[int, Tensor]) -> None:
    tensor.copy_(held[1])


_TENSOR = _Kind(lambda t: (t._version, t.detach().clone()), lambda t, held: _equal(t, held), _write)


def _equal(tensor: Tensor, held: tuple[int, Tensor]) -> bool:
    return tensor._version == held[0] or bool(torch.equal(tensor, held[1]))


_KINDS: dict[type, _Kind] = {
    np.ndarray: _Kind(
        np.copy,
        lambda array, held: array.dtype.hasobject or array.tobytes() == held.tobytes(),
        lambda array, held: np.copyto(array, held),
    ),
    dict: _Kind(dict, _same_dict, _refill, lambda thing: iter(thing.values())),
    list: _Kind(list, _each, _refill, iter),
    collections.deque: _Kind(list, _each, _refill, iter),
    set: _Kind(set, lambda thing, held: bool(thing == held), _refill),
    tuple: _Kind(tuple, lambda *_: True, lambda *_: None, iter),
}

_OBJECT = _Kind(
    lambda thing: dict(vars(thing)),
    lambda thing, held: _same_dict(vars(thing), held),
    lambda thing, held: _refill(vars(thing), held),
    lambda thing: iter(vars(thing).values()),
)
