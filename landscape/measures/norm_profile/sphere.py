"""Which parameters are held at a norm, which are constant, and which are free."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem import Problem


class Sphere:
    """Which parameters are held at a norm, which are constant, and which are free."""

    def __init__(
        self, problem: Problem, included: str | Sequence[str] | None = None, frozen: str | Sequence[str] | None = None
    ) -> None:
        names = problem.layout.names
        constant = _matching("frozen", frozen, names) if frozen is not None else set()
        held = _matching("included", included, names) if included is not None else set(names) - constant
        if both := sorted(held & constant):
            raise InvalidInput(f"{both[0]!r} is both included and frozen; take it out of one of the two")
        spans = problem.layout.slices()
        self.included = torch.zeros(problem.size, dtype=torch.bool, device=problem.device)
        self.constant = torch.zeros_like(self.included)
        for name in held:
            self.included[spans[name]] = True
        for name in constant:
            self.constant[spans[name]] = True
        if not self.included.any():
            raise InvalidInput("no included parameter is left to hold at a norm; change included= or frozen=")
        self.any_constant = bool(constant)
        self._whole = bool(self.included.all())
        self._factor = self.included.to(problem.start)

    def norm(self, params: Tensor) -> Tensor:
        """Return the norm of the included parameters, shape (networks, 1)."""
        return (params if self._whole else params * self._factor).norm(dim=1, keepdim=True)

    def onto(self, params: Tensor, radius: Tensor) -> Tensor:
        """Rescale the included parameters in place to a radius (networks, 1)."""
        scale = radius / self.norm(params)
        return params.mul_(scale if self._whole else torch.where(self.included, scale, 1.0))

    def tangent(self, params: Tensor, gradient: Tensor) -> Tensor:
        """Return the part of a gradient (networks, P) that the constraints leave."""
        held = params if self._whole else params * self._factor
        radial = torch.linalg.vecdot(gradient, held) / torch.linalg.vecdot(held, held)
        along = torch.addcmul(gradient, held, radial[:, None], value=-1)
        return along.masked_fill_(self.constant, 0.0) if self.any_constant else along

    def residual(self, params: Tensor, gradient: Tensor) -> Tensor:
        """Return the length of that part per radian, shape (networks,)."""
        return (self.tangent(params, gradient).norm(dim=1, keepdim=True) * self.norm(params)).squeeze(1)


def _matching(field: str, patterns: str | Sequence[str], names: Sequence[str]) -> set[str]:
    """Return the names that match a pattern."""
    found: set[str] = set()
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        matches = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
        if not matches:
            raise InvalidInput(f"{field}={pattern!r} matches no varied parameter; there are {', '.join(names)}")
        found.update(matches)
    return found
