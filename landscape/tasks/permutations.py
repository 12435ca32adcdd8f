"""Composition of permutations, the symmetric group S_n (Power et al. 2022, arXiv:2201.02177, appendix A.1.1)."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from grokscape.landscape.sharing import shared_data
from grokscape.landscape.tasks.token_task import TokenTask, all_pairs


@dataclass(frozen=True, kw_only=True)
class Permutations(TokenTask, kind="permutations"):
    """A word in two permutations of n things; elements are numbered in lexicographic order.

    Parameters
    ----------
    n : int
        Things that are permuted, 2 to 6; there are n! elements and (n!)^2 inputs.
    word : {"xy", "xyx^-1", "xyx"}
        Composition (first y, then x), conjugation of y by x, and the palindrome.
    """

    n: int = 5
    word: Literal["xy", "xyx^-1", "xyx"] = "xy"

    def words(self) -> str:
        return f"{self.word} in S{self.n}"

    def validate(self) -> None:
        if not 2 <= self.n <= 6:
            self.refuse("n", "a number from 2 to 6", "the input space has (n!)^2 elements")

    @property
    def n_tokens(self) -> int:
        return math.factorial(self.n)

    @property
    def n_classes(self) -> int:
        return math.factorial(self.n)

    @property
    @shared_data
    def elements(self) -> Tensor:
        """Every permutation as the list of its images, int64, shape (n!, n)."""
        return torch.tensor(list(itertools.permutations(range(self.n))))

    @functools.cached_property
    def size(self) -> int:
        return self.n_tokens**2

    @property
    @shared_data
    def inputs(self) -> Tensor:
        return all_pairs(self.n_tokens, self.n_tokens)

    @property
    @shared_data
    def labels(self) -> Tensor:
        x, y = self.elements[self.inputs[:, 0]], self.elements[self.inputs[:, 1]]
        product = x.gather(1, y)  # (xy)(i) = x(y(i))
        if self.word == "xyx^-1":
            product = product.gather(1, x.argsort(1))
        elif self.word == "xyx":
            product = product.gather(1, x)
        digits = self.n ** torch.arange(self.n)
        number = torch.zeros(self.n**self.n, dtype=torch.int64)
        number[(self.elements * digits).sum(1)] = torch.arange(self.n_tokens)
        return number[(product * digits).sum(1)]
