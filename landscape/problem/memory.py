"""Whether what a module keeps between calls, outside of its buffers, reaches another call or the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem.gradient_check import elsewhere, few_examples
from grokscape.landscape.problem.references import attributes_read

if TYPE_CHECKING:
    from grokscape.landscape.problem import Problem


@torch.no_grad()
def settle_memory(problem: Problem) -> None:
    """Find out whether a call changes attributes of the module; from then on they are put back before every call.

    So every evaluation is that of the module as it was given.

    Raises
    ------
    InvalidInput
        If the module keeps something for a call at other weights; names the attributes.
    """
    names = problem.attributes.changed()
    if not names or problem.puts_back:
        return
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


def need_no_reading(problem: Problem) -> None:
    """Refuse a loss that reads what a call leaves behind in the module.

    Raises
    ------
    InvalidInput
        If the loss's own code does so; names the attributes.
    """
    names = set(problem.attributes.changed())
    if not names or problem.template is None or not problem.given_loss.refers_to_model:
        return
    own = {type(part) for part in problem.template.modules()}
    read = sorted(attributes_read(problem.given_loss.function, own) & names)
    if read:
        raise InvalidInput(
            f"the loss reads {', '.join(read)} of the model given, but it is in a copy of it that a call sets them; "
            "return them from forward, as a part of the outputs"
        )
