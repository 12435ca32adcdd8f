"""What every task offers: a finite set of examples, their labels, and deterministic splits."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.description import Description
from grokscape.landscape.errors import InvalidInput

#: Numbers that a task, or a layer, may hold at most: 8 TB.
MOST_NUMBERS = 10**12


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

    Subclasses compute `inputs` and `labels`, and say how many numbers a network answers with (`n_outputs`). With
    `grokscape.landscape.sharing.shared_data` below ``@property`` data are made once for all equal tasks; a task that
    holds them itself, as with ``functools.cached_property``, holds them as long as a claim waits for a run on it.
    """

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """Numbers that a network answers with: one for each class, or one for each value of a label."""

    @property
    def tolerance(self) -> float | None:
        """None if labels are classes. If they are values: the mean squared error below which an answer is correct."""
        return None

    @property
    @abstractmethod
    def inputs(self) -> Tensor:
        """All inputs, shape (N, ...): tokens (int64) or numbers (float64)."""

    @property
    @abstractmethod
    def labels(self) -> Tensor:
        """The true labels: classes, int64 of shape (N,), or values, float64 of shape (N, n_outputs)."""

    def labels_of(self, seed: int) -> Tensor:  # noqa: ARG002
        """Return the true labels in the world of a seed; tasks that draw a new rule for each seed override this."""
        return self.labels

    @functools.cached_property
    def size(self) -> int:
        """N, the number of inputs that exist; tasks that can count them without making them do so."""
        return len(self.inputs)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one input; known without making any, where that takes no data."""
        return tuple(self.inputs.shape[1:])

    def refuse_beyond(self, field: str, numbers: int) -> None:
        """Refuse a field for which all inputs and labels, or what they are made with, hold too many `numbers`."""
        if numbers > MOST_NUMBERS:
            self.refuse(
                field, f"less: it takes {numbers:.3g} numbers, and no machine holds more than {MOST_NUMBERS:.0g}"
            )

    @property
    def mirror(self) -> Tensor | None:
        """Index of each input with its two operands exchanged (int64, shape (N,); -1 where that is no input).

        None for tasks whose inputs are not pairs.
        """
        return None

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
        """Return the labels of the memorisation-only twin, in the shape of `labels`.

        Classes are uniform and independent; values are those of other inputs, dealt out at random.
        """
        if self.tolerance is not None:
            return self.labels_of(seed)[torch.from_numpy(randomness.permutation(self.size, seed, "labels"))]
        return torch.from_numpy(randomness.integers(self.size, self.n_outputs, seed, "labels"))
