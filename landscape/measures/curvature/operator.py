"""Symmetric matrices known by their products with vectors: what the estimators ask for, and two that others make."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Operator(Protocol):
    """Symmetric matrices, one for each network, known by their products alone."""

    @property
    def size(self) -> int:
        """P, the order of each matrix."""

    @property
    def count(self) -> int:
        """Number of matrices."""

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the products."""

    @property
    def device(self) -> torch.device:
        """Where the products are computed."""

    def matvec(self, vectors: Tensor) -> Tensor:
        """Multiply each matrix with its own vector, shapes (networks, P)."""

    def select(self, networks: Tensor) -> Operator:
        """Return some of the matrices alone, by index."""

    def dense(self) -> Tensor:
        """Return the matrices, shape (networks, P, P)."""


class _Derived:
    """Matrices made of others of the same size."""

    def __init__(self, matrix: Operator) -> None:
        self._matrix = matrix
        self.size, self.count, self.dtype, self.device = matrix.size, matrix.count, matrix.dtype, matrix.device


class Signed(_Derived):
    """The matrices times a sign: with -1, their largest eigenvalue is the opposite of the smallest one.

    Parameters
    ----------
    matrix : Operator
    sign : int
    """

    def __init__(self, matrix: Operator, sign: int) -> None:
        super().__init__(matrix)
        self._sign = sign

    def matvec(self, vectors: Tensor) -> Tensor:
        """Multiply each matrix with its own vector, shapes (networks, P)."""
        return self._sign * self._matrix.matvec(vectors)

    def select(self, networks: Tensor) -> Signed:
        """Return some of the matrices alone, by index."""
        return Signed(self._matrix.select(networks), self._sign)

    def dense(self) -> Tensor:
        """Return the matrices, shape (networks, P, P)."""
        return self._sign * self._matrix.dense()


class Rescaled(_Derived):
    """The matrices ``T A T`` with T diagonal: the Hessian of ``L(theta + T u)`` in u.

    Parameters
    ----------
    matrix : Operator
    diagonal : Tensor, shape (networks, P)
    """

    def __init__(self, matrix: Operator, diagonal: Tensor) -> None:
        super().__init__(matrix)
        self._diagonal = diagonal

    def matvec(self, vectors: Tensor) -> Tensor:
        """Multiply each matrix with its own vector, shapes (networks, P)."""
        return self._diagonal * self._matrix.matvec(self._diagonal * vectors)

    def select(self, networks: Tensor) -> Rescaled:
        """Return some of the matrices alone, by index."""
        return Rescaled(self._matrix.select(networks), self._diagonal[networks])

    def dense(self) -> Tensor:
        """Return the matrices, shape (networks, P, P)."""
        return self._diagonal[:, :, None] * self._matrix.dense() * self._diagonal[:, None, :]
