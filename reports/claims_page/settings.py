"""Values of a setting, which a verdict holds as data, as readers read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokscape.reports.numbers import number


def in_words(value: Any) -> str:
    """Return a value in words: "x+y modulo 37", "0.2, 0.335, 0.4", "weight decay 0, eps 10⁻⁴", "none"."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value, 12)
    if isinstance(value, Mapping):
        if value.keys() == {"words", "data"}:
            return str(value["words"])
        return ", ".join(f"{name.replace('_', ' ')} {in_words(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        inner = (f"({in_words(item)})" if isinstance(item, list | tuple) else in_words(item) for item in value)
        return ", ".join(inner) or "none"
    return str(value)


def each_in_words(value: Any) -> list[str]:
    """Return the words for each of several values, or for one."""
    return [in_words(item) for item in value] if isinstance(value, list | tuple) and value else [in_words(value)]
