"""Whether this process computes the same bits for a run in whatever batch: asked of the products themselves."""

from __future__ import annotations

import functools
import itertools
import os

import torch
from torch import Tensor

#: Rows, columns and length of the sums of the products that are tried: below and above a vector's and a cache's sizes.
SIZES = ((25, 7, 16), (8, 16, 8), (83, 13, 36), (67, 23, 211), (128, 37, 137))


@functools.cache
def batch_dependence() -> str:
    """Return why a run's bits may depend on its batch here, or "" if products do not depend on it.

    A batch decides how many products are taken at once and where in memory their matrices begin. So the same products
    are taken in batches of several sizes, their matrices at several distances from a 64-byte boundary, laid out as
    the parameters and activations of an ensemble are. Takes some ten milliseconds, once for a process.
    """
    if not torch.backends.mkl.is_available():
        return "this PyTorch has no MKL, and other libraries round by where matrices lie in memory"
    if torch.get_num_threads() != 1:
        return f"this process has {torch.get_num_threads()} threads, which share sums differently"
    for dtype, (m, n, k) in itertools.product((torch.float32, torch.float64), SIZES):
        generator = torch.Generator().manual_seed(m)
        left = torch.randn(m, k, generator=generator, dtype=dtype)
        right = torch.randn(k, n, generator=generator, dtype=dtype)
        for transposed in itertools.product((False, True), repeat=2):
            found: list[Tensor] = []
            for batch, skipped in ((2, 0), (3, 1), (5, 7), (2, 3)):
                both = (
                    _laid_out(one, batch, skipped, turn) for one, turn in zip((left, right), transposed, strict=True)
                )
                found += torch.bmm(*both)
            if not all(torch.equal(one, found[0]) for one in found):
                setting = os.environ.get("MKL_CBWR", "")
                return f"products round by where their matrices lie in memory (MKL_CBWR is {setting!r} in this process)"
    return ""


def _laid_out(matrix: Tensor, batch: int, skipped: int, transposed: bool) -> Tensor:
    """Return copies of a matrix as a batch; each in a row of its own, after as many numbers as are skipped."""
    lying = matrix.T if transposed else matrix
    rows = torch.zeros(batch, skipped + lying.numel() + skipped // 3, dtype=matrix.dtype)
    copies = rows[:, skipped : skipped + lying.numel()].unflatten(1, lying.shape)
    copies.copy_(lying.expand_as(copies))
    return copies.mT if transposed else copies
