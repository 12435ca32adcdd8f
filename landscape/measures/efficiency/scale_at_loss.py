"""The smallest scale at which a loss comes down to a level."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput

#: Scales that are looked at first, eight a decade.
SCALES = torch.logspace(-4, 4, 65, dtype=torch.float64)

#: Halvings of a bracket on the log scale: from an eighth of a decade to a relative precision of 1e-13.
HALVINGS = 42


def scale_at_loss(loss_at: Callable[[Tensor], Tensor], level: float, count: int) -> tuple[Tensor, int]:
    """Return for each of several functions the smallest scale c with ``loss(c) = level``.

    Looks at scales from 1e-4 to 1e4, eight a decade, for the first that is at or below the level, and halves the
    interval before it on the log scale.

    Parameters
    ----------
    loss_at : callable
        From one scale for each function, float64 of shape (count,), to their losses (count,).
    level : float
        Positive, and below every loss at the smallest scale.
    count : int

    Returns
    -------
    scales : Tensor, float64, shape (count,)
        NaN where no scale reaches the level.
    evaluations : int
        Losses of one function.

    Raises
    ------
    InvalidInput
        If the level is not positive, or not below the loss of outputs scaled to nothing.
    """
    if not level > 0:
        raise InvalidInput(f"the training loss asked for is {level}, expected a positive number, such as 0.01")
    curve = torch.stack([loss_at(scale.expand(count)).double().cpu() for scale in SCALES])
    if not (curve[0] > level).all():
        raise InvalidInput(
            f"the training loss asked for is {level}, but outputs scaled to nothing have loss "
            f"{float(curve[0].min()):.4g} already; choose a smaller one"
        )
    enough = curve <= level
    reached = enough.any(0)
    first = enough.double().argmax(0).clamp(min=1)
    low, high = SCALES[first - 1].log(), SCALES[first].log()
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = loss_at(middle.exp()).double().cpu() <= level
        low, high = torch.where(below, low, middle), torch.where(below, middle, high)
    scales = torch.where(reached, ((low + high) / 2).exp(), torch.nan)
    return scales, count * (len(SCALES) + HALVINGS)
