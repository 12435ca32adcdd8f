"""Exponential and hyperbolic tangent without branches, so that compilers turn loops over them into vector instructions.

The mathematical library's functions take one number at a time, up to eight times as long. NaN stays NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from grokscape.landscape.fused.compiled import compiled

# exp(x) = 2^n exp(r) with n = round(x / log 2). Adding 1.5 * 2^23 (2^52 in double precision) rounds: the last bits of
# the sum are n, and shifted to where the exponent stands they are 2^n. log 2 is subtracted in two parts. The
# coefficients for float32 are those of Moshier's Cephes library; for float64 Taylor's are exact enough.
HIGHEST_32, LOWEST_32, SHIFT_32, PER_LOG_32 = map(np.float32, (88.72283, -87.33, 12582912.0, 1 / math.log(2)))
COARSE_32, FINE_32, ONE_32 = map(np.float32, (0.693359375, -2.12194440e-4, 1.0))
A2, A3, A4, A5, A6, A7 = map(
    np.float32, (5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.9875691500e-4)
)
SHIFT_64, PER_LOG_64 = 6755399441055744.0, 1 / math.log(2)
COARSE_64, FINE_64 = 6.93145751953125e-1, 1.42860682030941723212e-6
B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13 = (1 / math.factorial(n) for n in range(2, 14))

# tanh(x) = x p(x^2) / q(x^2), which is 1 up to rounding from the bound on; coefficients are those of the library Eigen.
BOUND_32 = np.float32(7.90531110763549805)
P0, P1, P2, P3, P4, P5, P6 = map(
    np.float32,
    (
        4.89352455891786e-3, 6.37261928875436e-4, 1.48572235717979e-5, 5.12229709037114e-8, -8.60467152213735e-11,
        2.00018790482477e-13, -2.76076847742355e-16,
    ),
)  # fmt: skip
Q0, Q1, Q2, Q3 = map(np.float32, (4.89352518554385e-3, 2.26843463243900e-3, 1.18534705686654e-4, 1.19825839466702e-6))


@intrinsic
def _two_to_the(typing: Any, shifted: Any) -> Any:  # noqa: ARG001
    """Return 2^n for the n in the last bits of a number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        width, place, bias = (32, 23, 127) if shifted == types.float32 else (64, 52, 1023)
        kind = ir.IntType(width)
        bits = builder.shl(builder.bitcast(arguments[0], kind), kind(place))
        return builder.bitcast(builder.add(bits, kind(bias << place)), arguments[0].type)

    return shifted(shifted), generate


def exponential(x):
    """Return ``exp(x)`` to one unit in the last place, the smallest normal number where that underflows."""
    return np.exp(x)


@compiled()
def _exponential_32(x):
    x = x if not x > HIGHEST_32 else HIGHEST_32
    x = x if not x < LOWEST_32 else LOWEST_32
    shifted = x * PER_LOG_32 + SHIFT_32
    n = shifted - SHIFT_32
    r = x - n * COARSE_32
    r = r - n * FINE_32
    tail = ((((A7 * r + A6) * r + A5) * r + A4) * r + A3) * r + A2
    return (tail * r * r + r + ONE_32) * _two_to_the(shifted)


@compiled()
def _exponential_64(x):
    x = x if not x > 709.78 else 709.78
    x = x if not x < -708.39 else -708.39
    shifted = x * PER_LOG_64 + SHIFT_64
    n = shifted - SHIFT_64
    r = x - n * COARSE_64
    r = r - n * FINE_64
    tail = ((((B13 * r + B12) * r + B11) * r + B10) * r + B9) * r + B8
    tail = (((((tail * r + B7) * r + B6) * r + B5) * r + B4) * r + B3) * r + B2
    return (tail * r * r + r + 1.0) * _two_to_the(shifted)


@overload(exponential)
def _exponential(x):
    if x == types.float32:
        return lambda x: _exponential_32(x)
    return (lambda x: _exponential_64(x)) if x == types.float64 else None


def tangent(x):
    """Return ``tanh(x)`` to three units in the last place."""
    return np.tanh(x)


@compiled()
def _tangent_32(x):
    x = x if not x > BOUND_32 else BOUND_32
    x = x if not x < -BOUND_32 else -BOUND_32
    square = x * x
    above = (((((P6 * square + P5) * square + P4) * square + P3) * square + P2) * square + P1) * square + P0
    below = ((Q3 * square + Q2) * square + Q1) * square + Q0
    return x * above / below


@overload(tangent)
def _tangent(x):
    if x == types.float32:
        return lambda x: _tangent_32(x)
    return (lambda x: np.tanh(x)) if x == types.float64 else None
