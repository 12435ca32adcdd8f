"""What equal descriptions share: themselves, and the data that are made from them.

Claims ask for thousands of runs. Each comes with a task, a model and an optimiser of its own, nearly all of which equal
others, and with whatever was computed from them.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from grokscape.landscape.description import Description

D = TypeVar("D", bound=Description)
T = TypeVar("T")

#: Bytes of data that a process keeps to use them again.
ROOM = 2**26

_ONE_OF_EACH: weakref.WeakValueDictionary[tuple[type, str], Any] = weakref.WeakValueDictionary()


def shared(description: D) -> D:
    """Return one object for all equal descriptions, as long as somebody holds it; its parts are shared as well."""
    key = type(description), description.identity
    known: D | None = _ONE_OF_EACH.get(key)
    if known is not None:
        return known
    for field in dataclasses.fields(description):  # type: ignore[arg-type]
        value = getattr(description, field.name)
        if isinstance(value, Description):
            object.__setattr__(description, field.name, shared(value))
        elif isinstance(value, tuple) and any(isinstance(item, Description) for item in value):
            items = tuple(shared(item) if isinstance(item, Description) else item for item in value)
            object.__setattr__(description, field.name, items)
    _ONE_OF_EACH[key] = description
    return description


def shared_data(make: Callable[[D], T]) -> Callable[[D], T]:
    """Let what a description makes be made once for all equal ones.

    It stands below ``@property``, where ``functools.cached_property`` would keep the data for as long as the
    description lives. Here they are let go, to be made again if need be, when those that were used last fill `ROOM`;
    of the description that was used last all are kept, however large they are.
    """

    @functools.wraps(make)
    def found(description: D) -> T:
        value: T = _DATA.get((type(description), description.identity), make, lambda: make(description))
        return value

    return found


def forget_data() -> None:
    """Let go of all data; they are made again when they are asked for."""
    _DATA.clear()


class _Data:
    """Data of descriptions, those that were used last at the end."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.kept: OrderedDict[Hashable, dict[Hashable, Any]] = OrderedDict()
        self.size = 0

    def clear(self) -> None:
        with self.lock:
            self.kept.clear()
            self.size = 0

    def get(self, owner: Hashable, name: Hashable, make: Callable[[], Any]) -> Any:
        with self.lock:
            mine = self.kept.get(owner, {})
            if name in mine:
                self.kept.move_to_end(owner)
                return mine[name]
        value = make()  # which may ask for other data
        with self.lock:
            mine = self.kept.setdefault(owner, {})
            if name not in mine:
                mine[name] = value
                self.size += _size(value)
            self.kept.move_to_end(owner)
            while self.size > ROOM and len(self.kept) > 1:
                _, gone = self.kept.popitem(last=False)
                self.size -= sum(map(_size, gone.values()))
            return mine[name]


def _size(value: Any) -> int:
    """Return the bytes of an array or a tensor, or of those in a tuple or a dict."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
    return int(getattr(value, "nbytes", 0)) + sum(map(_size, items))


_DATA = _Data()
