"""Derivatives that are not numbers, which no instrument measures with."""

from __future__ import annotations

import torch
from torch import Tensor

from landscape.errors import InvalidInput, brief
from landscape.problem import Problem


def need_finite(problem: Problem, rows: Tensor, found: Tensor, what: str, numbers: Tensor | None = None) -> None:
    """Refuse derivatives (networks, P) of the loss at weights (networks, P) that are not all finite.

    Parameters
    ----------
    problem : Problem
    rows, found : Tensor, shape (networks, P)
    what : str
        What the derivatives are called.
    numbers : Tensor, shape (networks,), optional
        What the networks are called, if they are some of several.

    Raises
    ------
    InvalidInput
        If so; says of which network, for which parameters.
    """
    finite = torch.isfinite(found)
    if finite.all():
        return
    network = int((~finite).any(1).nonzero()[0, 0])
    which = ""
    if len(rows) > 1 or numbers is not None:
        which = f" of network {network if numbers is None else int(numbers[network])}"
    if not torch.isfinite(rows[network]).all():
        raise InvalidInput(f"the weights{which} hold NaN or infinite numbers; leave that network out")
    parts = problem.layout.tensors(finite[network])
    names = [name for name, part in parts.items() if not part.all()]
    raise InvalidInput(
        f"{what} of the loss{which} are not finite at the given weights, for {brief(', '.join(names))}; look for sqrt, "
        "norm, std or a power at 0, and add a small constant there"
    )
