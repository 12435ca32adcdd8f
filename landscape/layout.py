"""Named tensors as one flat vector, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor


class Layout:
    """The order in which a flat vector of P numbers holds named tensors.

    Parameters
    ----------
    shapes : mapping of str to sequence of int
        Shape of each tensor, in order. Tensors without elements are allowed.

    Attributes
    ----------
    names : list of str
        In the order in which a vector holds them.
    shapes : dict
    size : int
        P, how many numbers a vector holds.
    """

    def __init__(self, shapes: Mapping[str, torch.Size]) -> None:
        self.shapes = dict(shapes)
        self.names = list(self.shapes)
        self._sizes = [math.prod(shape) for shape in self.shapes.values()]
        self.size = sum(self._sizes)

    def tensors(self, rows: Tensor) -> dict[str, Tensor]:
        """View vectors (..., P) as named tensors, each (..., *shape)."""
        parts = rows.split(self._sizes, dim=-1)
        return {
            # Given as one tuple, because the shape of a single number is empty.
            name: part.reshape((*rows.shape[:-1], *self.shapes[name]))
            for name, part in zip(self.names, parts, strict=True)
        }

    def row(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Flatten the named tensors of one network into a vector (P,)."""
        return torch.cat([tensors[name].reshape(-1) for name in self.names])

    def rows(self, networks: Iterable[Mapping[str, Tensor]]) -> Tensor:
        """Stack several networks, shape (networks, P)."""
        return torch.stack([self.row(network) for network in networks])

    def slices(self) -> dict[str, slice]:
        """Return where each tensor stands in a vector."""
        ends = torch.tensor([0, *self._sizes]).cumsum(0).tolist()
        return {name: slice(ends[i], ends[i + 1]) for i, name in enumerate(self.names)}
