"""Networks of one architecture, stacked and run together through ``torch.func`` (once functorch)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from grokscape.landscape.embeddings import RefuseFlags, repaired
from grokscape.landscape.fused.memory import BOUNDARY
from grokscape.landscape.layout import Layout

#: Examples on which to find out whether networks can be run together.
FEW = 8


class Stack(Layout):
    """Many networks of one architecture, each a row of one matrix of parameters.

    They are run together through ``torch.func.vmap``; those for which that has no rule (PyTorch's LSTM and GRU) one
    after another. Embeddings with flags are repaired (`grokscape.landscape.embeddings.repair`). Products of matrices
    round by where they begin in memory; so in a row every parameter begins at a multiple of 64 bytes (of 16 numbers).

    Parameters
    ----------
    template : nn.Module
        Gives the architecture; its own parameters are not used and not changed.
    """

    def __init__(self, template: nn.Module) -> None:
        shapes = {name: parameter.shape for name, parameter in template.named_parameters()}
        super().__init__(shapes, boundary=BOUNDARY)
        self.template = repaired(template)
        self._together: bool | None = None
        self._tried = False

    def outputs(self, params: Tensor, inputs: Tensor, *, shared: bool = False) -> Tensor:
        """Return the outputs of every network, shape (runs, examples, ...).

        Parameters
        ----------
        params : Tensor, shape (runs, parameters)
        inputs : Tensor
            Shape (runs, examples, ...), or (examples, ...) if all networks see the same (`shared`).

        Raises
        ------
        InvalidInput
            If the network calls ``torch.nn.functional.embedding`` with flags that are wrong for several networks.
        """
        if self._together is None:
            self._together = self._can_be_run_together(params, inputs, shared)
        if self._together:
            return vmap(self._forward, in_dims=(0, None if shared else 0))(self.tensors(params), inputs)
        own = [inputs] * len(params) if shared else inputs.unbind(0)
        return torch.stack([self._forward(self.tensors(row), each) for row, each in zip(params, own, strict=True)])

    def output(self, row: Tensor, inputs: Tensor) -> Tensor:
        """Return the outputs of one network, parameters (P,), on inputs (examples, ...); refuses as `outputs` does."""
        if not self._tried:
            self._tried = True
            with RefuseFlags():
                return self._forward(self.tensors(row), inputs)
        return self._forward(self.tensors(row), inputs)

    def _forward(self, parameters: dict[str, Tensor], inputs: Tensor) -> Tensor:
        return functional_call(self.template, parameters, (inputs,))

    def _can_be_run_together(self, params: Tensor, inputs: Tensor, shared: bool) -> bool:
        """Try two of the networks on a few examples, forwards and backwards."""
        leaf = params[:1].detach().repeat(2, 1).requires_grad_()
        few = inputs[:FEW] if shared else inputs[:1, :FEW].repeat(2, *[1] * (inputs.ndim - 1))
        with torch.enable_grad(), RefuseFlags():
            self._forward(self.tensors(leaf[0]), few if shared else few[0])  # errors of its own come through here
            try:
                outputs = vmap(self._forward, in_dims=(0, None if shared else 0))(self.tensors(leaf), few)
                torch.autograd.grad(outputs.sum(), leaf, allow_unused=True)
            except (RuntimeError, NotImplementedError):
                return False
        return True
