"""Set before torch starts: one thread, as in the workers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grokscape.landscape.scheduling.worker import ENVIRONMENT

os.environ.update(ENVIRONMENT)

import torch

torch.set_num_threads(1)

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def unknown_machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let every test find nothing known of this machine, and leave nothing."""
    path = tmp_path_factory.getbasetemp() / "costs.json"
    path.unlink(missing_ok=True)
    monkeypatch.setattr("grokscape.landscape.scheduling.calibration.kept_in", lambda *_: path)
    return path
