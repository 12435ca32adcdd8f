"""The public names exist, have types, and can be listed; importing the packages loads nothing heavy."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import grokscape
from grokscape import landscape, predictions

FACES = [grokscape, landscape, predictions]


@pytest.mark.parametrize("package", FACES, ids=lambda package: package.__name__)
def test_every_public_name_exists_and_is_listed(package):
    assert dir(package) == package.__all__ == sorted(package.__all__)
    for name in package.__all__:
        found = getattr(package, name)
        assert getattr(found, "__name__", name).split(".")[-1] == name
    with pytest.raises(AttributeError, match=r"No .*attribute Nothing"):
        _ = package.Nothing


@pytest.mark.parametrize("package", FACES, ids=lambda package: package.__name__)
def test_no_public_name_stands_twice(package):
    stub = (Path(package.__file__).with_suffix(".pyi")).read_text()
    assert len(re.findall(r"^from ", stub, flags=re.MULTILINE)) == len(package.__all__)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_a_type_checker_knows_every_public_name(tmp_path):
    names = [f"{package.__name__}.{name}" for package in FACES for name in package.__all__]
    program = "\n".join(["import grokscape.landscape, grokscape.predictions", *(f"reveal_type({n})" for n in names)])
    file = tmp_path / "uses.py"
    file.write_text(program)
    root = Path(__file__).parents[1]
    # With a cache of its own, which is none: files given by their paths are other modules to it than packages.
    command = [sys.executable, "-m", "mypy", "--cache-dir", os.devnull, "--config-file", str(root / "pyproject.toml")]
    said = subprocess.run([*command, str(file)], cwd=root, capture_output=True, text=True, check=False).stdout
    revealed = re.findall(r":(\d+): note: Revealed type is \"(.*)\"", said)
    assert len(revealed) == len(names), said
    assert [names[int(line) - 2] for line, kind in revealed if kind == "Any"] == []


def test_the_packages_import_light():
    program = (
        "import sys, grokscape.predictions.pytest_plugin, grokscape.landscape\n"
        "print({'torch', 'pandas', 'scipy', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_nothing_is_imported_by_the_everyday_names_of_the_folders():
    """From the repository's root they are there, as other modules than the package's."""
    program = "import sys, grokscape.reports.cli; print({'landscape', 'predictions', 'reports'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
