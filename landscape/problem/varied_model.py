"""A model as a function of one flat vector of its chosen parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.func import functional_call

from grokscape.landscape.errors import InvalidInput, brief
from grokscape.landscape.layout import Layout
from grokscape.landscape.problem.adoption import adopted, matching, unwrapped
from grokscape.landscape.problem.attributes import Attributes
from grokscape.landscape.problem.containers import copied, emptied, filled, leaves, opaque, tensors
from grokscape.landscape.twice_differentiable import twice_differentiable

Function = Callable[[dict[str, Tensor], Any], Any]


class VariedModel:
    """A private copy of a model, its outputs a function of a vector (P,) of the parameters that are varied.

    See `Problem` for the parameters; what else it computes with, frozen parameters and buffers, it carries along.

    Attributes
    ----------
    template : nn.Module or None
        The copy of a module.
    layout : Layout
        Names and shapes of the varied parameters; tied ones occur once.
    start : Tensor, shape (P,)
        Their values as they were given.
    writes : bool
        Whether model or loss write into their data, and get copies.
    attributes : Attributes
        What the copy held before its first call, besides parameters and buffers.
    puts_back : bool
        Whether calls change these, and every call begins with what was given.
    """

    def __init__(
        self,
        model: nn.Module | Function,
        parameters: Mapping[str, Tensor] | None,
        only: str | Sequence[str] | None,
        training_mode: bool,
    ) -> None:
        self.training_mode, self.writes, self.puts_back = training_mode, False, False
        self._form: Any = None  # how outputs hold their one tensor
        everything = self._adopt(model, parameters, training_mode)
        self.attributes = Attributes(self.template)
        chosen = matching(everything, only)
        self.layout = Layout({name: everything[name].shape for name in chosen})
        if not self.layout.size:
            raise InvalidInput("the chosen parameters have no elements; nothing can be varied")
        kinds = {(everything[name].dtype, everything[name].device) for name in chosen}
        if len(kinds) > 1:
            raise InvalidInput(
                f"parameters have several precisions or devices ({', '.join(sorted(map(str, kinds)))}); convert the "
                "model to one of them, for instance with model.float()"
            )
        ((self.dtype, self.device),) = kinds
        if self.dtype not in (torch.float32, torch.float64):
            raise InvalidInput(
                f"parameters are {self.dtype}, expected torch.float32 or torch.float64: with fewer digits curvature "
                "and small steps are lost, and of complex numbers the imaginary part; convert with model.float()"
            )
        self.start = self.layout.row({name: everything[name].detach() for name in chosen}).clone()
        self._constants = {name: t.detach() for name, t in everything.items() if name not in self.layout.shapes}
        self._buffers = {} if self.template is None else dict(self.template.named_buffers())

    def _adopt(
        self, model: nn.Module | Function, parameters: Mapping[str, Tensor] | None, training_mode: bool
    ) -> dict[str, Tensor]:
        """Take a private copy of the model; return all of its parameters by name."""
        self.template: nn.Module | None = None
        if isinstance(model, nn.Module):
            if parameters is not None:
                raise InvalidInput("parameters are given beside a module, which has its own; leave them out")
            self.template = adopted(model, training_mode)
            own: dict[str, Tensor] = dict(self.template.named_parameters())
            self._originals: dict[str, Tensor] = dict(zip(own, unwrapped(model).parameters(), strict=True))
            names = dict(self.template.named_buffers())
            self._original_buffers: dict[str, Tensor] = dict(zip(names, unwrapped(model).buffers(), strict=True))
            self._function: Function = self._call_module
            return own
        if not callable(model) or not isinstance(parameters, Mapping) or not parameters:
            raise InvalidInput(
                f"model is {brief(repr(model), 80)}, expected an nn.Module, or a function f(parameters, inputs) "
                "together with parameters={name: tensor}"
            )
        for name, tensor in parameters.items():
            if not isinstance(tensor, Tensor):
                raise InvalidInput(f"parameter {name!r} is {brief(repr(tensor), 60)}, expected a tensor")
        self._function = model
        self._originals, self._original_buffers = dict(parameters), {}
        copies = {name: tensor.detach().clone() for name, tensor in parameters.items()}
        return {name: tensor.requires_grad_(tensor.is_floating_point()) for name, tensor in copies.items()}

    def _call_module(self, parameters: dict[str, Tensor], inputs: Any) -> Any:
        assert self.template is not None
        arguments = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)  # a loader makes lists of tuples
        # Copies: what a module writes into its buffers must not reach the next evaluation.
        parameters = {name: buffer.clone() for name, buffer in self._buffers.items()} | parameters
        if self.puts_back:
            self.attributes.restore()
        with twice_differentiable():
            return functional_call(self.template, parameters, arguments)

    def as_it_is(self, inputs: Any) -> Any:
        """Return the outputs of the module with the tensors that it has itself."""
        assert self.template is not None
        arguments = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
        with twice_differentiable():
            return self._one(self.template(*(copied(arguments) if self.writes else arguments)))

    @property
    def model_function(self) -> Any:
        """What computes the outputs: the copy of a module, or the function given."""
        return self._function if self.template is None else self.template

    def carried(self) -> dict[str, Tensor]:
        """Return what a network has besides the varied parameters, by name: frozen parameters and buffers."""
        return self._constants | self._buffers

    def buffers(self) -> dict[str, Tensor]:
        """Return the buffers by name."""
        return dict(self._buffers)

    def carrying(self, tensors: Mapping[str, Tensor], varied: Sequence[str] = ()) -> Self:
        """Return the same with other frozen parameters and buffers; those named as varied end its vectors."""
        other, known = copy.copy(self), self.carried() | dict(tensors)
        other.layout = Layout(self.layout.shapes | {name: known[name].shape for name in varied})
        other.start = torch.cat([self.start, *(known[name].to(self.start).reshape(-1) for name in varied)])
        other._constants = {name: known[name] for name in self._constants if name not in varied}
        other._buffers = {name: known[name] for name in self._buffers if name not in varied}
        if self.template is not None:
            other._function = other._call_module  # bound to the copy
        return other

    @property
    def size(self) -> int:
        """P, how many numbers can be varied."""
        return self.layout.size

    def everything(self, vector: Tensor) -> dict[str, Tensor]:
        """Return all parameters by name: those of a vector (P,), and those that stay constant."""
        return self._constants | self.layout.tensors(vector)

    def outputs(self, vector: Tensor, inputs: Any) -> Any:
        """Return the model's outputs with the parameters of a vector (P,): the tensor, if they hold just one."""
        return self._one(self._function(self.everything(vector), copied(inputs) if self.writes else inputs))

    def _one(self, outputs: Any) -> Any:
        """Return what outputs hold, if that is just one tensor; how they hold it must stay the same."""
        form, found = emptied(outputs), tensors(outputs)
        if len(found) != 1 or opaque(form) is not None:
            return outputs
        if self._form is None:
            self._form = form
        elif type(form) is not type(self._form) or leaves(form) != leaves(self._form):
            raise InvalidInput(
                f"the model returns {form!r:.80} and, on other data, {self._form!r:.80}; expected that what is no "
                "tensor stays the same, so leave it out"
            )
        return found[0]

    def whole_outputs(self, outputs: Any) -> Any:
        """Return outputs as the model gave them."""
        return outputs if self._form is None else filled(self._form, [outputs])
