"""Whether the largest eigenvalues found are all there are: multiple eigenvalues, which one Krylov space holds once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from grokscape.landscape.measures.curvature.lanczos import lanczos_step, orthogonal_to, random_vectors, unit
from grokscape.landscape.measures.curvature.operator import Operator
from grokscape.landscape.measures.curvature.restarted import Ritz

#: Chance that a fresh vector is so nearly orthogonal to an eigenvector that it goes unseen.
CHANCE = 1e-4

#: Further pairs beyond those wanted that are removed from a matrix before the rest of it is bounded: the fewer large
#: eigenvalues are left, the fewer products the bound takes.
SPARE = 30

#: Steps of a round, and after how many it is looked at first.
ROUND, FIRST = 40, 6

#: How many pairs of a round are kept, and how many rounds there may be beyond one for each eigenvalue wanted.
JOINED, MORE = 10, 6

#: Residual, as a share of the matrix's norm, of pairs that are removed beside those wanted: coupled more strongly, they
#: would blur the count.
LOOSE = 0.01


def complete(operator: Operator, ritz: Ritz, k: int, *, tolerance: float, max_matvecs: int) -> tuple[Ritz, np.ndarray]:
    """Look for eigenvalues that Ritz pairs have missed, add them, and return which of the k largest are certain.

    Lanczos from one vector sees each eigenspace along one direction, so that a multiple eigenvalue is found once,
    however small the residuals. So a fresh vector starts an iteration on what is left of the matrix, ``R = (1 - W W^T)
    A (1 - W W^T)`` with all Ritz vectors W. If ``R < mu``, A has at most as many eigenvalues above ``s > mu`` as ``T +
    E E^T / (s - mu)`` has (Schur's complement; T are the Ritz values, and E what couples W to the rest, the residuals).
    From the Lanczos polynomial p of degree j, ``mu`` is where ``p(mu) = 1 / c``, with c what a random vector's part
    along an eigenvector exceeds but for one case in ten thousand (van Dorsselaer, Hochstenbach and van der Vorst 2000).
    Whatever the iteration finds joins W, until the k largest are certain.

    Parameters
    ----------
    operator : Operator
    ritz : Ritz
        At least k pairs of each matrix; the more, the sooner the rest is bounded.
    k : int
    tolerance : float
        An eigenvalue is certain if no more than its rank lie above it by this share of it, or by a thousandth of this
        share of the largest magnitude.
    max_matvecs : int
        Products of each matrix allowed.

    Returns
    -------
    Ritz
        The k largest.
    certain : array of bool, shape (networks, k)
    """
    known = [_Known.of(ritz, network).tight(k, LOOSE) for network in range(operator.count)]
    loose = [LOOSE] * operator.count
    certain = np.zeros((operator.count, k), dtype=bool)
    rounds, matvecs, steps = 0, ritz.matvecs, 0
    unsure = [network for network in range(operator.count) if np.isfinite(known[network].values).all()]
    while unsure and steps < max_matvecs and rounds < k + MORE:
        vectors = pad_sequence([known[network].vectors for network in unsure], batch_first=True)
        room = min(operator.size - len(known[network].values) for network in unsure)
        if not room:  # each matrix is known whole
            certain[unsure] = True
            break
        goal = np.array([known[network].goals(k, tolerance)[-1] for network in unsure])
        part = operator.select(torch.tensor(unsure, device=vectors.device))
        run = _rest(part, vectors, goal, min(ROUND, max_matvecs - steps, room), tolerance, rounds)
        matvecs, steps, rounds = matvecs + run.steps * len(unsure), steps + run.steps, rounds + 1
        bounds = run.bound()
        for place, network in enumerate(unsure):
            certain[network] = known[network].certain(k, tolerance, bounds[place])
            if not certain[network].all():
                known[network] = known[network].joined(run, place)
                certain[network] = known[network].certain(k, tolerance, bounds[place])
            if not certain[network].all() and bounds[place] < goal[place]:  # the coupling was too strong
                loose[network] *= 0.03
                known[network] = known[network].tight(k, loose[network])
        unsure = [network for network in unsure if not certain[network].all()]
    return _gathered(known, k, matvecs, ritz.size), certain


@dataclass(frozen=True)
class _Known:
    """Ritz pairs of one matrix, as in `Ritz`: values (h,), vectors (h, P), edges (h, m) and beyond (m, P)."""

    values: np.ndarray
    vectors: Tensor
    edges: np.ndarray
    beyond: Tensor

    @staticmethod
    def of(ritz: Ritz, network: int) -> _Known:
        """Take one matrix's pairs out of those of many."""
        kept = ritz.vectors[network].any(1)  # of a network that cannot be measured, all are NaN
        place = kept.cpu()
        values, edges = ritz.values[network][place], ritz.edges[network][place]
        return _Known(values.numpy(), ritz.vectors[network][kept], edges.numpy()[:, None], ritz.beyond[network][None])

    def tight(self, k: int, loose: float) -> _Known:
        """Return the k wanted, and of the others those that are coupled to the rest by no more than a share."""
        kept = np.linalg.norm(self.edges, axis=1) <= loose * np.abs(self.values).max()
        kept[:k] = True
        return _Known(
            self.values[kept],
            self.vectors[torch.from_numpy(kept).to(self.vectors.device)],
            self.edges[kept],
            self.beyond,
        )

    def joined(self, run: _Run, place: int) -> _Known:
        """Return these pairs and the largest ones of a run, as the pairs of the space that they span together."""
        values, weights = (part[place] for part in run.pairs())
        edges = run.off_diagonal[place, -1] * weights[-1]
        chosen = np.flatnonzero(np.abs(edges) <= LOOSE * np.abs(self.values).max())[:JOINED]
        chosen = chosen if len(chosen) else np.array([0])
        values, weights = values[chosen], weights[:, chosen]
        new = torch.from_numpy(np.ascontiguousarray(weights.T)).to(self.vectors) @ run.basis[place]
        beyond = run.beyond[place]
        shared = _float64(self.beyond @ new.T)  # how the residuals couple both, (m, count)
        coupling = self.edges @ shared
        matrix = np.block([[np.diag(self.values), coupling], [coupling.T, np.diag(values)]])
        merged, mix = np.linalg.eigh(matrix)
        merged, mix = merged[::-1], np.ascontiguousarray(mix[:, ::-1])
        residuals = np.zeros((len(merged), self.edges.shape[1] + 1))
        residuals[: len(self.values), :-1] = self.edges
        residuals[len(self.values) :, -1] = edges[chosen]
        return _Known(
            merged,
            torch.from_numpy(mix.T.copy()).to(self.vectors) @ torch.cat([self.vectors, new]),
            mix.T @ residuals,
            torch.cat([self.beyond - (self.beyond @ new.T) @ new, beyond[None]]),
        )

    def goals(self, k: int, tolerance: float) -> np.ndarray:
        """Return just above which value each of the k largest eigenvalues must not lie, shape (k,)."""
        size = np.abs(self.values).max() + np.finfo(float).tiny * 1e30
        least = max(32 * torch.finfo(self.vectors.dtype).eps, 1e-3 * tolerance) * size
        return self.values[:k] + np.maximum(tolerance * np.abs(self.values[:k]), least)

    def certain(self, k: int, tolerance: float, bound: float) -> np.ndarray:
        """Return which of the k largest are certain if the rest of the matrix lies below a bound, shape (k,)."""
        fine = np.zeros(k, dtype=bool)
        outwards = self.edges @ _float64(self.beyond @ self.beyond.T) @ self.edges.T
        for rank, goal in enumerate(self.goals(k, tolerance)):
            if bound < goal:
                raised = np.linalg.eigvalsh(np.diag(self.values) + outwards / (goal - bound))[::-1]
                fine[rank] = raised[rank] <= goal
        return fine


def _gathered(known: list[_Known], k: int, matvecs: int, size: Tensor | None) -> Ritz:
    """Return the k largest pairs of all matrices."""
    values = torch.from_numpy(np.stack([each.values[:k] for each in known]))
    edges = pad_sequence([torch.from_numpy(each.edges[:k].T.copy()) for each in known], batch_first=True).mT
    beyond = pad_sequence([each.beyond for each in known], batch_first=True)
    return Ritz(values, torch.stack([each.vectors[:k] for each in known]), edges, beyond, matvecs, size)


def _float64(tensor: Tensor) -> np.ndarray:
    return tensor.double().cpu().numpy()


@dataclass(frozen=True)
class _Run:
    """A Lanczos iteration on the rest of each matrix: basis (networks, steps, P), its matrix and what follows."""

    basis: Tensor
    beyond: Tensor
    diagonal: np.ndarray
    off_diagonal: np.ndarray
    size: int

    @property
    def steps(self) -> int:
        return self.basis.shape[1]

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return Ritz values, descending, and their weights in the basis, (networks, steps, steps)."""
        matrix = np.zeros((*self.diagonal.shape, self.steps))
        index = np.arange(self.steps)
        matrix[:, index, index] = self.diagonal
        matrix[:, index[1:], index[:-1]] = matrix[:, index[:-1], index[1:]] = self.off_diagonal[:, :-1]
        values, weights = np.linalg.eigh(matrix)
        return values[:, ::-1], weights[:, :, ::-1]

    def bound(self) -> np.ndarray:
        """Return what the largest eigenvalue exceeds but by chance, shape (networks,)."""
        values, _ = self.pairs()
        tiny = np.finfo(float).tiny
        needed = np.log(np.maximum(self.off_diagonal, tiny)).sum(1) - np.log(CHANCE * np.sqrt(np.pi / 2 / self.size))
        reach = np.abs(values).max(1) + self.off_diagonal.max(1)
        low, high = values[:, 0].copy(), values[:, 0] + 100 * reach + tiny  # the polynomial's largest root is the lower
        for _ in range(60):
            middle = (low + high) / 2
            above = np.log(np.maximum(middle[:, None] - values, tiny)).sum(1) > needed
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return high


def _rest(operator: Operator, known: Tensor, goal: np.ndarray, steps: int, tolerance: float, number: int) -> _Run:
    """Iterate on what is left of each matrix, until it lies below the goal or its largest eigenvalue above is known."""
    count, _, size = known.shape
    basis = known.new_empty(count, steps + 1, size)
    basis[:, 0] = unit(orthogonal_to(known, random_vectors(operator, 0, f"completeness/{number}")))
    diagonal, off_diagonal, image = [], [], None
    for last in range(steps):
        step = lanczos_step(operator, basis, last, deflated=known, largest_image=image)
        image = step.image
        diagonal.append(step.along[:, -1])
        off_diagonal.append(step.length)
        if bool(step.complete.any()) and last + 1 < steps:  # go on outside the space
            fresh = random_vectors(operator, 0, f"completeness/{number}/{last}")
            fresh = unit(orthogonal_to(known, orthogonal_to(basis[:, : last + 1], fresh)))
            basis[:, last + 1] = torch.where(step.complete[:, None], fresh, basis[:, last + 1])
        if (last + 1 >= min(FIRST, steps) and (last + 1 - FIRST) % 3 == 0) or last + 1 == steps:
            run = _Run(
                basis[:, : last + 1],
                basis[:, last + 1],
                torch.stack(diagonal, 1).cpu().numpy(),
                torch.stack(off_diagonal, 1).cpu().numpy(),
                size,
            )
            values, weights = run.pairs()
            edge = np.abs(run.off_diagonal[:, -1] * weights[:, -1, 0])
            found = (values[:, 0] > goal) & (edge <= tolerance * np.abs(values[:, 0]))
            if (found | (run.bound() < goal) | step.complete.cpu().numpy()).all():
                break
    return run
