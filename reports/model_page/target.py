"""Loading what a user wants measured: a function without arguments that returns a model, a loss and data."""

from __future__ import annotations

import ast
import contextlib
import difflib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.data import DataLoader, Dataset

from grokscape.landscape import printable
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.initialisation import Initialise
from grokscape.landscape.measures.progress import Context
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.networks import Network, as_vector, step_number
from grokscape.landscape.scheduling.worker import import_module

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


@dataclass(frozen=True)
class Subject:
    """What is measured.

    Attributes
    ----------
    problem : Problem
    target : str
        As the user named it.
    model : str
        The class of the model, in words.
    checkpoints : tuple of (int, network)
        By step, in the order of training; networks as they were given, with their own buffers.
    other : network, or None
        A second network of the same architecture.
    initialise : callable or None
        Draws a fresh model by seed, where the model's own ``reset_parameters`` do not serve.
    context : grokscape.landscape.measures.progress.Context or None
        What some progress measures need.
    """

    problem: Problem
    target: str
    model: str
    checkpoints: tuple[tuple[int, Network], ...] = ()
    other: Network | None = None
    initialise: Initialise | None = None
    context: Context | None = None


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
        raise InvalidInput(f"TARGET is {target!r}, expected path.py:factory or package.module:factory{_offer(where)}")
    factory = _factory(place, name)
    try:
        returned = factory()
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # somebody's code
        raise InvalidInput(f"{name} of {place} raised {told(error)}; mend it, or see where with --debug") from error
    return _subject(returned, target, name)


def told(error: BaseException) -> str:
    """Return an error in one line: its type, and the beginning of what it says."""
    if isinstance(error, InvalidInput):
        return str(error)
    said = printable.told(error).partition(": ")[2]
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    text = lines[0] if lines else ""
    text = text if len(text) <= 300 else f"{text[:299]}…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


# -- Finding the function ----------------------------------------------------------------------------------------------


def _factory(place: str, name: str) -> Callable[[], Any]:
    if place.endswith(".py"):
        path = Path(place)
        if not path.is_file():
            near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.py")], n=1)
            hint = f"did you mean {str(path.with_name(near[0]))!r}?" if near else "give the path of a Python file"
            raise InvalidInput(f"there is no file {place!r}; {hint}")
    elif "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # a console command does not look there by itself
    module = import_module(place)
    if not hasattr(module, name):
        found = [key for key, value in vars(module).items() if _own(module.__name__, key, value)]
        raise InvalidInput(f"there is no function {name!r} in {place}; {_listed(found, name)}")
    factory = getattr(module, name)
    if not callable(factory):
        raise InvalidInput(f"{name} in {place} is {_kind(factory)}, expected a function without arguments")
    needed = _needed(factory)
    if needed:
        raise InvalidInput(
            f"{name} in {place} needs {', '.join(needed)}, expected a function without arguments; give defaults, or "
            "write one that calls it"
        )
    return factory


def _own(module: str, key: str, value: object) -> bool:
    return inspect.isfunction(value) and value.__module__ == module and not key.startswith("_")


def _needed(factory: Callable[..., Any]) -> list[str]:
    """Return the arguments that a function cannot be called without."""
    with contextlib.suppress(TypeError, ValueError):
        return [
            parameter.name
            for parameter in inspect.signature(factory).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
    return []


def _offer(place: str) -> str:
    """Return which functions a file has, without running it."""
    path = Path(place)
    if not (place.endswith(".py") and path.is_file()):
        return ""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, OSError):
        return ""
    found = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    return f"; {_listed(found, '')}"


def _listed(names: Sequence[str], wanted: str) -> str:
    if not names:
        return "it defines no function; add one that returns a dict with model, loss, train and test"
    near = difflib.get_close_matches(wanted, names, n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"there are: {', '.join(names)}"


# -- What it returned --------------------------------------------------------------------------------------------------


def _subject(returned: Any, target: str, name: str) -> Subject:
    if isinstance(returned, Problem):
        return Subject(returned, target, _model_name(returned))
    if isinstance(returned, tuple):
        if len(returned) not in (3, 4):
            raise InvalidInput(f"{name} returned a tuple of {len(returned)}, {EXPECTED}")
        returned = dict(zip(("model", "loss", "train", "test"), returned, strict=False))
    if not isinstance(returned, Mapping):
        hint = "; does it lack a return?" if returned is None else ""
        raise InvalidInput(f"{name} returned {_kind(returned)}, {EXPECTED}{hint}")
    parts = dict(returned)
    problem = parts.pop("problem", None)
    if problem is None:
        problem = _problem(parts, name)
    elif not isinstance(problem, Problem):
        raise InvalidInput(
            f"{name} returned {_kind(problem)} as 'problem', expected a grokscape.landscape.problem.Problem"
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
            f"the model and the loss of {name} do not work on its training data ({told(error)}); call "
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
            f"{name} returned {_kind(given)} as 'checkpoints', expected a list of models or of their state dicts, or "
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


def _kind(value: Any) -> str:
    """Return what something is, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, nn.Module):
        return f"a model ({type(value).__name__})"
    word = type(value).__name__
    return f"{'an' if word[0] in 'aeiouAEIOU' else 'a'} {word}"
