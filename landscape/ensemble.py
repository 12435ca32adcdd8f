"""Networks of one architecture, stacked and run together through ``torch.func`` (once functorch)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.func import functional_call, vmap

from landscape.layout import Layout


class Stack(Layout):
    """Many networks of one architecture, each a row of one matrix of parameters.

    Parameters
    ----------
    template : nn.Module
        Gives the architecture; its own parameters are not used and not changed.
    """

    def __init__(self, template: nn.Module) -> None:
        super().__init__({name: parameter.shape for name, parameter in template.named_parameters()})
        self.template = template

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
