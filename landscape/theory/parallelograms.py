"""Parallelograms: what a table of sums asks of an embedding of its symbols (Liu et al. 2022, arXiv:2205.10343).

Symbols ``0 .. p-1`` are added (not modulo p), and a pair ``{i, j}`` with ``i <= j`` is one example. Two pairs of equal
sum, ``i + j = m + n``, form a *parallelogram*; an embedding realises it where ``E_i + E_j = E_m + E_n``. A training set
asks for the parallelograms between its own pairs: the rows of a matrix ``A`` (entries +1, +1, -1, -1) with ``A E = 0``.
Every arithmetic progression solves this, so that the null space of ``A`` has two dimensions or more; if two, the
training set leaves no other embedding.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np

from grokscape.landscape import randomness
from grokscape.landscape.errors import InvalidInput

#: Mean squared distance, in units of the embedding's variance, below which a parallelogram counts as realised.
TOLERANCE = 0.01

#: Symbols at most: there are half as many couples of pairs as the fourth power of their number, and all are tried.
MOST_SYMBOLS = 128


def number_of_pairs(symbols: int) -> int:
    """Return how many unordered pairs there are, without making them."""
    return symbols * (symbols + 1) // 2


@functools.cache
def pairs(symbols: int) -> np.ndarray:
    """Return all unordered pairs ``i <= j``, int64 of shape (p (p + 1) / 2, 2), in lexicographic order."""
    if symbols < 3:
        raise InvalidInput(f"symbols is {symbols}, expected at least 3: two symbols form no parallelogram")
    return np.array(list(itertools.combinations_with_replacement(range(symbols), 2)))


def sums(symbols: int) -> np.ndarray:
    """Return the sum of each pair, int64 of shape (pairs,), from 0 to 2 p - 2."""
    return np.asarray(pairs(symbols).sum(1))


@functools.cache
def couples(symbols: int, *, equal: bool = True) -> np.ndarray:
    """Return all couples of pairs with equal sums (the parallelograms), or with unequal ones, as indices (couples, 2).

    With equal sums there are 70 for p = 10.
    """
    total = sums(symbols)
    first, second = np.triu_indices(len(total), 1)
    chosen = (total[first] == total[second]) == equal
    return np.column_stack([first[chosen], second[chosen]])


def rows(symbols: int, chosen: np.ndarray) -> np.ndarray:
    """Return couples of pairs as rows over symbols, ``e_i + e_j - e_m - e_n``: float64 of shape (couples, p)."""
    units = np.eye(symbols)[pairs(symbols)].sum(1)
    return np.asarray(units[chosen[:, 0]] - units[chosen[:, 1]])


def asked(symbols: int, train: np.ndarray) -> np.ndarray:
    """Return the couples of `couples` between training pairs (a mask over pairs, or their indices)."""
    held = np.zeros(len(pairs(symbols)), bool)
    held[train] = True
    every = couples(symbols)
    return every[held[every].all(1)]


def nullity(matrix: np.ndarray) -> int:
    """Return the dimension of the null space of the rows of a matrix (couples, p)."""
    return int(matrix.shape[1] - (np.linalg.matrix_rank(matrix) if len(matrix) else 0))


def implied(symbols: int, train: np.ndarray) -> np.ndarray:
    """Say of each of `couples` whether ``A E = 0`` on the training set makes it hold: bool of shape (couples,).

    These are the rows that lie in the span of the training set's own.
    """
    every, given = rows(symbols, couples(symbols)), rows(symbols, asked(symbols, train))
    if not len(given):
        return np.zeros(len(every), bool)
    _, values, right = np.linalg.svd(given)
    null = right[np.sum(values > 1e-9 * values[0]) :]
    return np.asarray(np.abs(every @ null.T).max(1) < 1e-9)


def reach(symbols: int, train: np.ndarray, realised: np.ndarray) -> np.ndarray:
    """Return the share of pairs that are trained on, or linked to one that is by a realised parallelogram.

    Parameters
    ----------
    train : array of bool, shape (..., pairs)
    realised : array of bool, shape (..., couples)
    """
    first, second = couples(symbols).T
    linked = train.copy()
    for one, other in ((first, second), (second, first)):
        *rows, couple = np.nonzero(realised & train[..., other])
        linked[*rows, one[couple]] = True
    return np.asarray(linked.mean(-1))


def standardised(embedding: np.ndarray) -> np.ndarray:
    """Return an embedding (..., p, d) with zero mean and unit variance (of p - 1 degrees) in each dimension."""
    centred = embedding - embedding.mean(-2, keepdims=True)
    spread = centred.std(-2, ddof=1, keepdims=True)
    return np.asarray(centred / np.maximum(spread, np.finfo(float).tiny))


def gaps(embedding: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return ``|E_i + E_j - E_m - E_n|^2 / d`` of the standardised embedding (..., p, d): shape (..., couples)."""
    sides = standardised(embedding)[..., pairs(embedding.shape[-2]), :].sum(-2)
    return np.asarray(np.square(sides[..., chosen[:, 0], :] - sides[..., chosen[:, 1], :]).mean(-1))


