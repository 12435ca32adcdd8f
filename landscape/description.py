"""Frozen descriptions: everything that identifies a training, as data.

A `Description` is a frozen dataclass that turns into canonical JSON and back. The hash of that JSON is its identity:
two runs with equal descriptions are one run, whoever asks. Only classes that were imported can be read back; reading a
description imports and executes nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
import math
import operator
import re
import sys
import typing
from collections.abc import Iterator
from typing import Any, ClassVar, Self

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.printable import short

_KINDS: dict[str, type[Description]] = {}

#: Descriptions inside one another at most: a chain of so many starts can still be written, hashed and compared.
DEEPEST = 100

#: Values in one field at most.
LONGEST = 100_000

#: Bits of an integer at most, its sign included: what is counted is counted in int64. What a field of these names
#: tells apart, it does not count.
BITS, BITS_OF_SEEDS, SEEDS = 64, 128, ("seed", "draw")


class Description:
    """Base of all frozen descriptions.

    Subclass as a frozen, keyword-only dataclass and give it a permanent `kind`::

        @dataclass(frozen=True, kw_only=True)
        class AdamW(Description, kind="adamw"):
            lr: float = 1e-3

    Numbers are normalised on construction (an int given for a float field becomes a float), so that equal meanings
    have equal hashes. Override `validate` to refuse values that make no sense.

    Raises
    ------
    InvalidInput
        If a field has a value of the wrong type, or is not finite.
    """

    kind: ClassVar[str]
    _depth: ClassVar[int] = 1  # of this description and those inside it; each instance has its own

    def __init_subclass__(cls, kind: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if kind is None:
            return
        known = _KINDS.get(kind)
        # A module that is imported twice (as a file and by name) redefines its own classes; that is no clash.
        if known is not None and (known.__qualname__, _origin(known)) != (cls.__qualname__, _origin(cls)):
            raise InvalidInput(
                f"kind {kind!r} of {cls.__qualname__} is taken by {known.__qualname__}; choose another kind"
            )
        cls.kind = kind
        _KINDS[kind] = cls

    def __post_init__(self) -> None:
        if "kind" not in vars(type(self)):
            raise InvalidInput(
                f'{type(self).__name__} has no kind of its own; write class {type(self).__name__}(..., kind="...")'
            )
        deepest = 0
        for name, hint in _hints(type(self)).items():
            value = _normalise(getattr(self, name), hint, f"{type(self).__name__}.{name}")
            object.__setattr__(self, name, value)
            inside = max((item._depth for item in _inside(value)), default=0)
            if inside >= DEEPEST:
                raise InvalidInput(
                    f"{type(self).__name__}.{name} holds descriptions {inside} deep, expected {DEEPEST - 1} at most; "
                    "start from fewer others"
                )
            deepest = max(deepest, inside)
        object.__setattr__(self, "_depth", deepest + 1)
        self.validate()

    def validate(self) -> None:
        """Refuse values that make no sense; called after normalisation."""

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    def to_data(self) -> dict[str, Any]:
        """Return the description as JSON-able data, with its kind."""
        data: dict[str, Any] = {"kind": self.kind}
        data.update((name, _plain(getattr(self, name))) for name in _hints(type(self)))
        return data

    def words(self) -> str:
        """Return how readers call it: "perceptron (width 128)"; override it where that says too little."""
        return self.called(_plain_name(type(self)))

    def called(self, name: str) -> str:
        """Return a name with the fields that say something: no None, no False, no fingerprint of data."""
        return called(name, {field: getattr(self, field) for field in _hints(type(self))})

    def parts(self) -> Iterator[Description]:
        """Yield this description and all descriptions inside it."""
        yield self
        for name in _hints(type(self)):
            for item in _inside(getattr(self, name)):
                yield from item.parts()

    @property
    def canonical(self) -> str:
        """The description as canonical JSON: sorted keys, no white space, shortest floats."""
        return json.dumps(self.to_data(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @functools.cached_property
    def identity(self) -> str:
        """First 32 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()[:32]

    def refuse(self, field: str, expected: str, advice: str = "") -> typing.NoReturn:
        """Raise `InvalidInput` about one field of this description."""
        message = f"{type(self).__name__}.{field} is {short(getattr(self, field), 200)}, expected {expected}"
        raise InvalidInput(f"{message}; {advice}" if advice else message)

    def refuse_extremes(self, *names: str, least: float = 1e-75, most: float = 1e18) -> None:
        """Refuse a field, or a number in one, whose size is beyond bounds; 0 is none of them.

        Within the bounds that stand here by default the fourth powers of numbers, and of one over them, still are
        numbers in float64; between 1e-18 and 1e18 their squares are in float32.
        """
        for name in names:
            value = getattr(self, name)
            for number in value if isinstance(value, tuple) else (value,):
                if number and not least <= abs(number) <= most:
                    expected = f"sizes between {least:g} and {most:g}, or 0"
                    self.refuse(name, expected, "beyond these its powers or exponentials are no numbers")


