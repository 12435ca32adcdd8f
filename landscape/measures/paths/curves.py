"""Curves between networks, given by pivots: Bezier curves and polygonal chains."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

CurveKind = Literal["bezier", "chain"]


@dataclass(frozen=True)
class Curve:
    """A curve ``gamma(t) = sum_k w_k(t) pivot_k`` for t from 0 to 1, from the first pivot to the last.

    Weights are Bernstein polynomials, or those of straight segments that take equal shares of t (Garipov et al. 2018,
    arXiv:1802.10026, section 3.2). With a `norm`, every point is rescaled to that distance from the origin.

    Attributes
    ----------
    pivots : Tensor, shape (pivots, P)
    kind : {"bezier", "chain"}
    norm : float or None
    carried : int
        How many of the last coordinates are not varied parameters but what the networks carry besides (see
        `grokscape.landscape.problem.networks.on_one_path`).
    """

    pivots: Tensor
    kind: CurveKind = "chain"
    norm: float | None = None
    carried: int = 0

    def of_parameters(self) -> Curve:
        """Return the curve of the varied parameters alone."""
        return Curve(self.pivots[:, : self.pivots.shape[1] - self.carried], self.kind, self.norm)

    @property
    def pieces(self) -> int:
        """How many smooth pieces there are; piece j covers t from ``j / pieces`` to ``(j + 1) / pieces``."""
        return 1 if self.kind == "bezier" else len(self.pivots) - 1

    def piece(self, times: Tensor) -> Tensor:
        """Return the piece on which each t lies, of two the later one, shape (m,)."""
        return (times * self.pieces).long().clamp(0, self.pieces - 1)

    def weights(self, times: Tensor, piece: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return each pivot's weight at each t, its first and its second derivative in t, each (m, pivots)."""
        count = len(self.pivots)
        if self.kind == "chain":
            local = (times * self.pieces - piece)[:, None]
            start, end = (F.one_hot(index, count).to(times.dtype) for index in (piece, piece + 1))
            return (1 - local) * start + local * end, self.pieces * (end - start), torch.zeros_like(start)
        # De Casteljau's scheme on the weights, differentiated as it goes along.
        share, zero = times[:, None], times.new_zeros(len(times), count)
        layers = [(unit.expand_as(zero), zero, zero) for unit in torch.eye(count).to(times)]
        while len(layers) > 1:
            layers = [_between(share, left, right) for left, right in itertools.pairwise(layers)]
        return layers[0]

    def params(self, times: Tensor, piece: Tensor | None = None) -> Tensor:
        """Return the networks at some t, shape (m, P), differentiable in the pivots."""
        params = self.weights(times, self.piece(times) if piece is None else piece)[0] @ self.pivots
        if self.norm is None:
            return params
        return params * (self.norm / torch.linalg.vector_norm(params, dim=1, keepdim=True))

    def motion(self, times: Tensor, piece: Tensor) -> tuple[Tensor, Tensor]:
        """Return the first and second derivative with respect to t, each (m, P), on the piece given."""
        place, speed, bend = (weight @ self.pivots for weight in self.weights(times, piece))
        if self.norm is None:
            return speed, bend
        # With place = n u and |u| = 1: differentiate n u twice, and solve for u' and u''.
        n = torch.linalg.vector_norm(place, dim=1, keepdim=True)
        unit = place / n
        n_speed = (unit * speed).sum(1, keepdim=True)
        turn = (speed - n_speed * unit) / n
        n_bend = (turn * speed + unit * bend).sum(1, keepdim=True)
        return self.norm * turn, self.norm * (bend - n_bend * unit - 2 * n_speed * turn) / n

    def length(self, times: Tensor) -> float:
        """Return the length of the polygon through the points at increasing t: at most that of the curve."""
        total, last = 0.0, self.params(times[:1])
        for time in times[1:].split(1):  # one at a time, because a row may be large
            row = self.params(time)
            total += float(torch.linalg.vector_norm(row - last))
            last = row
        return total if math.isfinite(total) else math.nan


def _between(share: Tensor, left: tuple[Tensor, ...], right: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Return ``(1 - t) left + t right`` with its first and second derivative, from those of left and right."""
    value, first, second = ((1 - share) * a + share * b for a, b in zip(left, right, strict=True))
    return value, first + right[0] - left[0], second + 2 * (right[1] - left[1])
