"""Finding the function that a user names: ``path.py:factory`` or ``package.module:factory``."""

from __future__ import annotations

import ast
import contextlib
import difflib
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.user_modules import import_module


def find_factory(place: str, name: str) -> Callable[[], Any]:
    """Return a function that can be called without arguments.

    Parameters
    ----------
    place : str
        A Python file, or an importable module.
    name : str

    Raises
    ------
    InvalidInput
        If there is none; says what there is.
    """
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
        raise InvalidInput(f"there is no function {name!r} in {place}; {_suggested(found, name)}")
    factory = getattr(module, name)
    if not callable(factory):
        raise InvalidInput(f"{name} in {place} is {kind_of(factory)}, expected a function without arguments")
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


def functions_in(place: str) -> str:
    """Return which functions a file has, without running it; "" if that cannot be found out."""
    path = Path(place)
    if not (place.endswith(".py") and path.is_file()):
        return ""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, OSError):
        return ""
    found = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    return f"; {_suggested(found, '')}"


def _suggested(names: Sequence[str], wanted: str) -> str:
    if not names:
        return "it defines no function; add one that returns a dict with model, loss, train and test"
    near = difflib.get_close_matches(wanted, names, n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"there are: {', '.join(names)}"


def kind_of(value: Any) -> str:
    """Return what something is, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, nn.Module):
        return f"a model ({type(value).__name__})"
    word = type(value).__name__
    return f"{'an' if word[0] in 'aeiouAEIOU' else 'a'} {word}"