def words(value: Any) -> str:
    """Return a value of a field, or any description or dataclass, in words."""
    if isinstance(value, Description):
        return value.words()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return called(_plain_name(type(value)), {f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    if isinstance(value, tuple):
        *first, last = map(words, value) if value else ["none"]
        return f"{', '.join(first)} and {last}" if first else last
    return f"{value:g}" if isinstance(value, float) else str(value)


def called(name: str, fields: dict[str, Any]) -> str:
    """Return a name with what its fields say, in parentheses."""
    said = [
        field.replace("_", " ") + ("" if value is True else f" {words(value)}")
        for field, value in fields.items()
        if value is not None and value is not False and value != () and not re.fullmatch("[0-9a-f]{32,}", str(value))
    ]
    return f"{name} ({', '.join(said)})" if said else name


def _plain_name(cls: type) -> str:
    """Return the name of a class as words: "encoder stack"; acronyms stay as they are."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", " ", cls.__name__).split()
    return " ".join(word.lower() if word[1:].islower() else word for word in words)


def from_data(data: Any) -> Description:
    """Rebuild a description from what `Description.to_data` returned.

    Raises
    ------
    InvalidInput
        If the kind is not known in this process, or the fields do not fit it.
    """
    return _rebuild(data, 1)


def _rebuild(data: Any, depth: int) -> Description:
    if not isinstance(data, dict) or "kind" not in data:
        raise InvalidInput(f"a description must be an object with a 'kind', found {short(data)}")
    if depth > DEEPEST:
        raise InvalidInput(f"descriptions are more than {DEEPEST} deep, expected {DEEPEST} at most; start from fewer")
    kind = data["kind"]
    cls = _KINDS.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise InvalidInput(
            f"nothing that is loaded describes the kind {short(kind)}; "
            "it may come from a module of your own (load it with --module) or from a newer Grokscape"
        )
    hints = _hints(cls)
    unknown = [key for key in data if key != "kind" and key not in hints]
    if unknown:
        raise InvalidInput(
            f"{cls.__name__} has no field {short(unknown[0])}; it may have been written by a newer Grokscape"
        )
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and field.name not in data:
            raise InvalidInput(f"{cls.__name__}.{field.name} is missing, expected a value")
    fields = {key: _restore(value, f"{cls.__name__}.{key}", depth) for key, value in data.items() if key != "kind"}
    try:
        return cls(**fields)
    except TypeError as error:
        raise InvalidInput(f"{cls.__name__} cannot be rebuilt from {sorted(fields)}: {error}") from None


def class_of(kind: object) -> type[Description] | None:
    """Return the class of descriptions of a kind, None if nothing that is loaded describes it."""
    return _KINDS.get(kind) if isinstance(kind, str) else None


def _origin(cls: type) -> str:
    """Return the file in which a class was written, or its module's name if that is no file."""
    return getattr(sys.modules.get(cls.__module__), "__file__", None) or cls.__module__


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(cls: type) -> dict[str, Any]:
    """Return the type of each field; remembered, because it is asked for at every construction."""
    if cls not in _HINTS:
        hints = typing.get_type_hints(cls)
        _HINTS[cls] = {field.name: hints[field.name] for field in dataclasses.fields(cls)}
    return _HINTS[cls]


def _plain(value: Any) -> Any:
    if isinstance(value, Description):
        return value.to_data()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _inside(value: Any) -> Iterator[Description]:
    """Yield the descriptions that a field's value is or holds."""
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, Description):
            yield item


def _restore(value: Any, where: str, depth: int) -> Any:
    if isinstance(value, dict):
        return _rebuild(value, depth + 1)
    if isinstance(value, list):
        if any(isinstance(item, list) for item in value):
            raise InvalidInput(f"{where} is {short(value)}, expected no list inside a list")
        _refuse_long(value, where)
        return tuple(_restore(item, where, depth) for item in value)
    return value


def _refuse_long(values: Any, where: str) -> None:
    if hasattr(values, "__len__") and len(values) > LONGEST:
        raise InvalidInput(f"{where} holds {len(values)} values, expected {LONGEST} at most")


def _normalise(value: Any, hint: Any, where: str) -> Any:
    """Return `value` as the type that `hint` asks for, or refuse it."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        if not any(isinstance(value, type(arg)) and value == arg for arg in args):
            raise InvalidInput(f"{where} is {short(value)}, expected one of {', '.join(map(repr, args))}")
        return value
    if type(None) in args:
        if value is None:
            return None
        rest = [arg for arg in args if arg is not type(None)]
        return _normalise(value, rest[0], where) if len(rest) == 1 else value
    if origin is tuple:
        if isinstance(value, str | bytes | dict) or not hasattr(value, "__iter__"):
            raise InvalidInput(f"{where} is {short(value)}, expected a sequence")
        _refuse_long(value, where)
        items = tuple(itertools.islice(value, LONGEST + 1))
        if len(items) > LONGEST:  # of something that does not know its length
            raise InvalidInput(f"{where} holds more than {LONGEST} values, expected fewer")
        return tuple(_normalise(item, args[0], where) for item in items)
    if hint is bool:
        if not isinstance(value, bool):
            raise InvalidInput(f"{where} is {short(value)}, expected True or False")
        return value
    if hint is int:
        return _integer(value, where)
    if hint is float:
        return _real(value, where)
    if isinstance(hint, type) and not isinstance(value, hint):
        raise InvalidInput(f"{where} is {short(value)}, expected a {hint.__name__}")
    return value


def _integer(value: Any, where: str) -> int:
    try:
        if isinstance(value, bool):  # True is 1, and is hardly meant
            raise TypeError
        number = int(operator.index(value))
    except (TypeError, ValueError, RuntimeError):  # arrays and tensors raise the latter two
        raise InvalidInput(f"{where} is {short(value)}, expected an integer") from None
    bits = BITS_OF_SEEDS if where.endswith(SEEDS) else BITS
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise InvalidInput(f"{where} is {short(value)}, expected an integer between -2^{bits - 1} and 2^{bits - 1} - 1")
    return number


def _real(value: Any, where: str) -> float:
    try:
        if isinstance(value, bool | str | bytes):  # "1e-3" is hardly meant, and a text of another setting would pass
            raise TypeError
        number = float(value)
    except OverflowError:
        raise InvalidInput(f"{where} is {short(value)}, expected a number that a float can hold") from None
    except (TypeError, ValueError, RuntimeError):
        raise InvalidInput(f"{where} is {short(value)}, expected a number") from None
    if not math.isfinite(number):
        raise InvalidInput(f"{where} is {short(value)}, expected a finite number")
    return number + 0.0  # -0.0 means 0.0, and must have its hash
