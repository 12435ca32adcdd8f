"""Fresh networks of any architecture, by seed."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.weight_norm import WeightNorm

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.adoption import copied
from grokscape.landscape.problem.networks import network_of

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
        ``initialise(seed=...)``, as Grokscape's own have, by that. The global random state is kept. Magnitudes and
        directions of weight normalisation are those of the fresh weights.

    Raises
    ------
    InvalidInput
        If there is no such method for a parameter that is varied, it leaves one as it was, or a name or shape does not
        fit.
    """
    return _fresh(problem, seed, initialise)[1]


def fresh_networks(
    problem: Problem, seeds: Sequence[int], initialise: Initialise | None = None
) -> tuple[Problem, Tensor]:
    """Return newly initialised networks, shape (seeds, P), and the problem with the buffers that they start with.

    Frozen parameters stay those of the problem; so must those of a network that `initialise` returns.

    Raises
    ------
    InvalidInput
        As `fresh`; or if networks of two seeds are the same, or differ in what they carry besides the parameters.
    """
    found = [_fresh(problem, seed, initialise) for seed in seeds]
    params = torch.stack([row for _, row in found])
    for place, row in enumerate(params):
        for before in range(place):
            if torch.equal(row, params[before]):
                raise InvalidInput(
                    f"the networks drawn for seeds {seeds[before]} and {seeds[place]} are the same, so they are no two "
                    "trainings; pass initialise=, a function that draws from its seed"
                )
    if problem.template is not None and problem.template.training:
        return problem, params  # batch statistics take the place of running ones
    first = found[0][0]
    carried = {name: problem.carried()[name] for name in problem.carried() if name not in first.buffers()}
    for seed, (own, _) in zip(seeds, found, strict=True):
        expected = carried | first.buffers()
        if differing := [name for name, value in own.carried().items() if not torch.equal(value, expected[name])]:
            raise InvalidInput(
                f"the network drawn for seed {seed} has values of its own for {differing[0]!r}, which is not varied, "
                "and networks trained side by side share it; vary it, give it the problem's values, or measure a "
                "Problem for each seed"
            )
    return first, params


def _fresh(problem: Problem, seed: int, initialise: Initialise | None) -> tuple[Problem, Tensor]:
    """Return a fresh network's own problem and its vector."""
    devices = [problem.device] if problem.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        torch.manual_seed(seed)
        drawn = initialise(seed) if initialise is not None else _reset(problem, seed)
    return network_of(problem, drawn, "initialise(seed)" if initialise is not None else "the model drawn anew")


def _reset(problem: Problem, seed: int) -> nn.Module:
    """Return a copy of the module, every part drawn anew."""
    if problem.template is None:
        raise InvalidInput("a function has no initialisation of its own; pass initialise=, a function of the seed")
    module = copied(problem.template)
    varied = {name: parameter for name, parameter in module.named_parameters() if name in problem.layout.shapes}
    for parameter in varied.values():
        parameter.fill_(torch.nan)  # whatever is still so afterwards, nobody has drawn
    own_way = getattr(module, "initialise", None)
    if callable(own_way) and "seed" in inspect.signature(own_way).parameters:
        own_way(seed=seed)
    else:
        for prefix, part in _parts_first("", module):
            own = [f"{prefix}.{name}".lstrip(".") for name, _ in part.named_parameters(recurse=False)]
            _draw(part, [name for name in own if name in varied and varied[name].numel()])
    for name, parameter in module.named_parameters():
        if name in varied and parameter.isnan().any():
            raise InvalidInput(
                f"{name!r} is not drawn by any reset_parameters method of the model, so it would keep its values; pass "
                "initialise=, a function of the seed that returns a fresh model"
            )
        if name not in varied:
            parameter.copy_(problem.carried()[name])
    return module


def _draw(part: Any, own: Sequence[str]) -> None:
    """Draw one part's own parameters, of which those named are varied."""
    if parametrize.is_parametrized(part):
        _draw_parametrised(part)
    elif hasattr(part, "reset_parameters"):
        part.reset_parameters()
        for hook in part._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm):  # it computes the weight that was drawn from two others
                weight = getattr(part, hook.name)
                getattr(part, f"{hook.name}_v").copy_(weight)
                getattr(part, f"{hook.name}_g").copy_(torch.norm_except_dim(weight, 2, hook.dim))
    elif hasattr(part, "_reset_parameters"):  # nn.MultiheadAttention, nn.Transformer
        part._reset_parameters()
    elif own and not isinstance(part, parametrize.ParametrizationList):
        raise InvalidInput(
            f"{type(part).__name__} holds {own[0]!r} and has no reset_parameters method, so it cannot be drawn "
            "anew; pass initialise=, a function of the seed that returns a fresh model"
        )


def _draw_parametrised(part: Any) -> None:
    """Draw a module's weights as if they were not parametrised, and assign them; what cannot be assigned, stays."""
    names, plain_class = list(part.parametrizations), type(part).__bases__[0]
    if not hasattr(plain_class, "reset_parameters"):
        return
    # A copy with the weights themselves as parameters; PyTorch's removal would take them from the original as well.
    plain: Any = object.__new__(plain_class)
    plain.__dict__ = part.__dict__ | {
        "_parameters": part._parameters | {name: nn.Parameter(getattr(part, name).detach().clone()) for name in names},
        "_modules": {name: module for name, module in part._modules.items() if name != "parametrizations"},
    }
    plain.reset_parameters()
    for name in names:
        tensor = plain._parameters[name]
        if not any(True for _ in part.parametrizations[name].buffers()):  # those would belong to another weight
            with contextlib.suppress(NotImplementedError, RuntimeError):
                setattr(part, name, tensor.detach())


def _parts_first(name: str, module: nn.Module, seen: set[nn.Module] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield every module once, after its parts, as they were made: what a whole sets in its parts is to stay."""
    seen = set() if seen is None else seen
    if module not in seen:
        seen.add(module)
        for child, part in module.named_children():
            yield from _parts_first(f"{name}.{child}".lstrip("."), part, seen)
        yield name, module
