"""Every script of the gallery runs without a warning and ends in a figure."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys

import pytest

from grokscape.reports import gallery

SCRIPTS = [module.name for module in pkgutil.iter_modules(gallery.__path__)]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_ends_in_a_figure(name, tmp_path):
    target = tmp_path / "figure.svg"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", f"grokscape.reports.gallery.{name}", str(target)],
        env=os.environ | {"MPLBACKEND": "agg"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert target.read_text().rstrip().endswith("</svg>")
