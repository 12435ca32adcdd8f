"""What a function refers to, and the tensors from which a loss was computed."""

from __future__ import annotations

import dis
import functools
import itertools
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

#: Items of a container that are looked at, and references followed one after the other.
ITEMS, DEPTH = 1000, 6


def references(function: Any) -> Iterator[tuple[Any, bool]]:
    """Yield modules and tensors that a function refers to, and whether its code does so itself.

    Looked at are closures, default and partial arguments, globals that the code loads, the object that a method is
    bound to, and attributes. What is only an attribute of some object need not be used at all.
    """
    seen: set[int] = set()
    todo: list[tuple[Any, int, bool]] = [(function, 0, True)]
    while todo:
        thing, depth, itself = todo.pop()
        if id(thing) in seen or depth > DEPTH:
            continue
        seen.add(id(thing))
        if isinstance(thing, Tensor):
            yield thing, itself
            continue
        if isinstance(thing, nn.Module):
            yield thing, itself
        direct = itself and isinstance(thing, types.FunctionType | functools.partial | list | tuple | set | dict)
        todo += [(part, depth + 1, direct) for part in itertools.islice(_parts(thing), ITEMS)]


def _parts(thing: Any) -> Iterator[Any]:
    if isinstance(thing, functools.partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, types.MethodType):
        yield from (thing.__func__, thing.__self__)
    elif isinstance(thing, types.FunctionType):
        if thing.__module__ == "torch" or str(thing.__module__).startswith("torch."):
            return
        yield from (cell.cell_contents for cell in thing.__closure__ or () if _filled(cell))
        yield from thing.__defaults__ or ()
        yield from (thing.__kwdefaults__ or {}).values()
        yield from (thing.__globals__[name] for name in _loaded(thing.__code__) if name in thing.__globals__)
        yield from vars(thing).values()
    elif isinstance(thing, Mapping):
        yield from thing.values()
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from thing
    elif hasattr(thing, "__dict__") and not isinstance(thing, type | types.ModuleType):
        yield from vars(thing).values()
        call = getattr(type(thing), "__call__", None)
        if isinstance(call, types.FunctionType) and not isinstance(thing, nn.Module):
            yield call


def _filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # not yet assigned
        return False


def _loaded(code: types.CodeType) -> Iterator[str]:
    """Yield the global names that code loads, with what is defined inside of it."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _loaded(constant)


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


class Within(nn.Module):
    """The original model's parts, run with other parameters while a function is called.

    A loss that holds the model (a penalty on its weights, a second pass) sees the original, which is never varied: so
    the varied parameters, and copies of the buffers, stand in it for the duration of the call.

    Parameters
    ----------
    parts : sequence of nn.Module
        Each with those of its own parameters that are varied or constant by name: ``{own name: name}``.
    training : bool, optional
        The mode in which the parts run meanwhile; by default, their own.
    """

    def __init__(self, parts: list[tuple[nn.Module, dict[str, str]]], training: bool | None) -> None:
        super().__init__()
        self.parts = nn.ModuleList(part for part, _ in parts)
        self._names = {f"parts.{i}.{own}": name for i, (_, names) in enumerate(parts) for own, name in names.items()}
        self._mode = training

    @classmethod
    def of(cls, function: Any, originals: Mapping[int, str], training: bool | None) -> Within | None:
        """Return the parts of a model to which a function refers; None if there are none.

        Parameters
        ----------
        function : callable
        originals : mapping of int to str
            Names of the model's parameters by their identity.
        training : bool, optional
        """
        parts: dict[int, tuple[nn.Module, dict[str, str]]] = {}
        for thing, _ in references(function):
            if isinstance(thing, nn.Module) and any(id(p) in originals for p in thing.parameters()):
                for part in thing.modules():
                    names = {n: originals[id(p)] for n, p in part._parameters.items() if id(p) in originals}
                    parts[id(part)] = (part, names)
        return cls(list(parts.values()), training) if parts else None

    def forward(self, function: Callable[[], Any]) -> Any:
        return function()

    def call(self, parameters: Mapping[str, Tensor], function: Callable[[], Any]) -> Any:
        """Call a function while the parameters stand in the parts."""
        tensors = {own: parameters[name] for own, name in self._names.items()}
        tensors |= {
            f"parts.{i}.{name}": buffer.clone()
            for i, part in enumerate(self.parts)
            for name, buffer in part.named_buffers(recurse=False)
        }
        modes = [part.training for part in self.parts]
        try:
            if self._mode is not None:
                for part in self.parts:
                    part.training = self._mode
            return functional_call(self, tensors, (function,), tie_weights=False)
        finally:
            for part, mode in zip(self.parts, modes, strict=True):
                part.training = mode
