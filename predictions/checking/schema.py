"""The part of JSON Schema that ``verdict.schema.json`` uses, made into functions quick enough for any verdict."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

#: Says what is wrong with a value, as the end of a sentence; "" if nothing is.
Check = Callable[[Any], str]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def checker(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Check:
    """Return a function that holds values to a schema.

    Parameters
    ----------
    schema : mapping
        With any of type, enum, const, pattern, minLength, minimum, maximum, items, properties, required,
        additionalProperties and references to `definitions`.
    definitions : mapping
        Name -> schema.
    """
    if "$ref" in schema:
        return checker(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    parts = [_typed(schema)] if "type" in schema else []
    if "enum" in schema or "const" in schema:
        parts.append(_one_of(schema.get("enum") or [schema["const"]]))
    if "pattern" in schema or "minLength" in schema:
        parts.append(_text(re.compile(schema.get("pattern", "")), schema.get("minLength", 0)))
    if "minimum" in schema or "maximum" in schema:
        parts.append(_between(schema.get("minimum"), schema.get("maximum")))
    if "items" in schema:
        parts.append(_each(checker(schema["items"], definitions)))
    if schema.keys() & {"properties", "required", "additionalProperties"}:
        parts.append(_fields(schema, definitions))
    return parts[0] if len(parts) == 1 else lambda value: next(filter(None, (part(value) for part in parts)), "")


def _typed(schema: Mapping[str, Any]) -> Check:
    names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    types = frozenset(type for name in names for type in _TYPES[name])
    wanted = " or ".join(names)
    return lambda value: "" if type(value) in types else f" is {value!r:.40}, expected {wanted}"


def _one_of(known: list[Any]) -> Check:
    return lambda value: "" if value in known else f" is {value!r:.40}, expected one of {known}"


def _text(pattern: re.Pattern[str], least: int) -> Check:
    def check(value: Any) -> str:
        fits = not isinstance(value, str) or (len(value) >= least and pattern.search(value))
        return "" if fits else f" is {value!r:.40}, expected {pattern.pattern or 'some text'}"

    return check


def _between(low: float | None, high: float | None) -> Check:
    def check(value: Any) -> str:
        if value is None or ((low is None or value >= low) and (high is None or value <= high)):
            return ""
        return f" is {value!r:.40}, out of range"

    return check


def _each(check: Check) -> Check:
    def each(values: Any) -> str:
        for index, value in enumerate(values or ()):
            if wrong := check(value):
                return f"[{index}]{wrong}"
        return ""

    return each


def _fields(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Check:
    checks = {name: checker(inner, definitions) for name, inner in schema.get("properties", {}).items()}
    required, rest = frozenset(schema.get("required", ())), schema.get("additionalProperties", True)
    of_others = checker(rest, definitions) if isinstance(rest, Mapping) else None

    def check(value: Any) -> str:
        if not required <= value.keys():
            return f" lacks {min(required - value.keys())!r}"
        for name, inner in value.items():
            test = checks.get(name, of_others)
            if test is None and rest is False:
                return f" has {name!r:.40}, which no verdict has"
            if test is not None and (wrong := test(inner)):
                return f".{name:.40}{wrong}"
        return ""

    return check
