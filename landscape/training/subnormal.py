"""Numbers too small for full precision count as 0 while networks are trained."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

#: Smaller than float32 holds at full precision.
SUBNORMAL = 1e-40


@contextlib.contextmanager
def flushed() -> Iterator[None]:
    """Count subnormal numbers (below 1.2e-38 in float32, 2.2e-308 in float64) as 0 in this thread, and then as before.

    Processors take a hundred times as long over them, and trained networks are full of them: probabilities of wrong
    classes, moments of weights whose gradients have vanished. Where a processor cannot do it, nothing changes.
    """
    before = flushes()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def flushes() -> bool:
    """Say whether this thread counts subnormal numbers as 0."""
    return float(torch.full((2,), SUBNORMAL).mul_(1.0)[0]) == 0.0
