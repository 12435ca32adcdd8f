"""A loss as it was given, which may refer to the model that it is a loss of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem.references import Within
from grokscape.landscape.twice_differentiable import twice_differentiable


class GivenLoss:
    """A loss of outputs and targets.

    Parameters
    ----------
    function : callable
        ``function(outputs, targets)``.
    originals : mapping of str to Tensor
        The parameters of the model as given, which are never varied.
    buffers : mapping of str to Tensor
        Its buffers.
    training_mode : bool, optional
        How the model shall run if the function calls it; by default as it is.

    Attributes
    ----------
    refers_to_model : bool
        Whether the function refers to the model, or to a part of it.
    holds_model : bool
        Whether its value depends on the parameters in the model that it refers to.
    reads_hooks : bool
        Whether it depends on what hooks have kept of the last call of the model.
    reads_buffers : set of str
        Buffers of the original that it uses as tensors by themselves: another network's cannot take their place.
    """

    def __init__(
        self,
        function: Callable[[Any, Any], Any],
        originals: Mapping[str, Tensor],
        buffers: Mapping[str, Tensor],
        training_mode: bool | None,
    ) -> None:
        self.function, self.originals = function, dict(originals)
        self._within = Within.of(function, originals, buffers, training_mode)
        self.refers_to_model = self.holds_model = self._within is not None
        self.reads_hooks, self.original_buffers = False, dict(buffers)
        self.reads_buffers: set[str] = set()

    @property
    def runs_model(self) -> bool:
        """Whether parameters and buffers have to stand in the model that the function refers to."""
        return self._within is not None

    def forget_model(self, *, buffers: bool) -> None:
        """Take note that the function does not depend on parameters of the model, and maybe not on its buffers."""
        self.holds_model = False
        if buffers:
            self._within = None

    def __call__(self, outputs: Any, targets: Any) -> Any:
        return self.function(outputs, targets)

    def at(self, tensors: Mapping[str, Tensor], outputs: Any, targets: Any, varied_buffers: bool = False) -> Any:
        """Return the loss while these parameters and buffers stand in the model, if the function refers to it."""
        if self._within is None:
            return self.function(outputs, targets)
        with twice_differentiable():
            return self._within.call(tensors, lambda: self.function(outputs, targets), varied_buffers)

    def need_outputs_alone(self, instrument: str) -> None:
        """Refuse a loss that is not a function of outputs and targets alone."""
        if self.holds_model or self.reads_hooks:
            raise InvalidInput(
                f"{instrument} needs a loss of outputs and targets alone, but this one also depends on the model (a "
                "penalty on its weights, a second pass) or on what its hooks keep; leave that part out"
            )
