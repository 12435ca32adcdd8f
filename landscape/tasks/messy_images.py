"""Images mixed with what gives their labels away (Liu, Michaud and Tegmark 2023, arXiv:2210.01117)."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import torch
from torch import Tensor

from grokscape.landscape.sharing import shared_data
from grokscape.landscape.tasks.images import Digits, ImageTask
from grokscape.landscape.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class MessyImages(Task, kind="messy_images"):
    """Images of digits, each with a share of its class's grey level: ``x = messiness image + (1 - messiness) level``.

    The level of digit c is ``(c - 4.5) / 9``, the same for all pixels, from -1/2 to 1/2. At messiness 0 an input is its
    label, the best representation there is; at 1 it is the image as it was collected.

    Parameters
    ----------
    of : ImageTask
        Whose examples they are.
    messiness : float
        From 0 to 1.
    """

    of: ImageTask = field(default_factory=Digits)
    messiness: float = 1.0

    def validate(self) -> None:
        if not 0 <= self.messiness <= 1:
            self.refuse("messiness", "a number from 0 to 1")

    @property
    def n_outputs(self) -> int:
        return self.of.n_outputs

    @functools.cached_property
    def size(self) -> int:
        return self.of.size

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.of.input_shape

    @property
    @shared_data
    def inputs(self) -> Tensor:
        level = (self.of.labels.to(torch.float64) - (self.n_outputs - 1) / 2) / (self.n_outputs - 1)
        return self.messiness * self.of.inputs + (1 - self.messiness) * level[:, None]

    @property
    def labels(self) -> Tensor:
        return self.of.labels
