"""Explicit randomness: independent, named streams from one seed.

Splits and label shuffles use the raw output of a PCG64 bit generator, which NumPy promises never to change, so that
the same seed gives the same data under every version and on every platform.
"""

from __future__ import annotations

import zlib

import numpy as np

from grokscape.landscape.errors import InvalidInput


def bit_stream(seed: int, name: str) -> np.random.PCG64:
    """Return a bit generator for `seed` that is independent of every other `name`."""
    if seed < 0:
        raise InvalidInput(f"seed is {seed}, expected a number that is not negative")
    return np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))


def permutation(n: int, seed: int, name: str) -> np.ndarray:
    """Return a random order of ``range(n)``, shape (n,)."""
    return np.argsort(bit_stream(seed, name).random_raw(n), kind="stable")


def integers(n: int, below: int, seed: int, name: str) -> np.ndarray:
    """Return `n` integers in ``[0, below)``, shape (n,); the modulo bias is below ``below / 2**64``."""
    return (bit_stream(seed, name).random_raw(n) % np.uint64(below)).astype(np.int64)


def generator(seed: int, name: str) -> np.random.Generator:
    """Return a NumPy generator for draws whose exact bits may differ between NumPy versions."""
    return np.random.Generator(bit_stream(seed, name))