def quality(embedding: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """Return the representation quality index (RQI), the share of parallelograms that are realised: shape (...)."""
    return np.asarray((gaps(embedding, couples(embedding.shape[-2])) < tolerance).mean(-1))


# -- The effective loss ------------------------------------------------------------------------------------------------


def grokking_rate(symbols: int, train: np.ndarray, square_norm: float | None = None) -> float:
    """Return ``lambda_3``, the slowest rate at which the effective loss brings a training set's parallelograms about.

    The effective loss is ``|A E|^2 / (q Z)`` with q parallelograms asked for and ``Z = sum_k |E_k - mean|^2``. Near its
    minima it is ``E' H E / 2`` with Hessian ``H = 2 A'A / (q Z)``, whose eigenvalues are 0 twice (shift and scale) and
    then ``lambda_3, ...``. It is 0 where the training set leaves more than one line (nullity above 2).

    Parameters
    ----------
    square_norm : float, optional
        Z; by default p - 1, that of a standardised embedding.
    """
    given = rows(symbols, asked(symbols, train))
    if nullity(given) > 2:
        return 0.0
    scale = symbols - 1 if square_norm is None else square_norm
    return float(2 * np.linalg.eigvalsh(given.T @ given)[2] / (len(given) * scale))


# -- The critical size -------------------------------------------------------------------------------------------------


def critical_size(symbols: int, order: np.ndarray, labels: np.ndarray | None = None) -> int:
    """Return how many pairs, taken in an order, it needs for the nullity, which only falls with size, to be 2 or less.

    Parameters
    ----------
    order : array of int, shape (pairs,)
    labels : array of int, shape (pairs,), optional
        What counts as a pair's sum; its own by default, which leave a nullity of 2 in the end. If all pairs leave
        more, the answer is one more than there are pairs.
    """
    units = np.eye(symbols)[pairs(symbols)].sum(1)
    total = sums(symbols) if labels is None else labels

    def dimensions(size: int) -> int:
        taken, label = units[order[:size]], total[order[:size]]
        _, first, group = np.unique(label, return_index=True, return_inverse=True)
        return nullity(taken - taken[first][group])

    low, high = 1, len(units) + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if dimensions(middle) <= 2 else (middle + 1, high)
    return low


def critical_sizes(symbols: int, draws: int, seed: int, *, labels: np.ndarray | None = None) -> np.ndarray:
    """Return the critical size of each of so many random orders of all pairs: int64 of shape (draws,)."""
    number = len(pairs(symbols))
    orders = (randomness.permutation(number, seed, f"order/{draw}") for draw in range(draws))
    return np.array([critical_size(symbols, order, labels) for order in orders])
