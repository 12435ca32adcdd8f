"""A problem whose gradients stay on the sphere of constant norm."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from landscape.measures.sphere import Sphere
from landscape.problem import Problem


class Tangential(Problem):
    """The same losses, with gradients that have no part along the counted parameters.

    At the best direction of a given norm, the gradient does not vanish: it points along the parameters, because a
    larger norm would fit better. Adam divides that remainder by its own size, coordinate by coordinate, and so comes
    to rest elsewhere, where all coordinates are equally large. Without the remainder every optimiser rests where the
    loss is smallest.

    Parameters
    ----------
    problem : Problem
    sphere : Sphere
        Which parameters are counted.
    """

    def __init__(self, problem: Problem, sphere: Sphere) -> None:
        self.__dict__.update(problem.__dict__)
        self._sphere = sphere

    def outputs(self, vector: Tensor, inputs: Any) -> Any:
        norm = self._sphere.norm(vector[None])[0]
        one = norm.detach() / norm  # its slope takes the radial part away
        return super().outputs(torch.where(self._sphere.counted, vector * one, vector), inputs)
