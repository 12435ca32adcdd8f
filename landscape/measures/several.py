"""Several networks measured by one call: as one tensor (networks, P), or each with its own buffers."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.networks import Network, as_params, network_of

#: Networks to measure: a tensor (networks, P), or any networks (`grokscape.landscape.problem.networks.Network`) in a
#: sequence.
Networks = Tensor | np.ndarray | Iterable[Network]

Measured = TypeVar("Measured", bound=Result)
Options = ParamSpec("Options")


def of_networks(
    *arrays: str, axis: int = 0
) -> Callable[[Callable[Concatenate[Problem, Options], Measured]], Callable[Concatenate[Problem, Options], Measured]]:
    """Let a measure of `params` take networks that have buffers and frozen parameters of their own.

    Networks that have only those of the problem are measured side by side, every other one by itself.

    Parameters
    ----------
    arrays : str
        Fields of the result that have an entry for each network.
    axis : int
        Along which axis.
    """

    def of(
        measure: Callable[Concatenate[Problem, Options], Measured],
    ) -> Callable[Concatenate[Problem, Options], Measured]:
        @functools.wraps(measure)
        def measured(problem: Problem, *arguments: Options.args, **options: Options.kwargs) -> Measured:
            given, report = options.get("params"), options.get("progress")
            if given is None or isinstance(given, Tensor | np.ndarray):
                options["params"] = as_params(problem, given)
                return measure(problem, *arguments, **options)
            groups = _groups(problem, given)
            results = []
            for place, (own, params, _) in enumerate(groups):
                options["params"] = params
                if callable(report):
                    options["progress"] = functools.partial(_part, report, place, len(groups))
                results.append(measure(own, *arguments, **options))
            return _joined(results, arrays, axis, [number for *_, numbers in groups for number in numbers])

        return cast(Callable[Concatenate[Problem, Options], Measured], measured)

    return of


def _part(report: Callable[[float], object], place: int, count: int, share: float) -> None:
    report((place + share) / count)


def _groups(problem: Problem, networks: Any) -> list[tuple[Problem, Tensor, list[int]]]:
    """Return problems, parameters and numbers of networks that can be measured side by side."""
    if isinstance(networks, nn.Module | Mapping | str) or not isinstance(networks, Iterable):
        raise InvalidInput(
            f"params are {networks!r:.60}, expected networks: a tensor (networks, P), or a list of "
            "modules or state dicts"
        )
    found = [network_of(problem, network, f"params[{i}]", finite=False) for i, network in enumerate(networks)]
    if not found:
        raise InvalidInput("params are empty, expected at least one network")
    plain = [number for number, (own, _) in enumerate(found) if own is problem]
    groups = [(problem, torch.stack([found[number][1] for number in plain]), plain)] if plain else []
    return groups + [(own, row[None], [number]) for number, (own, row) in enumerate(found) if own is not problem]


def _joined(results: Sequence[Measured], arrays: Sequence[str], axis: int, numbers: Sequence[int]) -> Measured:
    """Return the results of several groups as one, networks in the order of their numbers."""
    if len(results) == 1:
        return results[0]
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(results[0]):  # type: ignore[arg-type]
        values = [getattr(result, field.name) for result in results]
        first = values[0]
        if field.name in arrays:
            changed[field.name] = np.take(np.concatenate(values, axis), np.argsort(numbers), axis)
        elif isinstance(first, Cost):
            changed[field.name] = sum(values, Cost())
        elif isinstance(first, tuple) and first and isinstance(first[0], Cost):
            changed[field.name] = tuple(sum(each, Cost()) for each in zip(*values, strict=True))
        elif isinstance(first, Result):
            changed[field.name] = _joined(values, arrays, axis, numbers)
    return dataclasses.replace(results[0], **changed)  # type: ignore[type-var]


def with_gaps(result: Measured, good: np.ndarray, *arrays: str) -> Measured:
    """Return a result of some networks as one of all: NaN, or False, for those that were not measured."""
    changed = {}
    for name in arrays:
        some = getattr(result, name)
        whole = np.full((len(good), *some.shape[1:]), False if some.dtype == bool else np.nan, dtype=some.dtype)
        whole[good] = some
        changed[name] = whole
    return dataclasses.replace(result, **changed)  # type: ignore[type-var]


def eigh(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Return eigenvalues, ascending, and eigenvectors of symmetric matrices; NaN for one that is not finite."""
    lost = ~torch.isfinite(matrices).flatten(-2).all(-1)
    values, vectors = torch.linalg.eigh(matrices.masked_fill(lost[..., None, None], 0.0))
    return values.masked_fill(lost[..., None], torch.nan), vectors.masked_fill(lost[..., None, None], torch.nan)
