"""Weighted points smoothed into densities, on a linear or a logarithmic axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from grokscape.landscape.errors import InvalidInput

Axis = Literal["linear", "log"]

#: Standard deviation of the kernel on the logarithmic axis, in decades.
DECADES = 0.15

#: Share of the largest magnitude below which an eigenvalue counts as zero on the logarithmic axis.
SMALLEST = 1e-8


@dataclass(frozen=True)
class Smoothing:
    """How eigenvalues are to be smoothed; the grid and the width follow from the spectrum."""

    axis: Axis
    width: float | None
    steps: int
    points: int

    def place(self, nodes: np.ndarray, weights: np.ndarray, eps: float, size: int) -> Placed:
        """Choose grid and width for spectra with these nodes and weights, each (networks, probes, steps)."""
        heavy = weights > 0
        high = np.where(heavy, nodes, -np.inf).max((1, 2))
        low = np.where(heavy, nodes, np.inf).min((1, 2))
        largest = np.maximum(np.abs(high), np.abs(low))
        largest[largest == 0] = 1.0
        floor = np.zeros_like(largest)
        if self.axis == "log":
            # What a product's rounding makes of a zero eigenvalue is no eigenvalue.
            floor = largest * max(SMALLEST, 8 * size**0.5 * eps)
            low, high = np.log10(floor), np.log10(largest)
            width = np.full_like(low, DECADES if self.width is None else self.width)
        else:
            spread = np.where(high > low, high - low, largest)
            width = 1.25 * spread / self.steps if self.width is None else np.full_like(low, self.width)
        grid = np.linspace(low - 4 * width, high + 4 * width, self.points, axis=1)
        return Placed(self.axis, grid, width, floor)


def smoothing(axis: Axis, width: float | None, steps: int, points: int) -> Smoothing:
    """Return the smoothing asked for, or refuse it."""
    if axis not in ("linear", "log"):
        raise InvalidInput(f"axis is {axis!r}, expected 'linear' or 'log'")
    if width is not None and not 0 < width < np.inf:
        raise InvalidInput(f"width is {width}, expected a positive number, or None for the default")
    return Smoothing(axis, width, steps, points)


@dataclass(frozen=True)
class Placed:
    """A grid (networks, points), kernel widths (networks,), and the smallest magnitudes that count (networks,)."""

    axis: Axis
    grid: np.ndarray
    width: np.ndarray
    floor: np.ndarray

    @property
    def sides(self) -> tuple[str, ...]:
        """Which eigenvalues each density holds."""
        return ("all",) if self.axis == "linear" else ("positive", "negative")

    def evaluate(self, nodes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the means of the kernel and of its square, each (networks, probes, sides, points)."""
        networks, probes, _ = nodes.shape
        first = np.zeros((networks, probes, len(self.sides), self.grid.shape[1]))
        second = np.zeros_like(first)
        for network in range(networks):
            width, grid = self.width[network], self.grid[network, :, None]
            for probe in range(probes):
                values, shares = nodes[network, probe], weights[network, probe]
                for index, side in enumerate(self.sides):
                    keep = np.ones(len(values), bool)
                    if side != "all":
                        signed = values if side == "positive" else -values
                        keep = signed >= self.floor[network]
                    places = values[keep] if side == "all" else np.log10(signed[keep])
                    kernel = np.exp(-0.5 * ((grid - places) / width) ** 2) / (width * (2 * np.pi) ** 0.5)
                    first[network, probe, index] = kernel @ shares[keep]
                    second[network, probe, index] = kernel**2 @ shares[keep]
        return first, second
