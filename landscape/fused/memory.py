"""Memory laid out alike for every run: whatever enters a product begins at a multiple of 64 bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

#: Numbers to a boundary; 64 bytes of the smallest kind that we compute with.
BOUNDARY = 16


def to_boundary(number: int, boundary: int = BOUNDARY) -> int:
    """Round up to the next boundary."""
    return number + -number % boundary


def end_to_end(runs: Tensor, dtype: torch.dtype) -> np.ndarray:
    """Return what each run has as a row of one matrix, each filled up to a boundary with zeros."""
    flat = runs.flatten(1)
    out = torch.zeros(len(flat), to_boundary(flat.shape[1]), dtype=dtype)
    out[:, : flat.shape[1]] = flat
    return out.numpy()


class Room:
    """Plans where arrays lie in one vector, each on a boundary."""

    def __init__(self) -> None:
        self.size = 0

    def take(self, number: int) -> int:
        """Return where the next array begins."""
        start, self.size = self.size, to_boundary(self.size + number)
        return start

    def vector(self, dtype: torch.dtype) -> np.ndarray:
        """Return memory of all that was asked for."""
        return torch.zeros(max(1, self.size), dtype=dtype).numpy()


def integers(values: Sequence[int]) -> np.ndarray:
    """Return numbers as compiled code takes them."""
    return np.array(values, dtype=np.int64)
