"""Letting go of what a training leaves in the memory of its process."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    """Free, when this ends, all that was made meanwhile and that only holds itself.

    An ensemble refers to itself, so that no count of references frees it, and Python rarely looks for cycles among
    objects of some age: a worker would hold the last few ensembles. What was there before is not looked through, for
    with the libraries it is a million objects and takes a third of a second.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
