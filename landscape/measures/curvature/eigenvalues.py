"""The largest eigenvalues of curvature matrices."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.curvature.completeness import SPARE, complete
from grokscape.landscape.measures.curvature.curvature import Curvature, Kind
from grokscape.landscape.measures.curvature.lanczos import start_vectors
from grokscape.landscape.measures.curvature.operator import Operator, Signed
from grokscape.landscape.measures.curvature.restarted import Ritz, largest
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.measures.several import Networks, eigh, of_networks
from grokscape.landscape.problem import Problem
from grokscape.landscape.randomness import integers

#: Up to this order, the dense matrix is cheaper than an iteration.
SMALL = 128

#: Bytes of basis vectors that networks measured together may hold on a CPU.
TOGETHER = 64_000_000


@dataclass(frozen=True, kw_only=True)
class Eigenvalues(Result):
    """The largest eigenvalues of one or several networks' curvature matrices.

    Attributes
    ----------
    values : array, shape (networks, k)
        Largest algebraic eigenvalues, descending.
    vectors : array, shape (networks, k, P)
        Their unit eigenvectors.
    residuals : array, shape (networks, k)
        ``|A v - lambda v|``. Some eigenvalue lies within it of the value. What Lanczos knows of it, and the rounding
        that Lanczos does not know of, measured with one more product as a root mean square over a network's pairs.
    converged : array of bool, shape (networks, k)
        Whether the residual is within the tolerance, and nothing larger than the rank says has been missed, but for one
        case in ten thousand.
    smallest : Eigenvalues or None
        The smallest algebraic eigenvalue, if it was asked for: the same with k = 1.
    kind, split, method, tolerance, seed
        How it was measured.
    cost : Cost
        All networks together, the smallest eigenvalue not counted.
    """

    values: np.ndarray
    vectors: np.ndarray
    residuals: np.ndarray
    converged: np.ndarray
    smallest: Eigenvalues | None
    kind: Kind
    split: str
    method: str
    tolerance: float
    seed: int
    cost: Cost

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each network and eigenvalue; rank 1 is the largest, -1 the smallest."""
        networks, k = self.values.shape
        frame = pd.DataFrame(
            {
                "network": np.repeat(np.arange(networks), k),
                "rank": np.tile(np.arange(1, k + 1), networks),
                "value": self.values.ravel(),
                "residual": self.residuals.ravel(),
                "converged": self.converged.ravel(),
            }
        )
        if self.smallest is None:
            return frame
        return pd.concat([frame, self.smallest.to_frame().assign(rank=-1)], ignore_index=True)


