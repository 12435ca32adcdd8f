"""Curvature matrices in rescaled coordinates."""

from __future__ import annotations

from torch import Tensor

from grokscape.landscape.measures.curvature.lanczos import Operator


class Rescaled:
    """The matrices ``T A T`` with T diagonal: the Hessian of ``L(theta + T u)`` in u.

    Parameters
    ----------
    matrix : Operator
    diagonal : Tensor, shape (networks, P)
    """

    def __init__(self, matrix: Operator, diagonal: Tensor) -> None:
        self._matrix, self._diagonal = matrix, diagonal
        self.size, self.count = matrix.size, matrix.count

    def matvec(self, vectors: Tensor) -> Tensor:
        """Multiply each matrix with its own vector, shapes (networks, P)."""
        return self._diagonal * self._matrix.matvec(self._diagonal * vectors)

    def select(self, networks: Tensor) -> Rescaled:
        """Return some of the matrices alone, by index."""
        return Rescaled(self._matrix.select(networks), self._diagonal[networks])

    def dense(self) -> Tensor:
        """Return the matrices, shape (networks, P, P)."""
        return self._diagonal[:, :, None] * self._matrix.dense() * self._diagonal[:, None, :]
