"""What a function refers to, and the tensors from which a loss was computed."""

from __future__ import annotations

import contextlib
import dis
import functools
import itertools
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from grokscape.landscape.problem.attributes import Attributes
from grokscape.landscape.twice_differentiable import make_statistics_differentiable

#: Items of a container that are looked at, and references followed one after the other.
ITEMS, DEPTH = 1000, 6


def references(function: Any) -> Iterator[tuple[Any, bool]]:
    """Yield modules and tensors that a function refers to, and whether its code does so itself.

    Looked at are closures, default and partial arguments, globals that the code loads, the object that a method is
    bound to, and attributes. What is only an attribute of some object need not be used at all.
    """
    yield from ((thing, itself) for thing, itself in reached(function) if isinstance(thing, Tensor | nn.Module))


def attributes_read(function: Any, without: Collection[type] = ()) -> set[str]:
    """Return the names of all attributes that the code of a function, and of those that it refers to, reads.

    Parameters
    ----------
    function : callable
    without : collection of type
        Of objects whose own code does not count.
    """
    codes = [thing.__code__ for thing, _ in reached(function, without) if isinstance(thing, types.FunctionType)]
    return {name for code in codes for name in _named(code, "LOAD_ATTR", "LOAD_METHOD")}


def reached(function: Any, without: Collection[type] = ()) -> Iterator[tuple[Any, bool]]:
    """Yield whatever a function refers to, and whether its code does so itself."""
    seen: set[int] = set()
    todo: list[tuple[Any, int, bool]] = [(function, 0, True)]
    while todo:
        thing, depth, itself = todo.pop()
        if id(thing) in seen or depth > DEPTH:
            continue
        seen.add(id(thing))
        yield thing, itself
        runs = thing.__self__ if isinstance(thing, types.MethodType) and thing.__name__ == "forward" else thing
        if not isinstance(thing, Tensor) and type(runs) not in without:
            code = isinstance(thing, types.FunctionType | functools.partial | list | tuple | set | dict)
            todo += [(part, depth + 1, itself and code) for part in itertools.islice(_parts(thing), ITEMS)]


def _parts(thing: Any) -> Iterator[Any]:
    if isinstance(thing, functools.partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, types.MethodType):
        yield from (thing.__func__, thing.__self__)
    elif isinstance(thing, types.BuiltinMethodType):
        yield thing.__self__
    elif isinstance(thing, types.FunctionType):
        if thing.__module__ == "torch" or str(thing.__module__).startswith("torch."):
            return
        yield from (cell.cell_contents for cell in thing.__closure__ or () if _filled(cell))
        yield from thing.__defaults__ or ()
        yield from (thing.__kwdefaults__ or {}).values()
        loaded = _named(thing.__code__, "LOAD_GLOBAL", "LOAD_NAME")
        yield from (thing.__globals__[name] for name in loaded if name in thing.__globals__)
        yield from vars(thing).values()
    elif isinstance(thing, Mapping):
        yield from thing.values()
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from thing
    elif hasattr(thing, "__dict__") and not isinstance(thing, type | types.ModuleType):
        yield from vars(thing).values()
        yield getattr(type(thing), "forward" if isinstance(thing, nn.Module) else "__call__", None)


def _filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # not yet assigned
        return False


def _named(code: types.CodeType, *operations: str) -> Iterator[str]:
    """Yield the names that some instructions of code have, with what is defined inside of it."""
    yield from (each.argval for each in dis.get_instructions(code) if each.opname in operations)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _named(constant, *operations)


def leaves(value: Tensor) -> list[Tensor]:
    """Return the tensors with `requires_grad` from which a value was computed, by its graph."""
    found, seen, todo = [], set(), [value.grad_fn]
    if value.requires_grad and value.grad_fn is None:
        return [value]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable)
        todo += [following for following, _ in node.next_functions]
    return found


def _place(tensor: Tensor) -> tuple[int, torch.Size]:
    """Where a tensor's values lie: the same for a parameter and what detach() makes of it."""
    return tensor.data_ptr(), tensor.shape


class Within(nn.Module):
    """The original model's parts, run with other parameters and buffers while a function is called.

    A loss that holds the model (a penalty on its weights, a second pass) sees the original, which is never varied: so
    the parameters of a network, and copies of its buffers, stand in it for the duration of the call. What the parts
    keep of the call is put back.

    Parameters
    ----------
    parts : sequence of nn.Module
        Each with those of its own parameters and buffers that the model has by name: ``{own name: name}``.
    training : bool, optional
        The mode in which the parts run meanwhile; by default, their own.
    """

    def __init__(self, parts: list[tuple[nn.Module, dict[str, str]]], training: bool | None) -> None:
        super().__init__()
        self.parts = nn.ModuleList(part for part, _ in parts)
        self._names = {f"parts.{i}.{own}": name for i, (_, names) in enumerate(parts) for own, name in names.items()}
        self._mode = training
        self._compiled = any(isinstance(getattr(part, "_orig_mod", None), nn.Module) for part, _ in parts)

    @classmethod
    def of(
        cls, function: Any, originals: Mapping[str, Tensor], buffers: Mapping[str, Tensor], training: bool | None
    ) -> Within | None:
        """Return the parts of a model to which a function refers; None if there are none.

        Parameters
        ----------
        function : callable
        originals : mapping of str to Tensor
            The model's parameters.
        buffers : mapping of str to Tensor
            The model's buffers.
        training : bool, optional
        """
        known = {_place(tensor): name for name, tensor in originals.items() if tensor.numel()}
        carried = {id(tensor): name for name, tensor in buffers.items()}
        parts: dict[int, tuple[nn.Module, dict[str, str]]] = {}
        for thing, _ in references(function):
            if isinstance(thing, nn.Module) and (
                any(_place(p) in known for p in thing.parameters()) or any(id(b) in carried for b in thing.buffers())
            ):
                for part in thing.modules():
                    own = {n: known.get(_place(p)) for n, p in part._parameters.items() if p is not None}
                    own |= {n: carried.get(id(b)) for n, b in part._buffers.items() if b is not None}
                    parts[id(part)] = (part, {n: name for n, name in own.items() if name is not None})
        return cls(list(parts.values()), training) if parts else None

    def forward(self, function: Callable[[], Any]) -> Any:
        return function()

    def call(self, tensors: Mapping[str, Tensor], function: Callable[[], Any], differentiable: bool = False) -> Any:
        """Call a function while parameters and copies of buffers, by name, stand in the parts.

        Parameters
        ----------
        tensors : mapping of str to Tensor
        function : callable
        differentiable : bool
            Whether gradients by running statistics may be asked for.
        """
        mine = {own: tensors[name] for own, name in self._names.items()}
        buffers = {
            f"parts.{i}.{name}": buffer
            for i, part in enumerate(self.parts)
            for name, buffer in part.named_buffers(recurse=False)
        }
        mine |= {own: mine.get(own, buffer).clone() for own, buffer in buffers.items()}
        modes, before = [part.training for part in self.parts], Attributes(self.parts)
        try:
            if self._mode is not None:
                for part in self.parts:
                    part.training = self._mode
            if differentiable:
                make_statistics_differentiable(self.parts)
            with torch.compiler.set_stance("force_eager") if self._compiled else contextlib.nullcontext():
                return functional_call(self, mine, (function,), tie_weights=False)
        finally:
            before.restore()
            for part, mode in zip(self.parts, modes, strict=True):
                part.training = mode
