"""Which slices of which tensors belong to each unit of a layer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.layout import Layout


@dataclass(frozen=True)
class Neurons:
    """The units of one layer of any module: unit i owns the i-th slice of each tensor named, along the axis given.

    To ablate a unit is to set its slices to zero.

    Parameters
    ----------
    parts : sequence of (str, int)
        Tensor name and axis, such as ``[("0.weight", 0), ("0.bias", 0), ("2.weight", 1)]`` for the hidden units
        between two linear layers.
    """

    parts: tuple[tuple[str, int], ...]

    def __init__(self, parts: Iterable[tuple[str, int]]) -> None:
        object.__setattr__(self, "parts", tuple((str(name), int(axis)) for name, axis in parts))
        if not self.parts or len(set(self.parts)) < len(self.parts):
            raise InvalidInput(
                f"neurons are made of {list(self.parts)}, expected at least one (tensor, axis), each once"
            )

    def count(self, layout: Layout) -> int:
        """Return how many units there are.

        Raises
        ------
        InvalidInput
            If a tensor is not among the varied ones, has no such axis, or differs from others in its number of units.
        """
        sizes = {}
        for name, axis in self.parts:
            if name not in layout.shapes:
                raise InvalidInput(f"neurons name {name!r}, but the varied parameters are {', '.join(layout.names)}")
            shape = tuple(layout.shapes[name])
            if not -len(shape) <= axis < len(shape):
                raise InvalidInput(
                    f"neurons lie along axis {axis} of {name!r}, whose shape is {shape}; choose its axis"
                )
            sizes[f"{name!r} axis {axis}"] = shape[axis]
        if len(set(sizes.values())) > 1:
            found = ", ".join(f"{size} along {part}" for part, size in sizes.items())
            raise InvalidInput(f"neurons number {found}; expected the same number along each")
        return next(iter(sizes.values()))

    def mask(self, layout: Layout, kept: Tensor) -> Tensor:
        """Spread one factor a unit, shape (..., units), over the parameters, shape (..., P); differentiable.

        A weight between two of the units (a recurrent one) takes the product of both.
        """
        leading = kept.shape[:-1]
        factors = {name: kept.new_ones(*leading, *shape) for name, shape in layout.shapes.items()}
        for name, axis in self.parts:
            factors[name] = factors[name] * self._along(layout, name, axis, kept)
        return torch.cat([factors[name].reshape(*leading, -1) for name in layout.names], -1)

    def norms(self, layout: Layout, vector: Tensor) -> Tensor:
        """Return the L2 norm of each unit's slices, shape (units,)."""
        tensors = layout.tensors(vector)
        squares = vector.new_zeros(self.count(layout))
        for name, axis in self.parts:
            squares = squares + tensors[name].movedim(axis, 0).reshape(len(squares), -1).square().sum(1)
        return squares.sqrt()

    @staticmethod
    def _along(layout: Layout, name: str, axis: int, kept: Tensor) -> Tensor:
        shape = [1] * len(layout.shapes[name])
        shape[axis] = kept.shape[-1]
        return kept.reshape(*kept.shape[:-1], *shape)
