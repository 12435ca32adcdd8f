"""A folder of one's own, with a file of claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.paths import PYTHONPATH
from tests.reports.commands.claim_files import MODULE


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", PYTHONPATH)
    Path("my_claims.py").write_text(MODULE)
    return tmp_path
