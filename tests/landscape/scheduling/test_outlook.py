"""Catches a wrong time to go, workers that run dry, and cores that serve one half of the goals alone."""

from __future__ import annotations

import itertools
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grokscape.landscape.scheduling.job_reports import JobReport
from grokscape.landscape.scheduling.order import Goal, Queue
from grokscape.landscape.scheduling.outlook import (
    AHEAD,
    HEAD_START,
    PERIOD,
    PERIOD_PER_RUN,
    Clock,
    Outlook,
    UnderWay,
    makespan,
    workers_of,
)
from grokscape.landscape.scheduling.plan import Plan, ancestry
from grokscape.landscape.scheduling.scheduler import Scheduler
from grokscape.landscape.training.stop import Stop
from tests.landscape.scheduling.exact import Exact, chain, runs
from tests.landscape.scheduling.simulated import Pretend, Shelf, Simulation, Truth

STOP = (Stop(quantity="accuracy", above=0.9),)


class Still(Clock):
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time


def outlook(waiting: list[Pretend], workers: int | None = 2, costs: Exact | None = None) -> tuple[Outlook, Still]:
    """Return what is to be expected of runs that are one goal."""
    queue, clock = Queue(costs or Exact(), 10), Still()
    queue.add(waiting)
    queue.aim("goal", Goal(frozenset(run.identity for run in waiting)))
    return Outlook(queue, clock, workers), clock


def report(now: float, seconds: float = 0.0, wall: float = 0.0, **ended: float) -> JobReport:
    return JobReport(0.0, now, seconds, 0.0, wall or seconds, ended)


def jobs(*unders: UnderWay, working: int | None = None) -> dict[Future[Any], UnderWay]:
    """Return jobs as an executor has them, of which so many have begun; all unless it is said."""
    found: dict[Future[Any], UnderWay] = {}
    for number, under in enumerate(unders):
        future: Future[Any] = Future()
        if working is None or number < working:
            future.set_running_or_notify_cancel()
        found[future] = under
    return found


# -- what a job still takes -------------------------------------------------------------------------------------------


def test_a_job_that_has_reported_nothing_takes_all_that_its_runs_take() -> None:
    assert UnderWay("job", runs("a", 3, 4)).left(Exact()) == 12  # type: ignore[arg-type]


def test_a_job_takes_what_is_left_of_it_and_a_little_for_each_record() -> None:
    under, costs = UnderWay("job", runs("a", 2, 50)), Exact()  # type: ignore[arg-type]
    under.report = report(0.6)
    assert under.left(costs) == pytest.approx(0.4 * 100 + 2 * costs.fixed)


def test_runs_that_have_ended_take_nothing_more() -> None:
    """Two of three that may stop have done so: the third goes on alone, at least as far as none has come."""
    batch, costs = runs("a", 3, 50, stop=STOP), Exact()
    under = UnderWay("job", batch, report=report(0.4, **{run.identity: 0.2 for run in batch[:2]}))  # type: ignore[arg-type]
    assert 0 < under.left(costs) < 0.6 * 50 + costs.fixed
    under.report = report(1.0, **{run.identity: 0.2 for run in batch})
    assert under.left(costs) == 0


# -- list scheduling --------------------------------------------------------------------------------------------------


def by_ticks(loads: list[int], waiting: list[int], workers: int) -> int:
    """Let workers take the longest that waits whenever they are free, second by second."""
    left, queue, time = [0] * workers, sorted(loads, reverse=True) + sorted(waiting, reverse=True), 0
    while queue or any(left):
        for worker in range(workers):
            if not left[worker] and queue:
                left[worker] = queue.pop(0)
        left = [max(0, seconds - 1) for seconds in left]
        time += 1
    return time


def best(waiting: list[int], workers: int) -> int:
    """Return the shortest time in which all can be done, found by trying every assignment."""
    return min(
        max(sum(w for w, of in zip(waiting, owners, strict=True) if of == worker) for worker in range(workers))
        for owners in itertools.product(range(workers), repeat=len(waiting))
    )


@pytest.mark.parametrize("seed", range(30))
def test_the_end_is_that_of_workers_who_take_the_longest_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    workers = int(rng.integers(1, 5))
    loads, waiting = (rng.integers(1, 20, size=rng.integers(0, 8)).tolist() for _ in range(2))
    assert makespan(loads, waiting, workers) == by_ticks(loads, waiting, workers)


@pytest.mark.parametrize("seed", range(30))
def test_the_end_is_near_the_best_that_any_assignment_reaches(seed: int) -> None:
    """Graham's bound for the longest first: 4/3 - 1/(3 m)."""
    rng = np.random.default_rng(seed)
    workers = int(rng.integers(1, 4))
    waiting = rng.integers(1, 20, size=rng.integers(1, 8)).tolist()
    optimum = best(waiting, workers)
    assert optimum <= makespan([], waiting, workers) <= (4 / 3 - 1 / (3 * workers)) * optimum + 1e-9


# -- the time to go ---------------------------------------------------------------------------------------------------


def test_the_time_to_go_is_that_of_the_workers_and_passes() -> None:
    expected, clock = outlook(runs("a", 6, 10))
    assert expected.to_go({}) == 30
    assert expected.per_worker({}) == 30
    clock.time = PERIOD / 2
    assert expected.to_go({}) == 30 - PERIOD / 2
    clock.time = PERIOD + 6 * PERIOD_PER_RUN
    assert expected.to_go({}) == 30  # looked at anew: nothing has been done since


def test_a_chain_takes_as_long_as_its_runs_in_a_row() -> None:
    expected, _ = outlook(chain("a", 5, 10), workers=8)
    assert expected.to_go({}) == 50


