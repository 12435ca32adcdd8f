"""A folder of one's own, with a file of claims."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.reports.commands.claim_files import MODULE


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(request.config.rootpath), prepend=os.pathsep)
    Path("my_claims.py").write_text(MODULE)
    return tmp_path
