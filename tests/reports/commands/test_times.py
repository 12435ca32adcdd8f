"""Catches a check that measures the machine for nothing, or says that it used its cores better than it did."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from grokscape.landscape.scheduling.estimate import Costs
from grokscape.reports.commands import times
from grokscape.reports.commands.times import MEASURING, WORTH_MEASURING, CoreTime, measured_costs, span
from tests.landscape.scheduling.simulated import Pretend

# -- measuring the machine --------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Pretend to measure; leave what was asked for."""
    found: list[dict[str, Any]] = []

    def calibrate(costs: Costs, batches: Any, executor: Any, seconds: float, **how: Any) -> Iterator[int]:
        found.append({"families": [batch[0].family for batch in batches], "workers": executor, "for": seconds, **how})
        for number, batch in enumerate(batches, 1):
            costs.calibrate(batch[0], 1e-9)
            yield number
        costs.seen += 1.0

    monkeypatch.setattr(times, "calibrate", calibrate)
    monkeypatch.setattr(times, "local_executor", lambda workers: contextlib.nullcontext(workers))
    monkeypatch.setattr(times, "available_cores", lambda: 3)
    return found


def wanted(seconds: float, families: str = "abcde") -> list[Pretend]:
    """Return runs that are expected to take so many seconds before anything is known of the machine."""
    runs = [Pretend(family=family, steps=10_000) for family in families]
    return [run.replace(seed=seed) for seed in range(round(seconds / sum(map(Costs().seconds, runs)))) for run in runs]


def costs_of(runs: list[Pretend], device: str = "cpu", compile: bool = False) -> Costs:
    with measured_costs(runs, Console(quiet=True), ["my.py"], device, compile) as costs:
        return costs


def test_what_is_soon_done_is_not_worth_measuring(asked: list[dict[str, Any]]) -> None:
    assert not costs_of(wanted(WORTH_MEASURING / 2)).known
    assert not costs_of([]).known
    assert asked == []


def test_a_long_check_is_preceded_by_a_few_seconds_of_measuring(asked: list[dict[str, Any]]) -> None:
    costs = costs_of(wanted(3 * WORTH_MEASURING), compile=True)
    (how,) = asked
    assert sorted(how["families"]) == list("abcde")
    assert (how["workers"], how["for"], how["modules"]) == (3, MEASURING, ["my.py"])
    assert (how["device"], how["compile"]) == ("cpu", True)
    assert all(costs.is_calibrated(run) for run in wanted(3 * WORTH_MEASURING))


def test_a_machine_is_measured_once(asked: list[dict[str, Any]]) -> None:
    for _ in range(2):
        costs_of(wanted(3 * WORTH_MEASURING))
    assert len(asked) == 1
    costs_of(wanted(6 * WORTH_MEASURING, "abcdef"))
    assert asked[1]["families"] == ["f"]


def test_a_device_has_one_worker_and_few_samples_have_few(asked: list[dict[str, Any]]) -> None:
    costs_of(wanted(3 * WORTH_MEASURING, "xyz"), device="cuda")
    costs_of(wanted(3 * WORTH_MEASURING, "qr"))
    assert [how["workers"] for how in asked] == [1, 2]


# -- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "most", "words"),
    [
        (120, 600, "about 2 min, at most 10 min"),
        (120, 120, "about 2 min"),
        (120, 121, "about 2 min"),  # which reads the same
        (7.5, 3.0, "about 7.5 s"),
        (7.5, 45.2, "about 7.5 s, at most 45 s"),
    ],
)
def test_a_span_says_how_long_and_at_most_how_long_if_that_is_longer(expected: float, most: float, words: str) -> None:
    assert span(expected, most) == words


class Used:
    """The times of a process and its children, and the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
        self.now = 1000.0
        self.own = self.children = 5.0
        monkeypatch.setattr(times, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(times, "os", SimpleNamespace(times=self.times))
        monkeypatch.setattr(times, "available_cores", lambda: cores)

    def times(self) -> SimpleNamespace:
        halves = {"user": self.own / 2, "system": self.own / 2}
        return SimpleNamespace(**halves, children_user=self.children * 0.75, children_system=self.children * 0.25)

    def go_on(self, wall: float, own: float, children: float) -> None:
        self.now, self.own, self.children = self.now + wall, self.own + own, self.children + children


def test_the_share_is_that_of_the_cores_that_the_workers_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """On more cores than workers the check itself has a core of its own, which is not counted."""
    used = Used(monkeypatch, cores=4)
    core_time = CoreTime()
    used.go_on(wall=100, own=30, children=150)
    assert core_time.summary(2) == "2 min of core time in 2 min: 75 % of 2 cores"
    assert core_time.summary(4) == "3 min of core time in 2 min: 45 % of 4 cores"


@pytest.mark.parametrize(("wall", "children"), [(5, 4), (100, 0)])
def test_what_is_short_or_unknown_is_not_told(monkeypatch: pytest.MonkeyPatch, wall: float, children: float) -> None:
    used = Used(monkeypatch, cores=2)
    core_time = CoreTime()
    used.go_on(wall, own=0, children=children)
    assert core_time.summary(2) == ""


def test_no_more_than_everything_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    used = Used(monkeypatch, cores=2)
    core_time = CoreTime()
    used.go_on(wall=100, own=30, children=200)  # of clocks that do not agree
    assert core_time.summary(2).endswith("100 % of 2 cores")
