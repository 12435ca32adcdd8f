"""JSON that somebody else may have written: read with limits, and refused in one sentence."""

from __future__ import annotations

import json
import math
from typing import Any

#: Brackets within brackets: far above what descriptions need, far below what recursion bears.
DEEPEST = 200
#: Whole numbers are those of 128 bits at most: any seed, and all of them fit a float.
LARGEST = 2**128


def parse(content: bytes | str) -> Any:
    """Return what a JSON text says.

    Raises
    ------
    ValueError
        If it is none, holds a number that is not finite or out of range, or is nested too deeply.
    """
    text = content.decode() if isinstance(content, bytes) else content
    try:
        value = json.loads(text, parse_constant=_constant, parse_float=_float, parse_int=_int)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} deep") from None
    layer = [value]
    for _ in range(DEEPEST):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    if layer:
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    return value


def _constant(name: str) -> Any:
    raise ValueError(f"it holds {name}, which is no number in JSON")


def _float(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"it holds the number {text:.20}, which is out of range")
    return number


def _int(text: str) -> int:
    # Judged by its length first: a number of a million digits takes long to read.
    if len(text) > 40 or abs(number := int(text)) >= LARGEST:
        raise ValueError(f"it holds a whole number of {len(text)} digits, which is out of range")
    return number
