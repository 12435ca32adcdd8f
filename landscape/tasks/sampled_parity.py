"""Sparse parity of strings too long to list: the exclusive or of a few bits among many, on random strings."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.sharing import shared_data
from grokscape.landscape.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class SampledParity(Task, kind="hidden_parity"):
    """Parity of `relevant` of `bits` bits, on random strings of zeros and ones.

    There are too many strings to list, which `SparseParity` does. (A `ParityPopulation` draws new ones whenever it is
    asked.) Every seed has relevant bits of its own, so that intervals over seeds are over rules too.

    Parameters
    ----------
    bits : int
        Length of a string, at most 64.
    relevant : int
        How many bits decide; the others are spurious.
    silent : int
        How many of the spurious bits, at the end of a string, are always 0.
    examples : int
        How many strings there are, to train and to test on. Those of two lengths agree in the bits that they share.
    """

    bits: int = 30
    relevant: int = 3
    silent: int = 0
    examples: int = 2000

    def validate(self) -> None:
        if not 1 <= self.bits <= 64:
            self.refuse("bits", "a number from 1 to 64")
        if not 1 <= self.relevant <= self.bits:
            self.refuse("relevant", f"a number from 1 to bits = {self.bits}")
        if not 0 <= self.silent <= self.bits - self.relevant:
            self.refuse("silent", f"between 0 and {self.bits - self.relevant}, the number of spurious bits")
        if self.examples < 1:
            self.refuse("examples", "at least 1")
        self.refuse_beyond("examples", self.examples * (self.bits + 1))

    @property
    def n_outputs(self) -> int:
        return 2

    @functools.cached_property
    def size(self) -> int:
        return self.examples  # asked of every run that is planned, for which nobody draws the strings

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.bits,)

    @property
    @shared_data
    def inputs(self) -> Tensor:
        drawn = torch.from_numpy(randomness.bit_stream(0, "parity").random_raw(self.examples).view("int64"))
        strings = ((drawn[:, None] >> torch.arange(self.bits)) & 1).double()
        strings[:, self.bits - self.silent :] = 0
        return strings

    @property
    def labels(self) -> Tensor:
        return self.labels_of(0)

    def relevant_bits(self, seed: int) -> Tensor:
        """Return which bits decide in the world of a seed, int64 of shape (relevant,)."""
        chosen = randomness.permutation(self.bits - self.silent, seed, "parity/bits")
        return torch.from_numpy(chosen[: self.relevant].copy())

    def labels_of(self, seed: int) -> Tensor:
        return self.inputs[:, self.relevant_bits(seed)].sum(1).long() % 2