def test_what_waits_for_a_job_begins_when_it_is_done() -> None:
    first, *others = chain("a", 3, 10)
    expected, _ = outlook([first, *others], workers=8)
    assert expected.queue.next(set(), 1e6) == [first]
    under = UnderWay("job", [first], report=report(0.5))
    assert expected.to_go(jobs(under)) == pytest.approx(5 + 20, abs=0.1)


def test_workers_who_get_half_of_a_core_take_twice_as_long() -> None:
    expected, clock = outlook(runs("a", 6, 10))
    for wall, seconds_to_go in ((400, 60), (200, 30), (400, 60)):  # what they get may change again and again
        for _ in range(60):
            expected.finished(UnderWay("job", []), asdict(report(1.0, seconds=200, wall=wall)))
        assert expected.to_go({}) == pytest.approx(seconds_to_go, rel=0.01)
        clock.time += 10


@pytest.mark.parametrize("answer", [None, {}, {"first": 0.0}, "half of it"])
def test_a_job_that_ends_without_a_report_teaches_nothing(answer: object) -> None:
    expected, _ = outlook(runs("a", 6, 10))
    expected.finished(UnderWay("job", runs("b", 1, 1)), answer)  # type: ignore[arg-type]
    assert expected.to_go({}) == 30


def test_judging_takes_time_as_well() -> None:
    """Each of two goals that are reached took five seconds to judge; one is left."""
    expected, _ = outlook(runs("a", 2, 1))
    expected.elsewhere, expected.queue.reached = 10.0, 2
    assert expected.to_go({}) == pytest.approx(5 + 5)


def test_where_nobody_says_how_many_workers_there_are_they_get_everything() -> None:
    expected, _ = outlook(runs("a", 6, 10), workers=None)
    assert expected.per_worker({}) == np.inf
    assert expected.hungry(jobs(*(UnderWay(str(n), runs("b", 1, 9)) for n in range(50))))  # type: ignore[arg-type]


# -- what is kept at hand ---------------------------------------------------------------------------------------------


def test_workers_have_the_next_job_at_hand_and_little_more() -> None:
    expected, _ = outlook([])
    short, long = (UnderWay("job", runs("b", 1, seconds)) for seconds in (1, int(2 * AHEAD)))  # type: ignore[arg-type]
    assert expected.hungry({})
    assert expected.hungry(jobs(long, long, long, working=2))  # fewer than two for each
    assert not expected.hungry(jobs(long, long, long, long, working=2))
    assert expected.hungry(jobs(long, long, short, short, working=2))  # two seconds for two workers
    assert expected.hungry(jobs(long, long, long, long, working=4))


def test_at_first_all_are_at_the_nearest_goal_and_then_half() -> None:
    expected, clock = outlook(runs("a", 2, 1))
    near, far = UnderWay("near", [], near=True), UnderWay("far", [])
    assert expected.wants_near(jobs(near, near))
    expected.queue.reached = 1
    assert not expected.wants_near(jobs(near, near))
    assert not expected.wants_near(jobs(near, near, far))
    assert expected.wants_near(jobs(near, far))
    assert expected.wants_near(jobs(far, far, near))
    expected.queue.reached = 0
    clock.time = HEAD_START
    assert not expected.wants_near(jobs(near, near))  # none was reached: the largest shall not wait for ever


class Watched(Scheduler):
    """A scheduler that keeps what it submits, and for whom."""

    def submit(self, batch: list[Any], near: bool = False) -> None:
        vars(self).setdefault("sent", []).append((near, bool(self.queue.reached), batch))
        super().submit(batch, near)


@pytest.mark.parametrize("workers", [2, 4])
def test_half_of_the_time_of_the_cores_is_for_the_nearest_goals_and_half_for_the_largest(
    tmp_path: Path, workers: int
) -> None:
    small, large = [runs("a", 10, 1, setting=n) for n in range(40)], runs("b", 400, 1)
    shelf, costs = Shelf(tmp_path), Exact()
    simulation = Simulation(workers, tmp_path, lambda run: Truth(costs.seconds(run)), shelf.put)
    sweep = Watched(shelf, simulation, clock=simulation, costs=costs)  # type: ignore[arg-type]
    missing = {}
    for name, wanted in enumerate([*small, large]):
        sweep.add(Plan(ancestry(wanted), list(wanted), []))
        missing[name] = {run.identity for run in wanted}
        sweep.queue.aim(name, Goal(frozenset(missing[name])))
    for event in sweep.events(tick=1.0):
        for name in [name for name, left in missing.items() if event.experiment and left]:
            missing[name].discard(event.experiment.identity)  # type: ignore[union-attr]
            if not missing[name]:
                sweep.queue.reach(name)
    spent = {True: 0.0, False: 0.0}
    for near, reached, batch in vars(sweep)["sent"]:
        spent[near] += reached * sum(map(costs.seconds, batch))
    assert sum(spent.values()) > 700
    assert spent[True] / sum(spent.values()) == pytest.approx(0.5, abs=0.06)


# -- executors --------------------------------------------------------------------------------------------------------


def test_executors_that_say_how_many_jobs_they_run_are_believed(tmp_path: Path) -> None:
    class Silent(Executor):
        workers = 0

    with ThreadPoolExecutor(3) as pool:
        assert workers_of(pool) == 3
    assert workers_of(Simulation(5, tmp_path, lambda run: Truth(1.0), lambda run: None)) == 5
    assert workers_of(Executor()) is None
    assert workers_of(Silent()) is None
