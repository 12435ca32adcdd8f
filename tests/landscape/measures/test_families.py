"""What the faces of the families of instruments promise."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

from grokscape.landscape import measures

FAMILIES = [module.name for module in pkgutil.iter_modules(measures.__path__) if module.ispkg]


@pytest.mark.parametrize("family", FAMILIES)
def test_no_file_of_a_family_bears_the_name_of_a_function_of_its_face(family: str) -> None:
    """Otherwise the file would shadow the function, or the function the file, by the order of imports."""
    face = importlib.import_module(f"{measures.__name__}.{family}")
    files = {module.name for module in pkgutil.iter_modules(face.__path__)}
    functions = {name for name, thing in vars(face).items() if inspect.isfunction(thing)}
    assert functions
    assert not files & functions


@pytest.mark.parametrize("family", FAMILIES)
def test_a_face_holds_what_its_own_files_or_their_neighbours_define(family: str) -> None:
    face = importlib.import_module(f"{measures.__name__}.{family}")
    for name, thing in vars(face).items():
        if inspect.isfunction(thing) or inspect.isclass(thing):
            assert thing.__module__.startswith(measures.__name__), name
            assert thing.__doc__, name
