"""Sums of embeddings that are given, more or less in order (Liu, Michaud and Tegmark 2023, arXiv:2210.01117)."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.sharing import shared_data
from grokscape.landscape.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class MessySums(Task, kind="messy_sums"):
    """Addition of symbols whose places on a line are fixed: ``x = E_i + E_j``, classes ``i + j``, all pairs i <= j.

    ``E = (1 - messiness) line + messiness noise``, both with mean 0 and variance 1. On the line, pairs with equal sums
    have the same input and the sum can be read off; among random places nothing can be learnt from one pair for
    another.

    Parameters
    ----------
    symbols : int
        p; the line holds them at equal distances.
    messiness : float
        From 0 (the line) to 1 (noise).
    draw : int
        Seed of the noise.
    order : {"line", "permuted"}
        Permuted deals the places on the line out at random: as tidy, and as useless as noise.
    """

    symbols: int = 10
    messiness: float = 0.0
    draw: int = 0
    order: Literal["line", "permuted"] = "line"

    def validate(self) -> None:
        if self.symbols < 3:
            self.refuse("symbols", "at least 3")
        self.refuse_beyond("symbols", 4 * self.size)
        if not 0 <= self.messiness <= 1:
            self.refuse("messiness", "a number from 0 to 1")
        if self.draw < 0:
            self.refuse("draw", "not negative")

    @property
    def n_outputs(self) -> int:
        return 2 * self.symbols - 1

    @functools.cached_property
    def size(self) -> int:
        return self.symbols * (self.symbols + 1) // 2

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    @shared_data
    def pairs(self) -> Tensor:
        """All pairs i <= j, int64, shape (N, 2)."""
        return torch.combinations(torch.arange(self.symbols), with_replacement=True)

    @property
    @shared_data
    def places(self) -> Tensor:
        """E, float64, shape (symbols,)."""
        line = torch.arange(self.symbols, dtype=torch.float64)
        if self.order == "permuted":
            line = line[torch.from_numpy(randomness.permutation(self.symbols, self.draw, "sums/order"))]
        noise = torch.from_numpy(randomness.generator(self.draw, "sums/noise").standard_normal(self.symbols))
        tidy, messy = ((e - e.mean()) / e.std() for e in (line, noise))
        return (1 - self.messiness) * tidy + self.messiness * messy

    @property
    @shared_data
    def inputs(self) -> Tensor:
        return self.places[self.pairs].sum(1, keepdim=True)

    @property
    @shared_data
    def labels(self) -> Tensor:
        return self.pairs.sum(1)
