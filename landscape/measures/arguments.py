"""Arguments of the instruments as plain numbers and words, or refused by name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.optimisers import Optimiser

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


def plain_arguments(instrument: Callable[Arguments, Returned]) -> Callable[Arguments, Returned]:
    """Check an instrument's arguments by their names, which mean the same everywhere, before it works on them.

    Numbers may also be NumPy's or tensors without dimensions, whole ones also floats such as 3.0; True is no number.
    Their range is checked by the instrument itself.
    """
    signature = inspect.signature(instrument)

    @functools.wraps(instrument)
    def checked(*arguments: Arguments.args, **options: Arguments.kwargs) -> Returned:
        bound = signature.bind(*arguments, **options)
        for name, value in bound.arguments.items():
            check = CHECKS.get(name)
            if check is not None and not (value is None and signature.parameters[name].default is None):
                bound.arguments[name] = check(name, value)
        return instrument(*bound.args, **bound.kwargs)

    return checked


def whole(name: str, value: Any) -> int:
    """Return a whole number as an integer."""
    number = _scalar(value)
    if isinstance(number, bool) or not isinstance(number, int | float) or number % 1:
        raise InvalidInput(f"{name} is {value!r:.60}, expected a whole number")
    return int(number)


def seed(name: str, value: Any) -> int:
    """Return a seed: a whole number that is not negative."""
    number = whole(name, value)
    if number < 0:
        raise InvalidInput(f"{name} is {number}, expected a whole number that is not negative")
    return number


def real(name: str, value: Any) -> float:
    """Return a finite number."""
    number = _scalar(value)
    if isinstance(number, bool) or not isinstance(number, int | float) or not np.isfinite(number):
        raise InvalidInput(f"{name} is {value!r:.60}, expected a finite number")
    return number


def flag(name: str, value: Any) -> bool:
    """Return a truth value."""
    if not isinstance(_scalar(value), bool):
        raise InvalidInput(f"{name} is {value!r:.60}, expected True or False")
    return bool(value)


def word(name: str, value: Any) -> str:
    """Return one word."""
    if not isinstance(value, str):
        raise InvalidInput(f"{name} is {value!r:.60}, expected a word in quotes")
    return value


def split(name: str, value: Any) -> str:
    """Return the name of a split."""
    if not isinstance(value, str) or value not in ("train", "test"):
        raise InvalidInput(f"{name} is {value!r:.60}, expected 'train' or 'test'")
    return value


def words(name: str, value: Any) -> list[str]:
    """Return one or several words as a list."""
    found = [value] if isinstance(value, str) else _listed(name, value, "a word or a list of words in quotes")
    for one in found:
        if not isinstance(one, str):
            raise InvalidInput(f"{name} hold {one!r:.60}, expected words in quotes")
    return found


def patterns(name: str, value: Any) -> list[str]:
    """Return one or several glob patterns as a list, not empty."""
    found = words(name, value)
    if not found:
        raise InvalidInput(f"{name} is empty, expected a pattern of names; leave it out for the default")
    return found


def seeds(name: str, value: Any) -> list[int]:
    """Return several seeds as a list."""
    return [seed(name, one) for one in _listed(name, value, "a list of whole numbers")]


def wholes(name: str, value: Any) -> list[int]:
    """Return several whole numbers as a list."""
    return [whole(name, one) for one in _listed(name, value, "a list of whole numbers")]


def reals(name: str, value: Any) -> Any:
    """Return several numbers: a tensor or array as it is, all else as an array."""
    if isinstance(value, Tensor) and value.ndim:
        return value.detach()
    found = value if isinstance(value, np.ndarray) else _listed(name, value, "a list of numbers")
    try:
        return np.array([_scalar(one) for one in found], dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} are {value!r:.60}, expected a list of numbers") from error


def extent(name: str, value: Any) -> Any:
    """Return a number, or a pair of them."""
    number = _scalar(value)
    if isinstance(number, tuple | list | np.ndarray | Tensor) and len(number) == 2:
        return tuple(real(name, one) for one in number)
    return real(name, number)


def several(name: str, value: Any) -> Any:
    """Return several things as a list."""
    return value if isinstance(value, Tensor) and value.ndim else _listed(name, value, "a list")


def tensor(name: str, value: Any) -> Any:
    """Return a tensor of real numbers; networks that are given otherwise, as they are."""
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value.copy()) if value.dtype.kind in "iuf" else value
    if isinstance(value, str | bytes | int | float | complex | np.ndarray | np.generic) or value is None:
        raise InvalidInput(f"{name} are {value!r:.60}, expected networks: a tensor (networks, P)")
    if isinstance(value, Tensor) and (value.is_complex() or value.dtype == torch.bool):
        raise InvalidInput(f"{name} holds {value.dtype}, expected real numbers")
    return value


def indices(name: str, value: Any) -> Tensor:
    """Return a tensor of indices."""
    try:
        found = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidInput(f"{name} are {value!r:.60}, expected indices: a tensor of int64") from error
    if found.is_floating_point() or found.is_complex() or found.dtype == torch.bool or (found < 0).any():
        raise InvalidInput(f"{name} are {value!r:.60}, expected indices: a tensor of int64, none negative")
    return found.long()


def function(name: str, value: Any) -> Any:
    """Return a function."""
    if not callable(value):
        raise InvalidInput(f"{name} is {value!r:.60}, expected a function")
    return value


def optimiser(name: str, value: Any) -> Optimiser:
    """Return an optimiser."""
    if not isinstance(value, Optimiser):
        raise InvalidInput(f"{name} is {value!r:.60}, expected an optimiser such as grokscape.landscape.AdamW(lr=1e-3)")
    return value


def _scalar(value: Any) -> Any:
    """Return a number of NumPy or PyTorch as Python's own, and all else as it is."""
    if isinstance(value, np.generic) or (isinstance(value, Tensor | np.ndarray) and not value.ndim):
        return value.item()
    return value


def _listed(name: str, value: Any, expected: str) -> list[Any]:
    if isinstance(value, str) or not isinstance(value, Iterable) or (isinstance(value, Tensor) and not value.ndim):
        raise InvalidInput(f"{name} are {value!r:.60}, expected {expected}")
    return list(value)


WHOLE = (
    "k", "max_matvecs", "basis", "budget", "probes", "steps", "points", "refine", "chunk_size", "iterations",
    "subspace", "bends", "samples", "record_every",
)  # fmt: skip
REAL = (
    "tolerance", "width", "radius", "adaptive_radius", "box", "smoothness", "fixed_norm", "factor", "kappa", "level",
    "loss", "zero_loss", "stop_loss", "gate", "confidence",
)  # fmt: skip

#: Name of an argument -> how it is checked.
CHECKS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(WHOLE, whole),
    **dict.fromkeys(REAL, real),
    **dict.fromkeys(("negative", "tangential"), flag),
    **dict.fromkeys(("kind", "method", "axis", "curve", "definition"), word),
    **dict.fromkeys(("included", "frozen"), patterns),
    **dict.fromkeys(("scales", "norms"), reals),
    **dict.fromkeys(("progress", "initialise"), function),
    "split": split,
    "forms": words,
    "seed": seed,
    "seeds": seeds,
    "sizes": wholes,
    "extent": extent,
    "directions": several,
    "start": tensor,
    "params": tensor,
    "examples": indices,
    "optimiser": optimiser,
}
