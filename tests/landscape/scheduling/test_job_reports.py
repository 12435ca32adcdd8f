"""Catches reports that count storing as training, an earlier job's work as this one's, or who has not ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from grokscape.landscape.learners import BayesianNetwork, GaussianProcessRegression
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling import job_reports
from grokscape.landscape.scheduling.job_reports import JobReport, JobReporter, length, may_stop
from grokscape.landscape.scheduling.worker import Job, train_job
from grokscape.landscape.training.stop import Stop
from tests.landscape.helpers import small_run
from tests.landscape.scheduling.simulated import Pretend
from tests.landscape.scheduling.toys import Toy

STOP = (Stop(quantity="accuracy", above=0.9),)


class Ticker:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Ticker:
    return Ticker()


@pytest.fixture
def reporter(tmp_path: Path, clock: Ticker, monkeypatch: pytest.MonkeyPatch) -> JobReporter:
    monkeypatch.setattr(job_reports, "time", SimpleNamespace(monotonic=lambda: 2 * clock.time))  # half of a core
    return JobReporter(tmp_path / "one.job", clock)


def training(clock: Ticker, *seconds: float) -> Iterator[float]:
    for number in seconds:
        clock.time += number
        yield number


def read(reporter: JobReporter) -> JobReport:
    return JobReport.read(json.loads(reporter.path.read_text()))


# -- what an experiment says of its length ----------------------------------------------------------------------------


def test_length_and_stop_rules_are_those_of_the_description() -> None:
    assert length(small_run(steps=40)) == 40
    assert length(BayesianNetwork(seed=0, epochs=7, start_scale=0.5)) == 7
    assert length(Toy()) == 0
    assert may_stop(small_run(stop=STOP))
    assert not may_stop(small_run())
    assert not may_stop(GaussianProcessRegression(log_lengthscale=0, log_outputscale=0, seed=0))


# -- seconds ----------------------------------------------------------------------------------------------------------


def test_training_and_everything_else_are_counted_apart(reporter: JobReporter, clock: Ticker) -> None:
    clock.time += 1  # locking
    for number in reporter.timed(training(clock, 5, 7)):
        clock.time += number / 10  # storing
    clock.time += 2
    reporter(1.0)
    found = read(reporter)
    assert (found.first, found.now, found.ended) == (0.0, 1.0, {})
    assert found.training == pytest.approx(5 + 7)
    assert found.fixed == pytest.approx(1 + 0.5 + 0.7 + 2)
    assert found.wall == pytest.approx(2 * (found.training + found.fixed))


def test_a_report_in_the_middle_counts_what_is_under_way(reporter: JobReporter, clock: Ticker) -> None:
    def reporting() -> Iterator[int]:
        clock.time += 3
        reporter(0.25)
        clock.time += 4
        yield 0

    next(reporter.timed(reporting()))
    assert (read(reporter).now, read(reporter).training) == (0.25, 3.0)
    reporter(0.5)
    assert (read(reporter).now, read(reporter).training) == (0.5, 7.0)


def test_what_a_training_took_before_it_failed_is_counted(reporter: JobReporter, clock: Ticker) -> None:
    def failing() -> Iterator[int]:
        clock.time += 3
        raise ArithmeticError("on purpose")
        yield 0

    with pytest.raises(ArithmeticError):
        next(reporter.timed(failing()))
    clock.time += 1
    reporter(0.0)
    assert (read(reporter).training, read(reporter).fixed) == (3.0, 1.0)


# -- shares -----------------------------------------------------------------------------------------------------------


def test_who_has_ended_ended_at_its_last_step(reporter: JobReporter) -> None:
    run, other, third, toy = small_run(steps=40, stop=STOP), small_run(seed=1), small_run(seed=2), Toy()
    reporter.end(run, 10)
    reporter.end(other, None)  # a record that does not say
    reporter.end(third, 4000)  # nobody comes further than to the end
    reporter.end(toy, 3)  # has no steps
    reporter(0.5)
    assert read(reporter).ended == {run.identity: 0.25, other.identity: 1.0, third.identity: 1.0, toy.identity: 1.0}


@pytest.mark.parametrize(("resumed", "first"), [(False, 0.0), (True, 0.3)])
def test_the_first_share_was_done_before_if_the_job_was_resumed(
    reporter: JobReporter, resumed: bool, first: float
) -> None:
    reporter.resumed = lambda: resumed
    for share in (0.3, 0.5, 0.8):
        reporter(share)
    assert (read(reporter).first, read(reporter).now) == (first, 0.8)
    assert read(reporter).done(Pretend()) == pytest.approx(0.8 - first)


def test_what_a_job_did_of_a_run_ends_where_the_run_ended_if_it_may_stop() -> None:
    """Others may be trained one after the other, so that of each only the share of the whole is known."""
    early, late, plain = Pretend(stop=STOP), Pretend(stop=STOP, seed=1), Pretend(seed=2)
    report = JobReport(0.2, 0.6, 1.0, 0.0, 1.0, {early.identity: 0.5, plain.identity: 1.0})
    assert report.done(early) == pytest.approx(0.3)
    assert report.done(late) == pytest.approx(0.4)
    assert report.done(plain) == pytest.approx(0.4)
    before = JobReport(0.6, 0.7, 1.0, 0.0, 1.0, {early.identity: 0.5})
    assert before.done(early) == 0.0  # by the job that was interrupted


def test_a_job_reports_where_its_runs_stopped(tmp_path: Path) -> None:
    """By a worker: one run stops at its third record, at step 2, the other goes to its end."""
    at_once = (Stop(quantity="loss", split="train", below=1e9, records=3),)
    early, plain = small_run(stop=at_once), small_run(seed=1)
    job = Job.of([early, plain], str(tmp_path))
    report = JobReport.read(train_job(job.to_data())["report"])
    store = Store(tmp_path)
    assert report.ended == {
        early.identity: store.read(early).info["last_step"] / early.steps,
        plain.identity: 1.0,
    }
    assert report.ended[early.identity] < 0.2
    assert (report.first, report.now) == (0.0, 1.0)
    assert report.training > 0
    assert report.fixed > 0


# -- files ------------------------------------------------------------------------------------------------------------


def test_where_no_report_can_be_written_training_goes_on(tmp_path: Path) -> None:
    reporter = JobReporter(tmp_path / "no such folder" / "one.job")
    reporter(0.5)
    assert reporter.now == 0.5


WHOLE = {"first": 0, "now": 0.5, "training": 1, "fixed": 0, "wall": 1, "ended": {}}


def test_a_whole_report_is_read() -> None:
    assert JobReport.read(WHOLE) == JobReport(0.0, 0.5, 1.0, 0.0, 1.0, {})


@pytest.mark.parametrize(
    "data",
    [None, [], "text", {}, {**WHOLE, "ended": ["a"]}, {**WHOLE, "now": "soon"}, {**WHOLE, "wall": None}]
    + [{name: value for name, value in WHOLE.items() if name != gone} for gone in WHOLE],
)
def test_what_is_no_whole_report_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match=r"no report of a job|could not convert"):
        JobReport.read(data)
