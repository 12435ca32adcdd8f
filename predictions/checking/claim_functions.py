"""Calling a claim's functions, which are somebody's code, and naming whatever is wrong with what they return."""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import math
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from grokscape.landscape.errors import InvalidInput, Unavailable
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.printable import error_text, short
from grokscape.landscape.records.store import Damaged
from grokscape.predictions.evidence import Measurement, Observation

#: More runs, or measurements, of one seed than any claim has use for: a generator that does not end.
MOST_RUNS, MOST_MEASUREMENTS = 10_000, 200_000


class ClaimError(RuntimeError):
    """A claim's own function raised something; the message says what, where in its file, and for which seed.

    `__cause__` is what it raised.
    """


class NoMeasurement(InvalidInput):
    """A claim's `measure` gives something other than measurements."""


def asked(name: str, function: Callable[..., Any], *arguments: Any, arm: str, seed: int) -> dict[str, Experiment]:
    """Return the runs that a claim's function asks for, by label.

    Raises
    ------
    InvalidInput
        If it returns anything but a mapping (or pairs) of texts to experiments.
    ClaimError
        If it raises.
    """
    with _placed(function, arm, seed):
        found = function(*arguments)
        if not isinstance(found, Iterable) or isinstance(found, str):
            raise InvalidInput(f"{name} gives {short(found)}, expected a mapping of label -> experiment; {RUNS}")
        pairs = list(itertools.islice(found.items() if isinstance(found, Mapping) else found, MOST_RUNS + 1))
        if len(pairs) > MOST_RUNS:
            raise InvalidInput(f"{name} gives more than {MOST_RUNS} runs for one seed; let it end")
        for pair in pairs:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise InvalidInput(f"{name} gives {short(found)}, expected a mapping of label -> experiment; {RUNS}")
            label, experiment = pair
            if not isinstance(label, str):
                raise InvalidInput(f"{name} gives the label {short(label)}, expected a text")
            if not isinstance(experiment, Experiment):
                raise InvalidInput(f"{name} gives {short(experiment)} for the label {label!r}, expected an experiment")
        if len({label for label, _ in pairs}) < len(pairs):
            raise InvalidInput(f"{name} gives a label twice, expected labels that differ: {short(found)}")
    return dict(pairs)


def measured(function: Callable[..., Any], *arguments: Any, arm: str, seed: int) -> Iterator[Observation]:
    """Yield what a claim's function measures of one seed.

    Raises
    ------
    InvalidInput
        If it yields anything but `Measurement`, or one whose parts are no text and no numbers.
    ClaimError
        If it raises.
    """
    with _placed(function, arm, seed):
        found = function(*arguments)
        if not isinstance(found, Iterable):
            raise NoMeasurement(f"measure gives {short(found)}, expected Measurements; {MEASURE}")
        items = iter(found)
    for number in itertools.count():
        with _placed(function, arm, seed, items):
            item = next(items, END)
            if item is END:
                return
            if number == MOST_MEASUREMENTS:
                raise InvalidInput(
                    f"measure yields more than {MOST_MEASUREMENTS} measurements for one seed; let it end"
                )
            observation = _observation(item, arm, seed)
        yield observation


#: Comes after the last thing that was yielded.
END = object()

#: What to do about runs, or a measure, of another form.
RUNS = "return {'a label': Run(...)}"
MEASURE = "yield Measurement('its name', value), once for each number"


def _observation(item: object, arm: str, seed: int) -> Observation:
    if not isinstance(item, Measurement):
        raise NoMeasurement(f"measure yields {short(item)}, expected a Measurement; {MEASURE}")
    if not isinstance(item.quantity, str):
        raise NoMeasurement(f"a quantity is named {short(item.quantity)}, expected a text")
    value = _number(item.value, f"{item.quantity!r} is")
    at = item.at
    if at is not None and (isinstance(at, bool) or not isinstance(at, int | float)):
        at = _number(at, f"{item.quantity!r} is measured at")
    if at is not None and not math.isfinite(at):
        raise InvalidInput(f"{item.quantity!r} is measured at {at}, expected a finite number")
    return Observation(item.quantity, value, at, bool(item.censored), arm=arm, seed=seed)


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
def _placed(function: Callable[..., Any], arm: str, seed: int, running: object = None) -> Iterator[None]:
    """Say of what somebody's code raises where it stands and for which seed; let none of it end this process.

    What is `Unavailable` or a damaged record is nobody's mistake. `running` is the function's generator, if it is one:
    what is wrong with something that it yields is wrong where it stands.
    """
    try:
        yield
    except (Unavailable, Damaged, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        frame = getattr(running, "gi_frame", None)
        standing = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else _defined_at(function)
        file = _raised_at(function, error) or standing
        place = f" ({file}{', ' if file else ''}seed {seed}, arm {short(arm)})"
        if isinstance(error, InvalidInput):  # says itself what is wrong
            raise InvalidInput(f"{error}{place}") from error
        raise ClaimError(f"{error_text(error)}{place}") from error


def said(error: BaseException) -> str:
    """Return what went wrong with a claim, without the names of our own exceptions."""
    return str(error) if isinstance(error, ClaimError | InvalidInput) else error_text(error)


def _raised_at(function: Callable[..., Any], error: BaseException) -> str:
    """Return the last line of a function's own file that led to an error, as ``file.py:12``; "" if there is none.

    Further down only others' code was called: what is wrong is mostly here.
    """
    try:
        home = inspect.getsourcefile(_plain(function))
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == home]
    except TypeError:  # a callable of another kind
        return ""
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""


def _defined_at(function: Callable[..., Any]) -> str:
    """Return where a function begins; "" for a callable of another kind."""
    code = getattr(_plain(function), "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code else ""


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what somebody wrote, without the wrappers around it."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.unwrap(function)
