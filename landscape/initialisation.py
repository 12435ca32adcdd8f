"""Fresh parameters of any module, by seed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from landscape.adoption import copied
from landscape.errors import InvalidInput
from landscape.problem import Problem

#: Seed -> a freshly initialised module, or its parameters by name.
Initialise = Callable[[int], nn.Module | Mapping[str, Tensor]]


def fresh(problem: Problem, seed: int, initialise: Initialise | None = None) -> Tensor:
    """Return newly initialised parameters, shape (P,).

    Parameters
    ----------
    problem : Problem
    seed : int
    initialise : callable, optional
        ``initialise(seed)``, a fresh module of the same architecture or its parameters by name. By default every part
        of the module draws anew by its own ``reset_parameters``, under this seed; a module with a method
        ``initialise(seed=...)``, as Grokscape's own have, by that. The global random state is kept.

    Raises
    ------
    InvalidInput
        If there is no such method for a parameter that is varied, or a name or shape does not fit.
    """
    devices = [problem.device] if problem.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        torch.manual_seed(seed)
        drawn = initialise(seed) if initialise is not None else _reset(problem, seed)
        tensors = dict(drawn.named_parameters()) if isinstance(drawn, nn.Module) else dict(drawn)
    for name, shape in problem.layout.shapes.items():
        if name not in tensors or tensors[name].shape != shape:
            found = tuple(tensors[name].shape) if name in tensors else "nothing"
            raise InvalidInput(f"initialise returned {found} for parameter {name!r}, expected shape {tuple(shape)}")
    return problem.layout.row({n: t.detach().to(problem.device, problem.dtype) for n, t in tensors.items()})


def _reset(problem: Problem, seed: int) -> nn.Module:
    """Return a copy of the module, every part drawn anew."""
    if problem.template is None:
        raise InvalidInput("a function has no initialisation of its own; pass initialise=, a function of the seed")
    module = copied(problem.template)
    own_way = getattr(module, "initialise", None)
    if callable(own_way) and "seed" in inspect.signature(own_way).parameters:
        own_way(seed=seed)
        return module
    for prefix, part in _parts_first("", module):
        own = [f"{prefix}.{name}".lstrip(".") for name, _ in part.named_parameters(recurse=False)]
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
        elif hasattr(part, "_reset_parameters"):  # nn.MultiheadAttention, nn.Transformer
            part._reset_parameters()
        elif any(problem.layout.shapes[name].numel() for name in own if name in problem.layout.shapes):
            raise InvalidInput(
                f"{type(part).__name__} holds {own[0]!r} and has no reset_parameters method, so it cannot be drawn "
                "anew; pass initialise=, a function of the seed that returns a fresh model"
            )
    return module


def _parts_first(name: str, module: nn.Module, seen: set[nn.Module] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield every module once, after its parts, as they were made: what a whole sets in its parts is to stay."""
    seen = set() if seen is None else seen
    if module not in seen:
        seen.add(module)
        for child, part in module.named_children():
            yield from _parts_first(f"{name}.{child}".lstrip("."), part, seen)
        yield name, module
