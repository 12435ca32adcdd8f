"""What every task offers: its whole finite input space, its labels, and deterministic splits."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from landscape import randomness
from landscape.description import Description
from landscape.errors import InvalidInput


@dataclass(frozen=True)
class Split:
    """Which examples are trained on, and which are held out.

    Attributes
    ----------
    train, test : Tensor of int64, shapes (n_train,) and (N - n_train,)
        Indices into the input space, ascending.
    unmirrored : Tensor of int64
        The test examples whose mirror image, the input with its two operands exchanged, is not trained on either. A
        learner that knows only that the operation commutes gains nothing on them. Equal to `test` for tasks without
        mirror images.
    """

    train: Tensor
    test: Tensor
    unmirrored: Tensor


@dataclass(frozen=True, kw_only=True)
class Task(Description, ABC):
    """A finite set of inputs with labels.

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
    def n_positions(self) -> int:
        """Tokens per input."""
        return 2

    @property
    @abstractmethod
    def inputs(self) -> Tensor:
        """The whole input space, int64, shape (N, n_positions)."""

    @property
    @abstractmethod
    def labels(self) -> Tensor:
        """The true labels, int64, shape (N,)."""

    @functools.cached_property
    def size(self) -> int:
        """N, the number of inputs that exist."""
        return len(self.inputs)

    @functools.cached_property
    def mirror(self) -> Tensor | None:
        """Index of each input with its two operands exchanged (int64, shape (N,); -1 where that is no input).

        None for tasks whose inputs are not pairs.
        """
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

    def n_train(self, fraction: float) -> int:
        """Return the number of examples that a fraction of the input space stands for (rounded)."""
        if not 0 < fraction <= 1:
            raise InvalidInput(f"fraction is {fraction!r}, expected a number in (0, 1]")
        return round(fraction * self.size)

    def split(self, n_train: int, *, seed: int) -> Split:
        """Choose `n_train` examples at random.

        Splits of one seed are nested: a smaller training set is a subset of a larger one, so that "the same data with
        some removed" is the same seed with a smaller `n_train`.

        Raises
        ------
        InvalidInput
            If `n_train` is not between 1 and the size of the input space.
        """
        if not 1 <= n_train <= self.size:
            raise InvalidInput(
                f"n_train is {n_train}, but {self!r} has {self.size} inputs; choose between 1 and {self.size}"
            )
        order = torch.from_numpy(randomness.permutation(self.size, seed, "split"))
        chosen = torch.zeros(self.size, dtype=torch.bool)
        chosen[order[:n_train]] = True
        unmirrored = ~chosen
        if self.mirror is not None:
            unmirrored &= ~chosen[self.mirror] | (self.mirror < 0)
        return Split(*(mask.nonzero().squeeze(1) for mask in (chosen, ~chosen, unmirrored)))

    def random_labels(self, *, seed: int) -> Tensor:
        """Return the labels of the memorisation-only twin: uniform and independent, int64, shape (N,)."""
        return torch.from_numpy(randomness.integers(self.size, self.n_classes, seed, "labels"))


def all_pairs(first: int, second: int) -> Tensor:
    """Return all pairs from ``range(first)`` and ``range(second)``, int64, shape (first * second, 2)."""
    return torch.from_numpy(np.indices((first, second)).reshape(2, -1).T.copy())
