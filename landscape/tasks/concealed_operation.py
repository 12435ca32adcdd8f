"""Modular arithmetic concealed among coordinates that say nothing (Miller et al. 2023, arXiv:2310.17247, 2.2)."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.sharing import shared_data
from grokscape.landscape.tasks.binary_operation import OPERATIONS
from grokscape.landscape.tasks.task import Task

#: The six operations of the paper's table A.2 -> (x, y, p) -> value before reduction modulo p.
CONCEALED = {name: OPERATIONS[name] for name in ("x+y", "x-y", "x/y", "x^2+xy+y^2", "x^2+xy+y^2+x")}
CONCEALED["x*y*x"] = lambda x, y, _: x * y * x


@dataclass(frozen=True, kw_only=True)
class ConcealedOperation(Task, kind="concealed"):
    """``operation(x, y) mod p`` of two one-hot symbols, followed by coordinates that are irrelevant.

    The inputs that could exist are too many; a pool of them is drawn, with replacement, and split by the seed of a run.
    Pools of one draw share symbols and their first coordinates whatever `dimensions` is, so that more concealment is
    the same data with more coordinates appended.

    Parameters
    ----------
    operation : str
        A key of `CONCEALED`; division leaves out ``y = 0``.
    p : int
        The modulus, a prime.
    dimensions : int
        Irrelevant coordinates appended to the 2 p of the symbols.
    noise : {"bits", "zeros", "normal"}
        Their values: 0 or 1 at even odds, always 0, or standard normal.
    examples : int
        Size of the pool.
    draw : int
        Seed of the pool.
    """

    operation: str = "x+y"
    p: int = 7
    dimensions: int = 20
    noise: Literal["bits", "zeros", "normal"] = "bits"
    examples: int = 1200
    draw: int = 0

    def validate(self) -> None:
        if self.operation not in CONCEALED:
            self.refuse("operation", f"one of {', '.join(CONCEALED)}")
        if not 2 <= self.p <= 4096 or any(self.p % d == 0 for d in range(2, int(self.p**0.5) + 1)):
            self.refuse("p", "a prime between 2 and 4096", "the paper has 7")
        for name, least in (("dimensions", 0), ("examples", 1), ("draw", 0)):
            if getattr(self, name) < least:
                self.refuse(name, f"at least {least}")
        self.refuse_beyond("examples", self.examples * (2 * self.p + 3))
        self.refuse_beyond("dimensions", self.examples * (2 * self.p + 3 + self.dimensions))

    @property
    def n_outputs(self) -> int:
        return self.p

    @functools.cached_property
    def size(self) -> int:
        return self.examples  # asked of every run that is planned, for which nobody draws the pool

    @property
    @shared_data
    def pairs(self) -> Tensor:
        """The two symbols of each example, int64, shape (examples, 2)."""
        least = 1 if self.operation == "x/y" else 0
        x = randomness.integers(self.examples, self.p, self.draw, "concealed/x")
        y = least + randomness.integers(self.examples, self.p - least, self.draw, "concealed/y")
        return torch.stack([torch.from_numpy(x), torch.from_numpy(y)], 1)

    @property
    @shared_data
    def irrelevant(self) -> Tensor:
        """The appended coordinates, float64, shape (examples, dimensions)."""
        shape = (self.dimensions, self.examples)  # so that fewer dimensions are the first of more
        if self.noise == "zeros":
            return torch.zeros(shape, dtype=torch.float64).T
        if self.noise == "normal":
            return torch.from_numpy(randomness.generator(self.draw, "concealed/normal").standard_normal(shape)).T
        bits = randomness.integers(self.dimensions * self.examples, 2, self.draw, "concealed/bits")
        return torch.from_numpy(bits.reshape(shape)).double().T

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (2 * self.p + self.dimensions,)

    @property
    @shared_data
    def inputs(self) -> Tensor:
        symbols = torch.nn.functional.one_hot(self.pairs, self.p).flatten(1)
        return torch.cat([symbols.double(), self.irrelevant], 1)

    @property
    @shared_data
    def labels(self) -> Tensor:
        x, y = self.pairs.T
        return CONCEALED[self.operation](x, y, self.p) % self.p
