"""Tasks whose inputs are short sequences of tokens, and whose labels are classes."""

from __future__ import annotations

import functools
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.sharing import shared_data
from grokscape.landscape.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class TokenTask(Task):
    """A whole finite input space of token sequences, with classes as labels.

    Subclasses set `n_tokens` (size of the alphabet), `n_positions` (tokens per input) and `n_classes`, and compute
    `inputs` and `labels`.
    """

    @property
    @abstractmethod
    def n_tokens(self) -> int:
        """Number of distinct tokens."""

    @property
    @abstractmethod
    def n_classes(self) -> int:
        """Number of labels."""

    @property
    def n_outputs(self) -> int:
        return self.n_classes

    @property
    def n_positions(self) -> int:
        """Tokens per input."""
        return 2

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.n_positions,)

    @property
    @shared_data
    def mirror(self) -> Tensor | None:
        if self.n_positions != 2:
            return None
        code = (self.inputs[:, 0] * self.n_tokens + self.inputs[:, 1]).tolist()
        where = {pair: index for index, pair in enumerate(code)}
        swapped = (self.inputs[:, 1] * self.n_tokens + self.inputs[:, 0]).tolist()
        return torch.tensor([where.get(pair, -1) for pair in swapped])

    @functools.cached_property
    def is_commutative(self) -> bool:
        """Whether every input has the label of its mirror image."""
        mirror = self.mirror
        return mirror is not None and bool((mirror >= 0).all() and (self.labels[mirror] == self.labels).all())


def all_pairs(first: int, second: int) -> Tensor:
    """Return all pairs from ``range(first)`` and ``range(second)``, int64, shape (first * second, 2)."""
    return torch.from_numpy(np.indices((first, second)).reshape(2, -1).T.copy())
