"""Calling a claim's functions, which are somebody's code, and naming whatever is wrong with what they return."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.printable import short, told
from grokscape.predictions.evidence import Measurement, Observation

#: More runs, or measurements, of one seed than any claim has use for: a generator that does not end.
MOST_RUNS, MOST_MEASUREMENTS = 10_000, 200_000


def asked(name: str, function: Callable[..., Any], *arguments: Any) -> dict[str, Experiment]:
    """Return the runs that a claim's function asks for, by label.

    Raises
    ------
    InvalidInput
        If it returns anything but a mapping (or pairs) of texts to experiments.
    """
    with _staying():
        found = function(*arguments)
        if not isinstance(found, Iterable) or isinstance(found, str):
            raise InvalidInput(f"{name} gives {short(found)}, expected a mapping of label -> experiment")
        pairs = found.items() if isinstance(found, Mapping) else found
        pairs = list(itertools.islice(pairs, MOST_RUNS + 1))
    if len(pairs) > MOST_RUNS:
        raise InvalidInput(f"{name} gives more than {MOST_RUNS} runs for one seed; let it end")
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise InvalidInput(f"{name} gives {short(found)}, expected a mapping of label -> experiment")
        label, experiment = pair
        if not isinstance(label, str):
            raise InvalidInput(f"{name} gives the label {short(label)}, expected a text")
        if not isinstance(experiment, Experiment):
            raise InvalidInput(f"{name} gives {short(experiment)} for the label {label!r}, expected an experiment")
    return dict(pairs)


def measured(function: Callable[..., Any], *arguments: Any, arm: str, seed: int) -> Iterator[Observation]:
    """Yield what a claim's function measures of one seed.

    Raises
    ------
    InvalidInput
        If it yields anything but `Measurement`, or one whose parts are no text and no numbers.
    """
    with _staying():
        found = function(*arguments)
        if not isinstance(found, Iterable):
            raise InvalidInput(f"measure gives {short(found)}, expected Measurements")
        for number, item in enumerate(found):
            if number == MOST_MEASUREMENTS:
                raise InvalidInput(
                    f"measure yields more than {MOST_MEASUREMENTS} measurements for one seed; let it end"
                )
            if not isinstance(item, Measurement):
                raise InvalidInput(f"measure yields {short(item)}, expected a Measurement")
            if not isinstance(item.quantity, str):
                raise InvalidInput(f"a quantity is named {short(item.quantity)}, expected a text")
            value = _number(item.value, f"{item.quantity!r} is")
            at = item.at
            if at is not None and not isinstance(at, int | float):
                at = _number(at, f"{item.quantity!r} is measured at")
            if at is not None and not math.isfinite(at):
                raise InvalidInput(f"{item.quantity!r} is measured at {at}, expected a finite number")
            yield Observation(item.quantity, value, at, bool(item.censored), arm=arm, seed=seed)


def _number(value: Any, what: str) -> float:
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return float(value)
    except OverflowError:
        raise InvalidInput(f"{what} {short(value)}, expected a number that a float can hold") from None
    except (TypeError, ValueError, RuntimeError):
        raise InvalidInput(f"{what} {short(value)}, expected a number") from None


@contextlib.contextmanager
def _staying() -> Iterator[None]:
    """Let nobody's code end this process: what is no `Exception` is an error of the claim, like any other."""
    try:
        yield
    except (Exception, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise RuntimeError(told(error)) from error
