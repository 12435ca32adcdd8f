"""Generators of random numbers outside of torch: those of Python and NumPy, global or held by a model or its loss."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from grokscape.landscape.problem.references import reached

if TYPE_CHECKING:
    from grokscape.landscape.problem import Problem

#: Draws among which the smallest and the largest are looked for.
DRAWS = 2000


def generators(problem: Problem) -> dict[str, Any]:
    """Return the generators that a problem's model or loss may draw from, by a name for each."""
    found: dict[int, tuple[str, Any]] = {}
    for part, module in problem.template.named_modules() if problem.template is not None else ():
        for name, value in vars(module).items():
            if _is_generator(value):
                found.setdefault(id(value), (repr(f"{part}.{name}".lstrip(".")), value))
    functions = problem.given_loss.function, problem.model_function
    for thing in (thing for function in functions for thing, _ in reached(function)):
        if _is_generator(thing):
            found.setdefault(id(thing), (f"a {type(thing).__name__} that the model or the loss refers to", thing))
    for module, method in (("Python", random.random), ("NumPy", np.random.random_sample)):
        thing = method.__self__  # type: ignore[attr-defined]
        found[id(thing)] = (f"the global generator of {module}", thing)
    return dict(found.values())


def _is_generator(thing: Any) -> bool:
    if isinstance(thing, random.Random):
        return not isinstance(thing, random.SystemRandom)  # which has no state
    return isinstance(thing, np.random.Generator | np.random.RandomState)


def state(generator: Any) -> Any:
    """Return a generator's state."""
    if isinstance(generator, random.Random):
        return generator.getstate()
    return (
        generator.bit_generator.state
        if isinstance(generator, np.random.Generator)
        else generator.get_state(legacy=False)
    )


def set_state(generator: Any, value: Any) -> None:
    """Put a generator into a state."""
    if isinstance(generator, random.Random):
        generator.setstate(value)
    elif isinstance(generator, np.random.Generator):
        generator.bit_generator.state = value
    else:
        generator.set_state(value)


@contextlib.contextmanager
def put_back(found: dict[str, Any]) -> Iterator[None]:
    """Restore generators afterwards."""
    before = {name: state(generator) for name, generator in found.items()}
    try:
        yield
    finally:
        for name, generator in found.items():
            set_state(generator, before[name])


def extremes(generator: Any) -> Iterator[None]:
    """Put a generator into states in which its next number is very small, or very large, one after the other.

    A part that is left out with a small probability would show in few evaluations; in one of these it shows.
    """
    start = state(generator)
    whole = isinstance(generator, np.random.Generator)
    for draw in (generator.random, *((lambda: generator.integers(2**31),) if whole else ())):
        set_state(generator, start)
        drawn = [draw() for _ in range(DRAWS)]
        for index in (int(np.argmin(drawn)), int(np.argmax(drawn))):
            set_state(generator, start)
            for _ in range(index):
                draw()
            yield
