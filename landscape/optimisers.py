"""Optimisers of many runs at once: one row of parameters, and one set of hyper-parameters, per run.

Each step is that of the `torch.optim` class of the same name, row by row (the tests compare them step by step).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.description import Description

if TYPE_CHECKING:
    from grokscape.landscape.fused.steps import Steps

State = dict[str, Tensor]
Rates = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Optimiser(Description, ABC):
    """The frozen description of an optimiser; all of its fields may differ between runs of an ensemble."""

    lr: float

    @classmethod
    def rates(cls, optimisers: Sequence[Optimiser], like: Tensor) -> Rates:
        """Return every hyper-parameter as a column, shape (runs, 1), with dtype and device of `like`."""
        names = [field.name for field in fields(cls)]
        return {name: like.new_tensor([[getattr(o, name)] for o in optimisers]) for name in names}

    @classmethod
    @abstractmethod
    def initial_state(cls, parameters: Tensor) -> State:
        """Return the state before the first step, tensors of shape (runs, parameters)."""

    @classmethod
    @abstractmethod
    def step(cls, parameters: Tensor, gradient: Tensor, state: State, rates: Rates, number: Tensor) -> None:
        """Update `parameters` and `state` in place.

        Parameters
        ----------
        parameters, gradient : Tensor, shape (runs, parameters)
        state : dict of Tensor
        rates : dict of Tensor, shape (runs, 1)
        number : Tensor, shape ()
            1 at the first step; a tensor, because a compiled step would be compiled anew for every other number.
        """

    @classmethod
    def fused(cls, rows: Tensor, state: State, rates: Rates) -> Steps | None:
        """Return compiled code that takes steps of these rows, which stay where they are; None if there is none."""
        return None

    @classmethod
    def columns(cls, rates: Rates) -> np.ndarray:
        """Return hyper-parameters as one matrix (runs, fields), float64."""
        return torch.cat([rates[field.name].double() for field in fields(cls)], dim=1).numpy()

    def validate(self) -> None:
        for name in ("lr", "weight_decay"):
            if getattr(self, name, 0.0) < 0:
                self.refuse(name, "a number that is not negative")


@dataclass(frozen=True, kw_only=True)
class AdamW(Optimiser, kind="adamw"):
    """AdamW with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2).

    Two of its habits matter here. Each weight is bounded by about ``1 / weight_decay``. And once gradients vanish
    below `eps`-free noise, normalised steps go on at full length: with ``weight_decay=0`` and the usual ``eps=1e-8``
    that alone can destroy a solution, so controls without weight decay use ``eps=1e-4`` or plain gradient descent.
    """

    lr: float = 1e-3
    weight_decay: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.98
    eps: float = 1e-8

    def validate(self) -> None:
        super().validate()
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                self.refuse(name, "a number in [0, 1)")
        if self.eps <= 0:
            self.refuse("eps", "a positive number")

    @classmethod
    def initial_state(cls, parameters: Tensor) -> State:
        return {"mean": torch.zeros_like(parameters), "square": torch.zeros_like(parameters)}

    @classmethod
    def step(cls, parameters: Tensor, gradient: Tensor, state: State, rates: Rates, number: Tensor) -> None:
        mean, square = state["mean"], state["square"]
        parameters.mul_(1 - rates["lr"] * rates["weight_decay"])
        mean.lerp_(gradient, 1 - rates["beta1"])
        square.mul_(rates["beta2"]).add_(gradient.square().mul_(1 - rates["beta2"]))
        root = square.sqrt().div_((1 - rates["beta2"] ** number).sqrt()).add_(rates["eps"])
        parameters.sub_((mean / root).mul_(rates["lr"] / (1 - rates["beta1"] ** number)))

    @classmethod
    def fused(cls, rows: Tensor, state: State, rates: Rates) -> Steps:
        from grokscape.landscape.fused.steps import ADAMW, Steps

        return Steps(ADAMW, rows.numpy(), state["mean"].numpy(), state["square"].numpy(), cls.columns(rates))


@dataclass(frozen=True, kw_only=True)
class SGD(Optimiser, kind="sgd"):
    """Gradient descent with heavy-ball momentum; weight decay is an L2 term in the gradient."""

    lr: float = 0.1
    weight_decay: float = 0.0
    momentum: float = 0.0

    def validate(self) -> None:
        super().validate()
        if not 0 <= self.momentum < 1:
            self.refuse("momentum", "a number in [0, 1)")

    @classmethod
    def initial_state(cls, parameters: Tensor) -> State:
        return {"velocity": torch.zeros_like(parameters)}

    @classmethod
    def step(cls, parameters: Tensor, gradient: Tensor, state: State, rates: Rates, number: Tensor) -> None:
        velocity = state["velocity"]
        velocity.mul_(rates["momentum"]).add_(gradient + parameters * rates["weight_decay"])
        parameters.sub_(velocity * rates["lr"])

    @classmethod
    def fused(cls, rows: Tensor, state: State, rates: Rates) -> Steps:
        from grokscape.landscape.fused.steps import SGD as NUMBER
        from grokscape.landscape.fused.steps import Steps

        nothing = rows.new_zeros(len(rows), 0).numpy()
        return Steps(NUMBER, rows.numpy(), state["velocity"].numpy(), nothing, cls.columns(rates))
