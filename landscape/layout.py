"""Named tensors as one flat vector, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F


class Layout:
    """The order in which a flat vector of P numbers holds named tensors.

    Parameters
    ----------
    shapes : mapping of str to sequence of int
        Shape of each tensor, in order. Tensors without elements are allowed.
    boundary : int
        Every tensor begins at a multiple of so many numbers; what lies between tensors is zero.

    Attributes
    ----------
    names : list of str
        In the order in which a vector holds them.
    shapes : dict
    size : int
        How many numbers the tensors hold.
    width : int
        P, how many numbers a vector holds: their size and what is between them.
    """

    def __init__(self, shapes: Mapping[str, torch.Size], *, boundary: int = 1) -> None:
        self.shapes = dict(shapes)
        self.names = list(self.shapes)
        self._sizes = [math.prod(shape) for shape in self.shapes.values()]
        self._gaps = [-size % boundary for size in self._sizes]
        self.size = sum(self._sizes)
        self.width = self.size + sum(self._gaps)

    def tensors(self, rows: Tensor) -> dict[str, Tensor]:
        """View vectors (..., P) as named tensors, each (..., *shape)."""
        if self.width > self.size:
            both = [number for pair in zip(self._sizes, self._gaps, strict=True) for number in pair]
            parts = rows.split(both, dim=-1)[::2]
        else:
            parts = rows.split(self._sizes, dim=-1)
        return {
            # Given as one tuple, because the shape of a single number is empty.
            name: part.reshape((*rows.shape[:-1], *self.shapes[name]))
            for name, part in zip(self.names, parts, strict=True)
        }

    def row(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Flatten the named tensors of one network into a vector (P,)."""
        flat = (tensors[name].reshape(-1) for name in self.names)
        return torch.cat([F.pad(part, (0, gap)) for part, gap in zip(flat, self._gaps, strict=True)])

    def rows(self, networks: Iterable[Mapping[str, Tensor]]) -> Tensor:
        """Stack several networks, shape (networks, P)."""
        return torch.stack([self.row(network) for network in networks])

    def slices(self) -> dict[str, slice]:
        """Return where each tensor stands in a vector."""
        found, start = {}, 0
        for name, size, gap in zip(self.names, self._sizes, self._gaps, strict=True):
            found[name] = slice(start, start + size)
            start += size + gap
        return found

    def compact(self, rows: Tensor) -> Tensor:
        """Return vectors (..., P) without what is between their tensors, shape (..., size)."""
        return torch.cat([rows[..., part] for part in self.slices().values()], dim=-1)

    def spread(self, compact: Tensor) -> Tensor:
        """Return vectors as `compact` gave them with what was between their tensors, shape (..., P)."""
        parts = compact.split(self._sizes, dim=-1)
        return torch.cat([F.pad(part, (0, gap)) for part, gap in zip(parts, self._gaps, strict=True)], dim=-1)
