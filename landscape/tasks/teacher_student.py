"""A network learns from another: values that a teacher with random weights gives to random inputs."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.sharing import shared_data
from grokscape.landscape.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class TeacherStudent(Task, kind="teacher_student"):
    """Regression on a fixed random network with tanh units (Liu, Michaud and Tegmark 2023, arXiv:2210.01117).

    Inputs are standard normal. Every seed has a teacher of its own, with the initialisation of a `Dense` model at scale
    1, so that intervals over seeds are over teachers too.

    Parameters
    ----------
    features, outputs : int
        Dimensions of inputs and values.
    widths : tuple of int
        The teacher's hidden layers.
    examples : int
        How many inputs there are, to train and to test on.
    within : float
        Mean squared error below which an answer counts as correct.
    """

    features: int = 5
    outputs: int = 5
    widths: tuple[int, ...] = (100, 100)
    examples: int = 1000
    within: float = 1e-3

    def words(self) -> str:
        return self.called("outputs of a teacher network")

    def validate(self) -> None:
        for name in ("features", "outputs", "examples"):
            if getattr(self, name) < 1:
                self.refuse(name, "at least 1")
        if not self.widths or min(self.widths) < 1:
            self.refuse("widths", "at least one width, each at least 1")
        self.refuse_beyond("examples", self.examples)
        for name in ("features", "outputs"):
            self.refuse_beyond(name, self.examples * getattr(self, name))
        sizes = (self.features, *self.widths, self.outputs)
        self.refuse_beyond("widths", sum((1 + a) * b for a, b in itertools.pairwise(sizes)))
        self.refuse_beyond("widths", self.examples * max(self.widths))
        if self.within <= 0:
            self.refuse("within", "a positive number")

    @property
    def n_outputs(self) -> int:
        return self.outputs

    @property
    def tolerance(self) -> float:
        return self.within

    @functools.cached_property
    def size(self) -> int:
        return self.examples  # asked of every run that is planned, for which nobody draws the inputs

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.features,)

    @property
    @shared_data
    def inputs(self) -> Tensor:
        drawn = randomness.generator(0, "teacher/inputs").standard_normal((self.examples, self.features))
        return torch.from_numpy(drawn)

    @property
    def labels(self) -> Tensor:
        return self.labels_of(0)

    def labels_of(self, seed: int) -> Tensor:
        hidden = self.inputs
        for layer, (fan_in, fan_out) in enumerate(itertools.pairwise((self.features, *self.widths, self.outputs))):
            draw = randomness.generator(seed, f"teacher/{layer}").standard_normal((fan_in + 1, fan_out))
            weights = torch.from_numpy(draw * (3 * fan_in) ** -0.5)
            hidden = (hidden.tanh() if layer else hidden) @ weights[1:] + weights[0]
        return hidden
