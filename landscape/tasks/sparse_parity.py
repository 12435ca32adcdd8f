"""Sparse parity: the exclusive or of k among n bits (Barak et al. 2022, arXiv:2207.08799)."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from grokscape.landscape.sharing import shared_data
from grokscape.landscape.tasks.token_task import TokenTask


@dataclass(frozen=True, kw_only=True)
class SparseParity(TokenTask, kind="sparse_parity"):
    """Parity of the first `k` of `n` bits, over all 2^n bit strings.

    Parameters
    ----------
    n : int
        Bits per input, 1 to 16.
    k : int
        Relevant bits, 1 to n. That they come first loses nothing: the models here do not know the order of positions.
    """

    n: int = 10
    k: int = 3

    def words(self) -> str:
        return f"the parity of {self.k} of {self.n} bits"

    def validate(self) -> None:
        if not 1 <= self.n <= 16:
            self.refuse("n", "a number from 1 to 16", "the input space has 2^n elements")
        if not 1 <= self.k <= self.n:
            self.refuse("k", f"a number from 1 to n = {self.n}")

    @property
    def n_tokens(self) -> int:
        return 2

    @property
    def n_classes(self) -> int:
        return 2

    @property
    def n_positions(self) -> int:
        return self.n

    @functools.cached_property
    def size(self) -> int:
        return int(2**self.n)  # asked of every run that is planned, for which nobody lists the inputs

    @property
    @shared_data
    def inputs(self) -> Tensor:
        return (torch.arange(2**self.n)[:, None] >> torch.arange(self.n)) & 1

    @property
    @shared_data
    def labels(self) -> Tensor:
        return self.inputs[:, : self.k].sum(1) % 2
