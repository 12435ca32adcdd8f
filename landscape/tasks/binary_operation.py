"""Binary operations on the integers modulo p (Power et al. 2022, arXiv:2201.02177, appendix A.1.1)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from grokscape.landscape.sharing import shared_data
from grokscape.landscape.tasks.token_task import TokenTask, all_pairs


def _divide(x: Tensor, y: Tensor, p: int) -> Tensor:
    inverse = torch.tensor([0] + [pow(v, -1, p) for v in range(1, p)])
    return x * inverse[y]


def _mixed(x: Tensor, y: Tensor, p: int) -> Tensor:
    return torch.where(y % 2 == 1, _divide(x, y, p), x - y)


#: Name of each operation -> (x, y, p) -> value before reduction modulo p.
OPERATIONS: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "x+y": lambda x, y, p: x + y,
    "x-y": lambda x, y, p: x - y,
    "x*y": lambda x, y, p: x * y,
    "x/y": _divide,
    "x/y if y odd else x-y": _mixed,
    "x^2+y^2": lambda x, y, p: x**2 + y**2,
    "x^2+xy+y^2": lambda x, y, p: x**2 + x * y + y**2,
    "x^2+xy+y^2+x": lambda x, y, p: x**2 + x * y + y**2 + x,
    "x^3+xy": lambda x, y, p: x**3 + x * y,
    "x^3+xy^2+y": lambda x, y, p: x**3 + x * y**2 + y,
}

#: Operations that need an inverse of every non-zero element, hence a prime modulus.
DIVISIONS = frozenset({"x/y", "x/y if y odd else x-y"})


@dataclass(frozen=True, kw_only=True)
class BinaryOperation(TokenTask, kind="binary_operation"):
    """``operation(x, y) mod p`` on all pairs; division leaves out ``y = 0``.

    Parameters
    ----------
    operation : str
        A key of `OPERATIONS`.
    p : int
        The modulus, at least 2; prime for the divisions.

    Raises
    ------
    InvalidInput
        If the operation is unknown, or the modulus does not fit it.
    """

    operation: str = "x+y"
    p: int = 113

    def words(self) -> str:
        return f"{self.operation} modulo {self.p}"

    def validate(self) -> None:
        if self.operation not in OPERATIONS:
            self.refuse("operation", f"one of {', '.join(OPERATIONS)}")
        if not 2 <= self.p <= 4096:
            self.refuse("p", "a modulus between 2 and 4096")
        if self.operation in DIVISIONS and any(self.p % d == 0 for d in range(2, int(self.p**0.5) + 1)):
            self.refuse("p", f"a prime number, because {self.operation!r} divides", "try 23, 37, 59, 97 or 113")

    @property
    def n_tokens(self) -> int:
        return self.p

    @property
    def n_classes(self) -> int:
        return self.p

    @functools.cached_property
    def size(self) -> int:
        return self.p * (self.p - 1 if self.operation == "x/y" else self.p)

    @property
    @shared_data
    def inputs(self) -> Tensor:
        pairs = all_pairs(self.p, self.p)
        return pairs[pairs[:, 1] != 0] if self.operation == "x/y" else pairs

    @property
    @shared_data
    def labels(self) -> Tensor:
        x, y = self.inputs.T
        return OPERATIONS[self.operation](x, y, self.p) % self.p
