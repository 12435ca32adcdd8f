"""Steps of optimisers as compiled code: one pass over the parameters of each run."""

from __future__ import annotations

import numpy as np

from landscape.fused.compiled import compiled


@compiled()
def adamw(rows, slopes, means, squares, kept, beta1, beta2, rate, eps):
    """Take a step of AdamW on every run, in place.

    With the corrections ``c = 1 - beta^step``, of each run one number: ``kept = 1 - lr wd``,
    ``rate = lr sqrt(c2) / c1`` and ``eps sqrt(c2)``, which spares a division.
    """
    one = rows.dtype.type(1)
    for run in range(rows.shape[0]):
        row, slope, mean, square = rows[run], slopes[run], means[run], squares[run]
        keep, b1, b2, r, e = kept[run], beta1[run], beta2[run], rate[run], eps[run]
        c1, c2 = one - b1, one - b2
        for i in range(row.size):
            g = slope[i]
            m = mean[i] + (g - mean[i]) * c1
            s = square[i] * b2 + g * g * c2
            mean[i] = m
            square[i] = s
            row[i] = row[i] * keep - r * m / (np.sqrt(s) + e)


@compiled()
def sgd(rows, slopes, velocities, momentum, decay, rate):
    """Take a step of gradient descent with momentum and an L2 term on every run, in place."""
    for run in range(rows.shape[0]):
        row, slope, velocity = rows[run], slopes[run], velocities[run]
        m, d, r = momentum[run], decay[run], rate[run]
        for i in range(row.size):
            v = velocity[i] * m + (slope[i] + row[i] * d)
            velocity[i] = v
            row[i] = row[i] - v * r
