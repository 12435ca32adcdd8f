"""The flat public names exist where they say they live, and importing the packages loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grokscape import landscape, predictions


@pytest.mark.parametrize("package", [landscape, predictions])
def test_every_public_name_exists(package):
    assert package.__all__ == sorted(package.__all__, key=lambda name: (name[0].islower(), name))
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = package.Nothing


def test_the_packages_import_light():
    program = (
        "import sys, grokscape.predictions.pytest_plugin, grokscape.landscape\n"
        "print({'torch', 'pandas', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
