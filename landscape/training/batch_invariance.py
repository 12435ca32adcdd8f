"""Whether this process computes the same bits for a run in whatever batch: asked of the products themselves."""

from __future__ import annotations

import functools
import itertools

import torch
from torch import Tensor

from grokscape.landscape.fused.memory import BOUNDARY

#: Rows, columns and length of the sums of the products that are tried: below and above a vector's and a cache's sizes.
SIZES = ((25, 7, 16), (8, 16, 8), (83, 13, 36), (67, 23, 211), (128, 37, 137))


@functools.cache
def batch_dependence() -> str:
    """Return why a run's bits may depend on its batch here, or "" if products do not depend on it.

    Every run is computed by itself; what is left of a batch is where in memory a run's matrices begin, always at a
    multiple of 64 bytes (`grokscape.landscape.fused.memory`). So products are taken of the same matrices at several
    such places. Takes some ten milliseconds, once for a process.
    """
    if torch.get_num_threads() != 1:
        return f"this process has {torch.get_num_threads()} threads, which may share sums differently"
    for dtype, (m, n, k) in itertools.product((torch.float32, torch.float64), SIZES):
        generator = torch.Generator().manual_seed(m)
        left = torch.randn(m, k, generator=generator, dtype=dtype)
        right = torch.randn(k, n, generator=generator, dtype=dtype)
        for transposed in itertools.product((False, True), repeat=2):
            found = [
                torch.mm(_laid_out(left, places[0], transposed[0]), _laid_out(right, places[1], transposed[1]))
                for places in ((0, 0), (1, 3), (5, 2), (64, 7))
            ]
            if not all(torch.equal(one, found[0]) for one in found):
                return "products round by where their matrices lie in memory, though each begins on a 64-byte boundary"
    return ""


def _laid_out(matrix: Tensor, boundaries: int, transposed: bool) -> Tensor:
    """Return a copy of a matrix so many boundaries into memory of its own."""
    lying = matrix.T if transposed else matrix
    start = BOUNDARY * boundaries
    memory = torch.zeros(start + lying.numel(), dtype=matrix.dtype)
    copy = memory[start:].view(lying.shape)
    copy.copy_(lying)
    return copy.T if transposed else copy
