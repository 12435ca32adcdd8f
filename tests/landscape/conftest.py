"""Markers of these tests."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, however the tests are started."""
    config.addinivalue_line("markers", "slow: takes more than some twenty seconds")
