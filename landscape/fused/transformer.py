"""The one-layer transformer for compiled code."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.fused import Fused, OfRows
from grokscape.landscape.fused.memory import Room, integers, to_boundary

if TYPE_CHECKING:
    from grokscape.landscape.layout import Layout

#: Bytes of what both layers hold of the examples that are computed at once: a quarter of a second-level cache, most of
#: which is for the tables.
BLOCK = 2**19

#: Numbers in the tables that examples look up, at most; far beyond any cache.
TABLES = 2**23


@dataclass(frozen=True, kw_only=True)
class FusedTransformer(Fused):
    """What `grokscape.landscape.models.transformer.TransformerNetwork` computes, in compiled code.

    Examples look up what a token says to the neurons through each head, in place of products with matrices. With many
    positions and heads, or large tables, that would take longer (`pays`), and PyTorch computes.

    Parameters
    ----------
    heads : int
    bias : bool
        Whether there are ``into_bias`` and ``out_bias``.
    """

    heads: int
    bias: bool

    def gradient(self, layout: Layout, dtype: torch.dtype, loss: str, inputs: Tensor, labels: Tensor) -> OfRows | None:
        from grokscape.landscape.fused import transformer_kernel as kernel
        from grokscape.landscape.fused.blas import product_address
        from grokscape.landscape.fused.layers import CROSS_ENTROPY, SQUARED_ERROR

        number = {"cross_entropy": CROSS_ENTROPY, "mse": SQUARED_ERROR}.get(loss)
        if number is None or labels.is_floating_point() or not self.pays(layout):
            return None
        address = product_address(dtype)
        network, block, work = self._network(layout, dtype, inputs.shape[1])
        tokens, classes = inputs.to(torch.int32).contiguous().numpy(), labels.contiguous().numpy()
        errors, slopes = (
            torch.zeros(work.size, dtype=dtype).numpy(),
            torch.zeros(len(inputs), layout.width, dtype=dtype),
        )
        out = slopes.numpy()

        def gradient(rows: Tensor) -> Tensor:
            kernel.gradients(address, rows.numpy(), out, tokens, classes, *network, number, block, work, errors)
            return slopes

        return gradient

    def outputs(self, layout: Layout, dtype: torch.dtype, inputs: Tensor) -> OfRows | None:
        from grokscape.landscape.fused import transformer_kernel as kernel
        from grokscape.landscape.fused.blas import product_address

        if not self.pays(layout):
            return None
        address = product_address(dtype)
        network, block, work = self._network(layout, dtype, len(inputs))
        tokens = inputs.to(torch.int32).contiguous().numpy()

        def outputs(row: Tensor) -> Tensor:
            found = torch.empty(len(tokens), layout.shapes["unembed"][1], dtype=dtype)
            kernel.outputs(address, row.numpy(), tokens, *network, block, work, found.numpy())
            return found

        return outputs

    def pays(self, layout: Layout) -> bool:
        """Say whether looking up takes less than products do."""
        shapes = layout.shapes
        looked_up = (shapes["position"][0] - 1) * self.heads
        numbers = looked_up * (shapes["embed"][0] - 1) * (shapes["into"][1] + shapes["unembed"][1])
        return bool(looked_up <= shapes["embed"][1] and numbers <= TABLES)

    def _network(self, layout: Layout, dtype: torch.dtype, n: int) -> tuple[tuple[Any, ...], int, np.ndarray]:
        """Return the network as the kernel takes it, how many examples to compute at once, and memory to do it in."""
        from grokscape.landscape.fused import transformer_kernel as kernel

        shapes, starts = layout.shapes, {name: span.start for name, span in layout.slices().items()}
        (tokens, width), positions = shapes["embed"], shapes["position"][0]
        columns = [shapes["into"][1], shapes["unembed"][1]]
        padded = [columns[0], to_boundary(columns[1], 8)]  # rows that are whole vectors are faster
        sizes = kernel.Sizes(positions - 1, tokens - 1, self.heads, width, integers(columns), integers(padded))
        names = ("embed", "position", "query", "key", "value", "attended", "out")
        places = kernel.Places(
            **{name: starts[name] for name in names},
            into_bias=starts["into_bias"] if self.bias else -1,
            out_bias=starts["out_bias"] if self.bias else -1,
            layers=integers([starts["into"], starts["unembed"]]),
        )
        blocks = math.ceil(n * (2 * padded[0] + padded[1]) * dtype.itemsize / BLOCK)
        block = min(n, to_boundary(math.ceil(n / blocks)))
        room, rows = Room(), tokens + positions - 1

        def of_sides(*shape: int) -> np.ndarray:
            return integers([room.take(int(np.prod(shape)) * last) for last in padded])

        memory = kernel.Memory(
            keys=room.take(rows * self.heads),
            readout=room.take(columns[0] * padded[1]),
            tables=of_sides(sizes.positions, sizes.tokens, self.heads),
            constant=of_sides(1),
            summed=room.size,
            stream=room.take(rows * width),
            query=room.take(width),
            spread=room.take(width * self.heads),
            to_score=room.take(width * self.heads),
            values=room.take(width * rows),
            before=integers([room.take(width), room.take(width)]),
            merged=of_sides(width),
            mapped=of_sides(self.heads, rows),
            weights=room.take(sizes.positions * self.heads * block),
            totals=room.take(self.heads * block),
            hidden=room.take(block * padded[0]),
            logits=room.take(block * padded[1]),
        )
        return (sizes, places, memory), block, room.vector(dtype)
