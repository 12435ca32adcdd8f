"""What users get: a wheel in an environment of its own, beside packages of theirs that bear our folders' names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PARTS = (".src", "landscape", "predictions", "reports", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of a fresh environment that holds the wheel, and reads what it needs from this one."""
    folder = tmp_path_factory.mktemp("installed")
    for name in PARTS:  # building leaves files behind
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / "source" / name, symlinks=True)
        else:
            shutil.copy(ROOT / name, folder / "source" / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    run([*pip, "--no-build-isolation", "--wheel-dir", folder, folder / "source"], folder)
    (wheel,) = folder.glob("*.whl")
    run([sys.executable, "-m", "venv", folder / "env"], folder)
    found = folder / "env" / "bin" / "python"
    run([found, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", wheel], folder)
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    # A path in a .pth file is searched, but the .pth files in it, such as that of an editable install, are not read.
    (site / "what_it_needs.pth").write_text(sysconfig.get_paths()["purelib"])
    return found


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Path]:
    """Return a project with everyday packages, which fail if anybody but the project imports their modules."""
    for name in ("landscape", "predictions", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("MINE = True\n")
    (tmp_path / "test_mine.py").write_text(
        "import landscape, predictions, reports\n\n\n"
        "def test_mine():\n    assert landscape.MINE and predictions.MINE and reports.MINE\n"
    )
    return tmp_path


def run(command: list[object], folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="where an environment keeps its packages")
def test_a_wheel_lives_beside_packages_of_the_same_names(python: Path, mine: Path) -> None:
    place = run([python, "-c", "import grokscape, landscape; print(grokscape.__file__, landscape.__file__)"], mine)
    ours, theirs = place.split()
    assert "site-packages" in ours
    assert Path(theirs).parent.parent == mine

    assert "1 passed" in run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider"], mine)
    assert "2 passed" in run(
        [python, "-m", "pytest", "-q", "--grokscape", "quick", "-k", "toy_allocation or mine", "test_mine.py"], mine
    )
    run([python.parent / "grokscape", "check", "varma2023.toy_three_ingredients"], mine)
    assert "toy_three_ingredients" in (mine / "grokscape-report.html").read_text()
    examples = "import grokscape as g; print([getattr(g, name) is not None for name in dir(g)].count(False))"
    assert run([python, "-c", examples], mine).strip() == "0"
