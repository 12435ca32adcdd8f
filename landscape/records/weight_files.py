"""Kept weights as safetensors: step and name of each tensor, and nothing that is executed."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import safetensors.numpy

from grokscape.landscape.experiment import Weights

#: Bytes; who keeps more weights of one training is refused when they are written.
LARGEST = 2**30
_NAME = re.compile(r"(0|[1-9]\d{0,18})/(.*)", re.DOTALL)


def in_order(arrays: Weights) -> Weights:
    """Lay arrays out row by row: safetensors writes the memory of a transposed one as it lies, under its new shape."""
    return {name: np.asarray(array, order="C") for name, array in arrays.items()}


def encode(weights: Mapping[int, Weights]) -> bytes:
    """Return the weights kept at some steps as bytes."""
    flat = {f"{step}/{name}": array for step, tensors in weights.items() for name, array in tensors.items()}
    return bytes(safetensors.numpy.save(in_order(flat)))


def tensors(content: bytes) -> Weights:
    """Return the arrays in a safetensors file.

    Raises
    ------
    ValueError
        If it is none, or holds something that NumPy has no numbers for.
    """
    try:
        found = safetensors.numpy.load(content)
    except Exception as error:  # whatever a parser can raise at bytes that anybody may have chosen
        raise ValueError(f"{type(error).__name__}: {error!s:.200}") from None
    for name, array in found.items():
        if array.dtype.kind not in "biufc":
            raise ValueError(f"{name!r:.100} is of type {array.dtype}, expected numbers")
    return found


def decode(content: bytes) -> dict[int, Weights]:
    """Return what `encode` turned into these bytes; raises as `tensors` does, and for names that are not its own."""
    kept: dict[int, Weights] = {}
    for key, array in tensors(content).items():
        match = _NAME.fullmatch(key)
        if match is None:
            raise ValueError(f"{key!r:.100} is not the step and the name of a tensor")
        kept.setdefault(int(match[1]), {})[match[2]] = array
    return kept
