"""What a module keeps between calls outside of its buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from landscape.errors import InvalidInput
from landscape.problem.gradient_check import elsewhere, few_examples
from landscape.problem.references import attributes_read

if TYPE_CHECKING:
    from landscape.problem import Problem


class Memory:
    """The attributes of a module's parts as they were before its first call, lists and dicts with what they held."""

    def __init__(self, module: nn.Module | None) -> None:
        parts = [] if module is None else list(module.modules())
        self._attributes = [(part, _attributes(part)) for part in parts]

    def changed(self) -> list[str]:
        """Return the names of the attributes that are others now."""
        return [
            name
            for part, before in self._attributes
            for name, (value, held) in _attributes(part).items()
            if name not in before or value is not before[name][0] or not _same(held, before[name][1])
        ]

    def restore(self) -> None:
        """Make all attributes what they were."""
        for part, before in self._attributes:
            for name in _attributes(part).keys() - before.keys():
                del vars(part)[name]
            for name, (value, held) in before.items():
                vars(part)[name] = value
                if isinstance(value, list):
                    value[:] = held
                elif isinstance(value, dict):
                    value.clear()
                    value.update(held)


def _attributes(part: nn.Module) -> dict[str, tuple[Any, Any]]:
    own = {name: value for name, value in vars(part).items() if name not in _PLAIN}
    return {name: (value, type(value)(value) if type(value) in (list, dict) else None) for name, value in own.items()}


#: What every module has.
_PLAIN = frozenset(vars(nn.Module()))


def _same(held: Any, before: Any) -> bool:
    if isinstance(held, dict):
        return held.keys() == before.keys() and all(held[key] is before[key] for key in held)
    if isinstance(held, list):
        return len(held) == len(before) and all(a is b for a, b in zip(held, before, strict=True))
    return True


@torch.no_grad()
def refuse_memory(problem: Problem, memory: Memory) -> None:
    """Refuse a module that keeps something of a call: for another, at other weights, or for the loss.

    Raises
    ------
    InvalidInput
        If so; names the attributes.
    """
    names = memory.changed()
    if not names:
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
        memory.restore()
        fresh = float(problem.batch_loss(other, inputs, targets))
    except Exception:  # elsewhere a model may fail
        return
    if abs(used - fresh) > 100 * torch.finfo(problem.dtype).eps * abs(fresh):
        raise InvalidInput(
            f"at the same weights and data the loss is {fresh:.6g}, or {used:.6g} after a call at other weights, which "
            f"the model keeps something of ({', '.join(sorted(set(names))[:5])}); compute it anew in every call"
        )
