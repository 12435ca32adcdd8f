"""Whether what a module keeps between calls, outside of its buffers, reaches another call or the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from landscape.errors import InvalidInput
from landscape.problem.gradient_check import elsewhere, few_examples
from landscape.problem.references import attributes_read

if TYPE_CHECKING:
    from landscape.problem import Problem


@torch.no_grad()
def settle_memory(problem: Problem) -> None:
    """Find out whether a call changes attributes of the module; from then on they are put back before every call.

    So every evaluation is that of the module as it was given. Refused is one that keeps something for another call at
    other weights, or for the loss.

    Raises
    ------
    InvalidInput
        If so; names the attributes.
    """
    names = problem.attributes.changed()
    if not names or problem.puts_back:
        return
    read = (
        sorted(attributes_read(problem.given_loss.function) & set(names)) if problem.given_loss.refers_to_model else []
    )
    if read:
        raise InvalidInput(
            f"the loss reads {', '.join(read)} of the model given, but it is in a copy of it that a call sets them; "
            "return them from forward, as a part of the outputs"
        )
    inputs, targets = few_examples(problem)
    other = elsewhere(problem)
    try:
        used = float(problem.batch_loss(other, inputs, targets))
        problem.attributes.restore()
        fresh = float(problem.batch_loss(other, inputs, targets))
    except Exception:  # elsewhere a model may fail
        used = fresh = 0.0
    problem.puts_back = True
    if abs(used - fresh) > 100 * torch.finfo(problem.dtype).eps * abs(fresh):
        raise InvalidInput(
            f"at the same weights and data the loss is {fresh:.6g}, or {used:.6g} after a call at other weights, which "
            f"the model keeps something of ({', '.join(sorted(set(names))[:5])}); compute it anew in every call"
        )
