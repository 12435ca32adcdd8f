"""Networks of one architecture, stacked and run together through ``torch.func`` (once functorch)."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap


class Stack:
    """Many networks of one architecture, each a row of one matrix of parameters.

    Parameters
    ----------
    template : nn.Module
        Gives the architecture; its own parameters are not used and not changed.

    Attributes
    ----------
    names : list of str
        Parameter names, in the order in which a row holds them.
    """

    def __init__(self, template: nn.Module) -> None:
        self.template = template
        self.shapes = {name: parameter.shape for name, parameter in template.named_parameters()}
        self.names = list(self.shapes)
        self._sizes = [math.prod(shape) for shape in self.shapes.values()]

    def tensors(self, rows: Tensor) -> dict[str, Tensor]:
        """View rows (runs, parameters) as named tensors, each (runs, *shape)."""
        parts = rows.split(self._sizes, dim=1)
        return {name: part.unflatten(1, self.shapes[name]) for name, part in zip(self.names, parts, strict=True)}

    def row(self, tensors: dict[str, Tensor]) -> Tensor:
        """Flatten the named tensors of one network into a row (parameters,)."""
        return torch.cat([tensors[name].reshape(-1) for name in self.names])

    def rows(self, networks: Iterable[dict[str, Tensor]]) -> Tensor:
        """Stack several networks, shape (runs, parameters)."""
        return torch.stack([self.row(network) for network in networks])

    def outputs(self, rows: Tensor, inputs: Tensor, *, shared: bool = False) -> Tensor:
        """Return the outputs of every network, shape (runs, examples, ...).

        Parameters
        ----------
        rows : Tensor, shape (runs, parameters)
        inputs : Tensor
            Shape (runs, examples, ...), or (examples, ...) if all networks see the same (`shared`).
        """

        def forward(parameters: dict[str, Tensor], own: Tensor) -> Tensor:
            return functional_call(self.template, parameters, (own,))

        return vmap(forward, in_dims=(0, None if shared else 0))(self.tensors(rows), inputs)
