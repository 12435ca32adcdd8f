"""Feed-forward networks for compiled code: dense layers on numbers, or on rows that tokens look up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.fused import Fused, Gradient, OfRows
from grokscape.landscape.fused.memory import BOUNDARY, Room, end_to_end, integers, to_boundary

if TYPE_CHECKING:
    from grokscape.landscape.fused.steps import Steps
    from grokscape.landscape.layout import Layout

#: Bytes of what all layers hold of the examples that are computed at once; about what fits a second-level cache.
BLOCK = 2**20

#: Where there are so many, the softmax is faster along examples than along classes (by an eighth of a step; measured).
MANY_OUTPUTS, MANY_EXAMPLES = 16, 200


@dataclass(frozen=True, kw_only=True)
class FeedForward(Fused):
    """Dense layers one after another, an activation between them.

    Parameters
    ----------
    weights : tuple of str
        Names of the layers' weights, (before, after) each. If `tokens`, the first is (positions, rows, neurons), or
        (1, rows, neurons) if all positions share it.
    biases : tuple of str
        Names of their biases; empty if there are none.
    activation : {"relu", "quadratic", "tanh"}
    tokens : bool
        Whether inputs are tokens, one for each position, and the first layer is a sum of rows that they look up.
    embedding : str, optional
        Name of an embedding (tokens, size) which the first layer is applied to; None for one-hot tokens.
    """

    weights: tuple[str, ...]
    biases: tuple[str, ...] = ()
    activation: str
    tokens: bool = False
    embedding: str | None = None

    def gradient(self, layout: Layout, dtype: torch.dtype, loss: str, inputs: Tensor, labels: Tensor) -> OfRows | None:
        from grokscape.landscape.fused import feed_forward_kernel as kernel
        from grokscape.landscape.fused.blas import product_address
        from grokscape.landscape.fused.layers import CROSS_ENTROPY, SQUARED_ERROR

        number = {"cross_entropy": CROSS_ENTROPY, "mse": SQUARED_ERROR}.get(loss)
        if number is None:
            return None
        address = product_address(dtype)
        runs, n = inputs.shape[:2]
        outputs = layout.shapes[self.weights[-1]][-1]
        turned = loss == "cross_entropy" and outputs >= MANY_OUTPUTS and n >= MANY_EXAMPLES
        network, block, work = self.network(layout, dtype, n, turned)
        if self.tokens:
            tokens, numbers = inputs.to(torch.int32).contiguous().numpy(), np.zeros((runs, 0), work.dtype)
        else:
            tokens, numbers = np.zeros((runs, n, 0), np.int32), end_to_end(inputs, dtype)
        if labels.is_floating_point():
            classes, values = np.zeros((runs, n), np.int64), labels.to(dtype).contiguous().numpy()
        else:
            classes, values = labels.contiguous().numpy(), np.zeros((runs, n, 0), work.dtype)
        slopes = torch.zeros(runs, layout.width, dtype=dtype)
        data = (slopes.numpy(), tokens, numbers, classes, values, network, number, n, block, work)

        def gradient(rows: Tensor) -> Tensor:
            kernel.gradients(address, rows.numpy(), *data)
            return slopes

        def train(steps: Steps, norms: np.ndarray, first: int, count: int) -> None:
            given = (steps.kind, steps.first, steps.second, steps.rates)
            kernel.train(address, steps.rows, *data, *given, norms, first, count)

        return Gradient(gradient, train)

    def outputs(self, layout: Layout, dtype: torch.dtype, inputs: Tensor) -> OfRows | None:
        from grokscape.landscape.fused import feed_forward_kernel as kernel
        from grokscape.landscape.fused.blas import product_address

        address, n = product_address(dtype), len(inputs)
        network, block, work = self.network(layout, dtype, n)
        if self.tokens:
            tokens, numbers = inputs.to(torch.int32).contiguous().numpy(), np.zeros((n, 0), work.dtype)
        else:
            tokens, numbers = np.zeros((n, 0), np.int32), inputs.to(dtype).contiguous().numpy()
        size = layout.shapes[self.weights[-1]][-1]

        def outputs(row: Tensor) -> Tensor:
            found = torch.empty(n, size, dtype=dtype)
            kernel.outputs(address, row.numpy(), tokens, numbers, network, block, work, found.numpy())
            return found

        return outputs

    def network(self, layout: Layout, dtype: torch.dtype, n: int, turned: bool = False) -> tuple[Any, int, np.ndarray]:
        """Return the network as the kernel takes it, how many of n examples to compute at once, and memory for it.

        `turned` says whether outputs are computed with examples in columns.
        """
        from grokscape.landscape.fused import feed_forward_kernel as kernel
        from grokscape.landscape.fused.layers import QUADRATIC, RELU, TANH

        slices, first = layout.slices(), layout.shapes[self.weights[0]]
        sizes = [first[-2] if self.embedding or not self.tokens else 0]
        sizes += [layout.shapes[name][-1] for name in self.weights]
        width = to_boundary(sizes[-1], 8)  # rows that are whole vectors are faster
        largest = (2 * sum(sizes[1:-1]) + width) * dtype.itemsize
        block = min(n, max(BOUNDARY, BLOCK // largest // BOUNDARY * BOUNDARY))
        room = Room()
        before = [room.take(block * size) for size in (*sizes[1:-1], width)]
        quadratic = self.activation == "quadratic"  # whose derivative needs what went in
        after = [room.take(block * size) if quadratic else before[i] for i, size in enumerate(sizes[1:-1])]
        back = [room.take(block * size) for size in sizes[1:-1]]
        kind, tables = kernel.INPUTS, [0, 0, 0, 0, 0]
        if self.tokens:
            kind, tables[:2] = kernel.TABLES, first[:2]
        if self.embedding:
            shape = layout.shapes[self.embedding]
            number = first[0] * shape[0] * first[2]
            kind, tables = kernel.EMBEDDED, [first[0], shape[0], slices[self.embedding].start]
            tables += [room.take(number), room.take(number)]
        network = (
            kind,
            {"relu": RELU, "quadratic": QUADRATIC, "tanh": TANH}[self.activation],
            integers(sizes),
            integers([slices[name].start for name in self.weights]),
            integers([slices[name].start for name in self.biases] or [-1] * len(self.weights)),
            integers(tables),
            integers(before),
            integers([*after, 0]),
            integers([*back, 0]),
            width,
            integers([room.take(block), room.take(block)] if turned else []),
        )
        return network, block, room.vector(dtype)
