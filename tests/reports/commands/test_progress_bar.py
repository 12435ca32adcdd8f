"""How far a command is: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from grokscape.reports.commands import progress_bar
from grokscape.reports.commands.progress_bar import ProgressBar


def shown(updates, *, terminal):
    file = io.StringIO()
    with ProgressBar(Console(file=file, force_terminal=terminal, width=100), "training") as bar:
        for update in updates:
            bar.update(*update)
    return file.getvalue()


def test_lines_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setattr(progress_bar, "INTERVAL", -1.0)
    told = shown([("training", None, "estimating"), ("training", 0.5, "about 3 s to go")], terminal=False)
    assert told.splitlines()[:2] == ["training: estimating", "training: 50 %, about 3 s to go"]


def test_lines_are_seldom():
    assert not shown([("training", share / 10, "soon") for share in range(10)], terminal=False).strip()


@pytest.mark.parametrize(("share", "percent"), [(0.5, "50%"), (1.0, "100%")])
def test_a_bar_on_a_terminal(share, percent):
    told = shown([("line", share, "about 3 s to go")], terminal=True)
    assert "line" in told
    assert percent in told
    assert "about 3 s to go" in told
