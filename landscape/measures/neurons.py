"""Which slices of which tensors belong to each unit of a layer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.layout import Layout

#: Tensor name and the axis along which it counts the units.
Part = tuple[str, int]


@dataclass(frozen=True, init=False)
class Neurons:
    """The units of one layer of any module: unit i owns the i-th slice of each tensor named, along the axis given.

    To ablate a unit is to set its slices to zero.

    Parameters
    ----------
    incoming : (str, int), or sequence of them
        Tensors that feed the units, and the axis along which each counts them: ``[("0.weight", 0), ("0.bias", 0)]`` for
        the hidden units between two ``nn.Linear``.
    outgoing : (str, int), or sequence of them, optional
        Tensors that the units feed: ``("2.weight", 1)``.
    """

    incoming: tuple[Part, ...]
    outgoing: tuple[Part, ...]

    def __init__(self, incoming: Part | Iterable[Part], outgoing: Part | Iterable[Part] = ()) -> None:
        object.__setattr__(self, "incoming", _parts(incoming))
        object.__setattr__(self, "outgoing", _parts(outgoing))
        if not self.parts or len(set(self.parts)) < len(self.parts):
            raise InvalidInput(
                f"neurons are made of {list(self.parts)}, expected at least one (tensor, axis), each once"
            )

    @property
    def parts(self) -> tuple[Part, ...]:
        """All that the units own."""
        return self.incoming + self.outgoing

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

    def mask(self, layout: Layout, kept: Tensor, parts: Iterable[Part] | None = None) -> Tensor:
        """Spread one factor a unit, shape (..., units), over the parameters, shape (..., P); differentiable.

        A weight between two of the units (a recurrent one) takes the product of both. By default, factors of all parts;
        where some `parts` are given, the other parameters have the factor 1.
        """
        leading = kept.shape[:-1]
        factors = {name: kept.new_ones(*leading, *shape) for name, shape in layout.shapes.items()}
        for name, axis in self.parts if parts is None else parts:
            factors[name] = factors[name] * self._along(layout, name, axis, kept)
        return torch.cat([factors[name].reshape(*leading, -1) for name in layout.names], -1)

    def weights(self, layout: Layout, vector: Tensor, parts: Iterable[Part]) -> Tensor:
        """Return the slices that each unit owns of some parts, shape (units, weights of each)."""
        tensors = layout.tensors(vector)
        slices = [tensors[name].movedim(axis, 0) for name, axis in parts]
        return torch.cat([part.reshape(len(part), -1) for part in slices], 1)

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


def _parts(parts: Any) -> tuple[Part, ...]:
    parts = tuple(parts)
    if parts and isinstance(parts[0], str):  # a lone one
        parts = (parts,)
    return tuple((str(name), int(axis)) for name, axis in parts)
