"""The compiler, and where it keeps what it compiled."""

from __future__ import annotations

import functools
import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba import njit

from grokscape.landscape.cache_folder import cache_folder

#: What compiled code may do beyond the letter: fuse a product with a sum; and add up a row in several parts at once.
#: Which it does is fixed when it is compiled, so equal numbers give equal bits. Infinities and NaN keep their meaning.
EXACTLY = frozenset({"contract", "nsz"})
IN_PARTS = EXACTLY | {"reassoc", "arcp"}

#: Why nothing could be kept on disk; empty if it can.
unkept: list[str] = []


def compiled(fastmath: frozenset[str] = EXACTLY) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator for functions that numba compiles when they are first called.

    What it compiles is kept in the user's cache folder, under the name of the sources that it stands for (numba itself
    looks at the one file in which a function is written, and would miss a change in what that function calls). Where
    the folder cannot be written it is compiled anew in every process.

    Functions are copied into those that call them. Where they are only called, a process that compiles runs one copy
    and a process that loads what was kept another, which may have been optimised further and round differently.
    """
    options: dict[str, Any] = {"fastmath": set(fastmath), "error_model": "numpy", "nogil": True, "forceinline": True}

    def decorate(function: Callable[..., Any]) -> Any:
        folder = _folder()
        if folder is None:
            return njit(**options)(function)
        config: Any = numba.config
        before, config.CACHE_DIR = config.CACHE_DIR, folder
        try:
            return njit(cache=True, **options)(function)
        finally:
            config.CACHE_DIR = before

    return decorate


@functools.cache
def _folder() -> str | None:
    """Return where compiled code is kept, or None where nothing can be."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    folder = cache_folder() / f"compiled-{digest.hexdigest()[:12]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return str(folder)
    except OSError as error:
        unkept.append(
            f"compiled code cannot be kept on disk ({error}), and every process compiles it again, which takes it some "
            "seconds; set GROKSCAPE_CACHE to a folder that can be written"
        )
        return None