@plain_arguments
@of_networks("values", "vectors", "residuals", "converged")
@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def top_eigenvalues(
    problem: Problem,
    k: int = 1,
    *,
    params: Networks | None = None,
    kind: Kind = "hessian",
    split: str = "train",
    negative: bool = False,
    method: Literal["auto", "lanczos", "dense"] = "auto",
    tolerance: float = 1e-6,
    max_matvecs: int = 2000,
    basis: int | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Eigenvalues:
    """Measure the k largest (algebraic) eigenvalues of the Hessian or Gauss-Newton matrix.

    Thick-restart Lanczos on products with vectors, the networks side by side; see
    `grokscape.landscape.measures.curvature.restarted`. Where k is more than 1, a second iteration looks for what the
    first cannot see, further copies of a multiple eigenvalue, and bounds what is left; see
    `grokscape.landscape.measures.curvature.completeness`.

    Parameters
    ----------
    problem : Problem
    k : int
        How many eigenvalues.
    params : Tensor of shape (networks, P), or sequence of networks, optional
        Checkpoints of one architecture, measured as a batch; by default the problem's own parameters. Modules and state
        dicts are measured with their own buffers and frozen parameters, one by one. A network whose curvature is not
        finite has NaN for every value.
    kind : {"hessian", "gauss_newton"}
    split : {"train", "test"}
    negative : bool
        Also find the smallest algebraic eigenvalue. It lies near a dense bulk and can cost hundreds of matvecs.
    method : {"auto", "lanczos", "dense"}
        ``"dense"`` forms the matrix (P matvecs, P^2 numbers) and is exact; "auto" does so up to P = 128.
    tolerance : float
        On ``|A v - lambda v| / |lambda|``. Below ``32 eps |A|``, the rounding of a product, nothing is asked for.
    max_matvecs : int
        Matrix-vector products allowed for each network, not counting the one that measures residuals; where they do
        not suffice, be it only for the second iteration, `converged` is False.
    basis : int, optional
        Vectors kept at most (2 k + 40); memory is about ``basis * P`` numbers for each network.
    seed : int
        Draws the vector from which the iteration starts.
    progress : callable, optional
        Receives the share of the work that is done.

    Returns
    -------
    Eigenvalues
        Costs some tens to hundreds of matvecs for each network, of which the second iteration takes 6 to 15 where no
        eigenvalue is multiple.

    Raises
    ------
    InvalidInput
        If k is not between 1 and P, the tolerance is not positive, or a dense matrix would be too large.

    Examples
    --------
    >>> from grokscape.landscape import top_eigenvalues
    >>> from grokscape.landscape.measures.examples import bowl  # L = (3 a^2 + b^2) / 2
    >>> found = top_eigenvalues(bowl(), k=2)
    >>> found.values.round(6)
    array([[3., 1.]])
    >>> print(found.converged.all(), found.cost.matvecs)
    True 3
    """
    if not 1 <= k <= problem.size:
        raise InvalidInput(f"k is {k}, expected between 1 and {problem.size}, the number of parameters")
    if not tolerance > 0:
        raise InvalidInput(f"tolerance is {tolerance}, expected a positive number such as 1e-6")
    if max_matvecs < k:
        raise InvalidInput(f"max_matvecs is {max_matvecs}, expected at least k = {k} matvecs, one for each eigenvalue")
    if basis is not None and basis < 1:
        raise InvalidInput(f"basis is {basis}, expected at least 1 vector; k + 2 are kept in any case")
    if method not in ("auto", "lanczos", "dense"):
        raise InvalidInput(f"method is {method!r}, expected 'auto', 'lanczos' or 'dense'")
    matrix = Curvature(problem, params, kind=kind, split=split)
    matrix.need_right()  # before there is a basis: both together would take the most memory
    dense = method == "dense" or (method == "auto" and problem.size <= SMALL)

    def search(operator: Operator, k: int, report: Callable[[float], None] | None) -> tuple[Ritz, np.ndarray]:
        """Return the pairs, and which of them are certain to be the largest."""
        certain = np.ones((operator.count, k), bool)
        if dense:
            return _exact(operator, k), certain
        start = start_vectors(operator, seed)
        options = {"tolerance": tolerance, "basis": basis, "held": k + SPARE if k > 1 else 1}
        ritz = largest(operator, start, k, max_matvecs=max_matvecs, progress=report, **options)  # type: ignore[arg-type]
        if k == 1:  # how often the largest eigenvalue occurs does not matter
            return ritz, certain
        return complete(
            operator, ritz, k, tolerance=tolerance, max_matvecs=max_matvecs - -(-ritz.matvecs // operator.count)
        )

    kept = min(problem.size, 2 * k + 40 if basis is None else basis)
    group = max(1, TOGETHER // (kept * problem.size * matrix.params.element_size()))
    pieces = torch.arange(matrix.count).split(group if problem.device.type == "cpu" else matrix.count)

    ends = 2 if negative else 1

    def one_end(sign: int, k: int, norm: np.ndarray | None = None) -> Eigenvalues:
        parts, matvecs = [], 0
        for number, piece in enumerate(pieces):

            def report(share: float, number: int = number) -> None:
                if progress is not None:
                    progress(((sign < 0) + (number + share) / len(pieces)) / ends)

            operator = Signed(matrix.select(piece.to(problem.device)), sign)
            ritz, certain = search(operator, k, report)
            *pairs, resting = measured(operator, ritz, tolerance, None if norm is None else norm[piece.numpy()])
            parts.append((*pairs, resting & certain))
            matvecs += ritz.matvecs + len(piece)
            report(1.0)  # an iteration reports its share of the matvecs allowed, which it seldom needs
        values, vectors, residuals, converged = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return Eigenvalues(
            values=sign * values,
            vectors=vectors,
            residuals=residuals,
            converged=converged,
            smallest=None,
            kind=kind,
            split=split,
            method="dense" if dense else "lanczos",
            tolerance=tolerance,
            seed=seed,
            cost=Cost(matvecs=matvecs),
        )

    top = one_end(1, k)
    if not negative:
        return top
    return dataclasses.replace(top, smallest=one_end(-1, 1, np.abs(top.values).max(1)))


#: Values, vectors, residuals, converged: each (networks, k, ...).
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def measured(operator: Operator, ritz: Ritz, tolerance: float, norm: np.ndarray | None = None) -> Pairs:
    """Measure the residual of every pair, and judge whether it has converged.

    Lanczos knows ``r_i = edge_i * beyond`` but for rounding ``e_i``. The product with the vectors summed under random
    signs differs from what is expected by ``sum_i +-e_i``, whose squared length has the mean ``sum_i |e_i|^2``: so one
    product measures the mean square of the rounding, which is added to each.
    The norm of each matrix, which decides the rounding of a product, is that of its values unless given.
    """
    values, edges = ritz.values.to(ritz.vectors), ritz.edges.to(ritz.vectors)
    if edges.ndim == 3:
        along = edges @ ritz.beyond  # every pair's residual but for rounding
        edges, known = along.norm(dim=2), torch.bmm(signs_of(values), along)[:, 0]
    else:
        known = (signs_of(values)[:, 0] * edges).sum(1, True) * ritz.beyond
    k = values.shape[1]
    signs = signs_of(values)
    together = torch.bmm(signs, ritz.vectors)[:, 0]
    expected = torch.bmm(signs * values[:, None], ritz.vectors)[:, 0] + known
    rounding = (operator.matvec(together) - expected).norm(dim=1, keepdim=True) / k**0.5
    residuals = (edges.square() + rounding.square()).sqrt()
    size = values.abs().amax(1, keepdim=True)
    if ritz.size is not None:
        size = torch.maximum(size, ritz.size.to(size)[:, None])
    if norm is not None:
        size = torch.maximum(size, torch.from_numpy(norm).to(size)[:, None])
    bound = torch.maximum(tolerance * values.abs(), 32 * torch.finfo(values.dtype).eps * size)
    arrays = (ritz.values, ritz.vectors, residuals, residuals <= bound)
    return tuple(array.cpu().numpy() for array in arrays)  # type: ignore[return-value]


def signs_of(values: Tensor) -> Tensor:
    """Return random signs for pairs with these values (networks, k), shape (networks, 1, k)."""
    signs = 1.0 - 2.0 * integers(values.shape[1], 2, 0, "residual signs")
    return torch.from_numpy(signs).to(values).expand_as(values)[:, None]


def _exact(operator: Operator, k: int) -> Ritz:
    """Return the k largest eigenpairs of the dense matrices."""
    values, vectors = eigh(operator.dense().double())
    size = values.abs().amax(1).cpu()
    values, params = values.flip(1)[:, :k].cpu(), vectors.mT.flip(1)[:, :k].to(operator.dtype)
    return Ritz(
        values, params, torch.zeros_like(values), torch.zeros_like(params[:, 0]), operator.count * operator.size, size
    )
