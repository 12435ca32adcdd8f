"""Loading what a user wants measured: what a function without arguments returns, bound into a subject."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from torch.utils.data import DataLoader, Dataset

from grokscape.landscape import printable
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.networks import Network, as_vector, step_number
from grokscape.reports.model_page.factory import find_factory, functions_in, kind_of
from grokscape.reports.model_page.subject import Subject

EXPECTED = (
    "expected a dict with 'model', 'loss', 'train' and, if there is one, 'test'; a tuple (model, loss, train, test); "
    "or a grokscape.landscape.problem.Problem"
)
#: What a factory's dict may hold beside model, loss, train and test: options of `Problem`, and what is compared.
OPTIONS = ("parameters", "only", "accuracy", "batch_size", "limit", "training_mode")
EXTRAS = ("checkpoints", "other", "initialise", "context")
KEYS = ("model", "loss", "train", "test", *OPTIONS, *EXTRAS)

#: Examples that are stacked at once from a `Dataset`.
STACKED = 1024


def load(target: str) -> Subject:
    """Call the factory that a target names, and bind what it returns.

    Parameters
    ----------
    target : str
        ``path.py:factory`` or ``package.module:factory``.

    Raises
    ------
    InvalidInput
        If there is no such file or function, it raises, or it returns something that cannot be measured.
    """
    place, colon, name = target.rpartition(":")
    if not colon or not name.isidentifier():
        where = target.rstrip(":") if not name or not colon else place
        raise InvalidInput(
            f"TARGET is {target!r}, expected path.py:factory or package.module:factory{functions_in(where)}"
        )
    factory = find_factory(place, name)
    try:
        returned = factory()
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # user code
        raise InvalidInput(f"{name} of {place} raised {one_line(error)}; fix it, or see where with --debug") from error
    return _subject(returned, target, name)


def one_line(error: BaseException) -> str:
    """Return an error in one line: its type, and the beginning of what it says."""
    if isinstance(error, InvalidInput):
        return str(error)
    message = printable.error_text(error).partition(": ")[2]
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    text = lines[0] if lines else ""
    text = text if len(text) <= 300 else f"{text[:299]}…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _subject(returned: Any, target: str, name: str) -> Subject:
    if isinstance(returned, Problem):
        return Subject(returned, target, _model_name(returned))
    if isinstance(returned, tuple):
        if len(returned) not in (3, 4):
            raise InvalidInput(f"{name} returned a tuple of {len(returned)}, {EXPECTED}")
        returned = dict(zip(("model", "loss", "train", "test"), returned, strict=False))
    if not isinstance(returned, Mapping):
        hint = "; does it lack a return?" if returned is None else ""
        raise InvalidInput(f"{name} returned {kind_of(returned)}, {EXPECTED}{hint}")
    parts = dict(returned)
    problem = parts.pop("problem", None)
    if problem is None:
        problem = _problem(parts, name)
    elif not isinstance(problem, Problem):
        raise InvalidInput(
            f"{name} returned {kind_of(problem)} as 'problem', expected a grokscape.landscape.problem.Problem"
        )
    other = parts.get("other")
    if other is not None:
        as_vector(problem, other, f"'other' of {name}")
    return Subject(
        problem,
        target,
        _model_name(problem),
        tuple(_checkpoints(problem, parts.get("checkpoints"), name)),
        other,
        parts.get("initialise"),
        parts.get("context"),
    )


def _problem(parts: Mapping[str, Any], name: str) -> Problem:
    for key in parts:
        if key not in KEYS:
            near = difflib.get_close_matches(str(key), KEYS, n=1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise InvalidInput(f"{name} returned a dict with {key!r}, {meant}expected keys among {', '.join(KEYS)}")
    missing = [key for key in ("model", "loss", "train") if parts.get(key) is None]
    if missing:
        raise InvalidInput(f"{name} returned a dict without {' and '.join(map(repr, missing))}, {EXPECTED}")
    options = {key: parts[key] for key in OPTIONS if key in parts}
    train, test = (_batched(parts.get(split)) for split in ("train", "test"))
    try:
        return Problem(parts["model"], parts["loss"], train, test, **options)
    except InvalidInput as error:
        raise InvalidInput(f"what {name} returned cannot be measured: {error}") from error
    except Exception as error:
        raise InvalidInput(
            f"the model and the loss of {name} do not work on its training data ({one_line(error)}); call "
            "loss(model(inputs), targets) on them"
        ) from error


def _batched(data: Any) -> Any:
    """Return data as they are, or as batches if they come one example at a time."""
    return DataLoader(data, batch_size=STACKED) if isinstance(data, Dataset) else data


def _checkpoints(problem: Problem, given: Any, name: str) -> list[tuple[int, Network]]:
    if given is None:
        return []
    if isinstance(given, Mapping):
        pairs = list(given.items())
    elif isinstance(given, Sequence) and not isinstance(given, str):
        pairs = list(enumerate(given))
    else:
        raise InvalidInput(
            f"{name} returned {kind_of(given)} as 'checkpoints', expected a list of models or of their state dicts, or "
            "a dict of them by step"
        )
    found: list[tuple[int, Network]] = []
    for step, of in pairs:
        try:
            found.append((step_number(step), of))
        except InvalidInput as error:
            raise InvalidInput(
                f"{name} returned a checkpoint of step {step!r:.40}, expected an integer that is not negative"
            ) from error
        as_vector(problem, of, f"checkpoint {step} of {name}", finite=False)
    return sorted(found, key=_first)


def _first(pair: tuple[int, Network]) -> int:
    return pair[0]


def _model_name(problem: Problem) -> str:
    return "a function" if problem.template is None else type(problem.template).__name__
