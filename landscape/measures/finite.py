"""Derivatives that are not numbers, which no instrument measures with."""

from __future__ import annotations

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput, brief
from grokscape.landscape.problem import Problem


def need_finite(problem: Problem, params: Tensor, found: Tensor, what: str) -> None:
    """Refuse derivatives (1, P) of the loss at the weights (1, P) of one network that are not all finite.

    Of several networks, one whose derivatives are not finite has NaN for its values, and takes no other with it.

    Parameters
    ----------
    problem : Problem
    params, found : Tensor, shape (1, P)
    what : str
        What the derivatives are called.

    Raises
    ------
    InvalidInput
        If so; the message names the parameters.
    """
    if torch.isfinite(found.sum()):  # in no memory; a sum of finite numbers that overflows is looked at below
        return
    finite = torch.isfinite(found)
    if finite.all():
        return
    if not torch.isfinite(params).all():
        raise InvalidInput("the weights hold NaN or infinite numbers; measure an earlier checkpoint")
    parts = problem.layout.tensors(finite[0])
    names = [name for name, part in parts.items() if not part.all()]
    raise InvalidInput(
        f"{what} of the loss are not finite at the given weights, for {brief(', '.join(names))}; look for sqrt, norm, "
        "std or a power at 0, and add a small constant there"
    )
