"""Catches sessions that save or report too often, never, or at the wrong address."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grokscape.landscape.records.store import Damaged, Store
from grokscape.landscape.scheduling import session as session_module
from grokscape.landscape.scheduling.session import StoreSession
from tests.landscape.helpers import small_run, train_alone


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(session_module, "time", clock)
    return clock


def test_snapshots_are_wanted_once_an_interval(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    session = StoreSession(Store(tmp_path / "store"), interval=10.0, _saved=clock.now)
    wanted = []
    for _ in range(25):
        clock.now += 1.0
        wanted.append(session.wants_snapshot())
    assert [index for index, want in enumerate(wanted) if want] == [9, 19]


def test_progress_is_reported_at_most_four_times_a_second(tmp_path: Path, clock: Clock) -> None:
    reported: list[float] = []
    session = StoreSession(Store(tmp_path / "store"), progress=reported.append)
    for step in range(100):
        session.report(step / 100)
        clock.now += 0.1
    assert reported[0] == 0.0
    assert reported == sorted(reported)
    assert 30 <= len(reported) <= 40
    StoreSession(Store(tmp_path / "store")).report(0.5)  # nobody to report to


def test_parents_come_from_the_store_and_are_checked(tmp_path: Path) -> None:
    store, run = Store(tmp_path / "store"), small_run(steps=5, keep=(2,))
    session = StoreSession(store)
    with pytest.raises(KeyError, match="no record"):
        session.final_weights(run)
    outcome = train_alone(run)
    store.write(run, outcome, {})
    found = session.final_weights(run)
    assert all(np.array_equal(found[name], array) for name, array in outcome.weights[5].items())
    (store.folder(run) / "weights.safetensors").write_bytes(b"")
    with pytest.raises(Damaged):
        session.final_weights(run)
