"""Steps of optimisers as compiled code: one pass over the parameters of a run.

A new optimiser is one function here, a number for it, and a line in `take`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from grokscape.landscape.fused.compiled import compiled

ADAMW, SGD = range(2)


@dataclass(frozen=True)
class Steps:
    """An optimiser's steps of certain rows, which stay where they are.

    Attributes
    ----------
    kind : int
    rows : ndarray, shape (runs, P)
        Parameters.
    first, second : ndarray, shape (runs, P)
        What the optimiser keeps of each; empty if it keeps less.
    rates : ndarray of float64, shape (runs, hyper-parameters)
        In the order of the optimiser's fields.
    """

    kind: int
    rows: np.ndarray
    first: np.ndarray
    second: np.ndarray
    rates: np.ndarray

    def __call__(self, slopes: Tensor, number: int) -> None:
        """Take a step of every run, given the gradients; `number` is 1 at the first."""
        every(self.kind, self.rows, slopes.numpy(), self.first, self.second, self.rates, number)


@compiled()
def adamw(row, slope, mean, square, rates, number):
    """Take a step of AdamW.

    With the corrections ``c = 1 - beta^number``, the step is ``lr sqrt(c2) / c1 * m / (sqrt(s) + eps sqrt(c2))``, which
    is the usual one with a division less.
    """
    lr, decay, beta1, beta2, eps = rates
    root, kind = np.sqrt(1 - beta2**number), row.dtype.type
    kept, rate, small = kind(1 - lr * decay), kind(lr * root / (1 - beta1**number)), kind(eps * root)
    b1, b2, one = kind(beta1), kind(beta2), kind(1)
    c1, c2 = one - b1, one - b2
    for i in range(row.size):
        g = slope[i]
        m = mean[i] + (g - mean[i]) * c1
        s = square[i] * b2 + g * g * c2
        mean[i] = m
        square[i] = s
        row[i] = row[i] * kept - rate * m / (np.sqrt(s) + small)


@compiled()
def sgd(row, slope, velocity, rates):
    """Take a step of gradient descent with momentum and an L2 term."""
    rate, decay, momentum = row.dtype.type(rates[0]), row.dtype.type(rates[1]), row.dtype.type(rates[2])
    for i in range(row.size):
        v = velocity[i] * momentum + (slope[i] + row[i] * decay)
        velocity[i] = v
        row[i] = row[i] - v * rate


@compiled()
def take(kind, row, slope, first, second, rates, number):
    """Take one step of one run, in place."""
    if kind == ADAMW:
        adamw(row, slope, first, second, (rates[0], rates[1], rates[2], rates[3], rates[4]), number)
    else:
        sgd(row, slope, first, rates)


@compiled()
def every(kind, rows, slopes, first, second, rates, number):
    """Take one step of every run, in place."""
    for run in range(rows.shape[0]):
        take(kind, rows[run], slopes[run], first[run], second[run], rates[run], number)


@compiled()
def project(row, norm):
    """Scale a run's parameters to a norm."""
    total = 0.0
    for i in range(row.size):
        total += np.float64(row[i]) * np.float64(row[i])
    factor = row.dtype.type(norm / np.sqrt(total))
    for i in range(row.size):
        row[i] *= factor
