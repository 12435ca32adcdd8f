"""Catches a machine that is measured wrong: compiling taken for a pace, the wrong shapes, or knowledge that is lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest

from grokscape.landscape.experiment import Experiment, Outcome, Session
from grokscape.landscape.scheduling import calibration
from grokscape.landscape.scheduling.calibration import (
    ALONE,
    LONG_ENOUGH,
    TOGETHER,
    TOO_LONG,
    calibrate,
    kept_in,
    learning,
    measure,
    shorter,
    worth_measuring,
)
from grokscape.landscape.scheduling.estimate import Costs
from grokscape.landscape.scheduling.requirements import SPEED
from grokscape.landscape.scheduling.worker import Job
from grokscape.landscape.training.schedule import Schedule
from grokscape.landscape.training.stop import Stop
from tests.landscape.helpers import small_run
from tests.landscape.scheduling.simulated import Pretend

#: Later than any test ends.
NEVER = 1e12


@dataclass
class Machine:
    """Stands for `_train`: seconds of a multiplication, of a beginning, and of the first training of each length."""

    pace: float = 1e-10
    begin: float = 0.01
    first: float = 0.0
    noise: float = 0.0
    seconds: Callable[[float], float] = lambda seconds: seconds
    lengths: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __call__(self, batch: Sequence[Experiment], job: Job) -> tuple[float, float, float]:
        steps, work = getattr(batch[0], "steps", 0), sum(float(experiment.work) for experiment in batch)
        self.lengths[steps] += 1
        seconds = self.begin + self.pace * work * self.rng.lognormal(0, self.noise)
        return self.seconds(seconds + self.first * (self.lengths[steps] == 1)), work, 0.02 * len(batch)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(calibration, "_train", made)
    return made


def measured(*batch: Experiment, until: float = NEVER) -> dict[str, float]:
    return measure(Job.of(batch, "").to_data(), until)


#: A batch of which a step takes 2 ms on that machine.
PAIR = (Pretend(steps=100_000), Pretend(steps=100_000, seed=1))


@dataclass(frozen=True, kw_only=True)
class Stepless(Experiment, kind="test_stepless"):
    """Something that is done at once, and cannot be made shorter."""

    seconds: float = 0.1

    @property
    def work(self) -> float:
        return self.seconds * SPEED

    @classmethod
    def train(cls, batch: Sequence[Self], session: Session) -> Iterator[tuple[Self, Outcome]]:
        raise NotImplementedError


# -- the pace of a batch ----------------------------------------------------------------------------------------------


def test_a_pace_is_that_of_steps_without_what_it_takes_to_begin(machine: Machine) -> None:
    machine.begin = 0.4
    found = measured(*PAIR)
    assert found["pace"] == pytest.approx(machine.pace)
    assert (found["runs"], found["fixed"]) == (2, 0.04)
    assert LONG_ENOUGH <= found["seconds"] < 2 * TOO_LONG


@pytest.mark.parametrize("once", [0.5, 5.0, 50.0])
def test_compiling_is_no_part_of_a_pace(machine: Machine, once: float) -> None:
    """The first training of every length compiles something, which takes far longer than the steps themselves."""
    machine.first = once
    assert measured(*PAIR)["pace"] == pytest.approx(machine.pace)
    assert min(machine.lengths.values()) >= 2


def test_a_machine_that_is_busy_with_other_things_is_measured_about_right(machine: Machine) -> None:
    machine.noise = 0.1
    assert measured(*PAIR)["pace"] == pytest.approx(machine.pace, rel=0.3)


def test_what_is_over_before_a_clock_can_tell_is_measured_whole(machine: Machine) -> None:
    short = Pretend(steps=9)
    found = measured(short)
    assert max(machine.lengths) == 9
    assert found["pace"] == pytest.approx((machine.begin + machine.pace * short.work) / short.work)


def test_what_cannot_be_made_shorter_is_measured_as_it_is(machine: Machine) -> None:
    one = Stepless(seconds=0.1)
    assert measured(one)["pace"] == pytest.approx(machine.pace + machine.begin / one.work)
    assert sum(machine.lengths.values()) == 1


# -- what cannot be measured ------------------------------------------------------------------------------------------


def test_after_its_time_nothing_is_measured(machine: Machine) -> None:
    assert measured(*PAIR, until=0.0) == {}
    assert not machine.lengths


def test_what_takes_long_and_cannot_be_made_shorter_is_not_measured(machine: Machine) -> None:
    assert measured(Stepless(seconds=100.0)) == {}
    child = Pretend(steps=100_000, after=Pretend())  # starts from what is not there
    assert measured(child) == {}
    assert not machine.lengths


def test_where_beginning_drowns_the_steps_nothing_is_known_of_them(machine: Machine) -> None:
    machine.begin = 3.0
    assert measured(*PAIR) == {}


@pytest.mark.parametrize("stopped", [0.0, 0.03])
def test_a_clock_that_stands_still_measures_nothing_that_is_no_number(machine: Machine, stopped: float) -> None:
    machine.seconds = lambda seconds: stopped
    found = measured(Pretend(steps=20))
    assert found == {} if not stopped else found["pace"] > 0


def test_a_real_training_is_measured_in_a_store_of_its_own(tmp_path: Path) -> None:
    run = small_run(steps=20_000, record=Schedule(per_decade=1, every=10_000))
    found = measure(Job.of([run], str(tmp_path / "store")).to_data(), NEVER)
    assert 1e-12 < found["pace"] < 1e-6
    assert not (tmp_path / "store").exists()


# -- shorter experiments ----------------------------------------------------------------------------------------------


def test_a_shorter_run_does_as_much_in_each_step_and_looks_as_rarely() -> None:
    stop = (Stop(quantity="accuracy", above=0.9),)
    run = small_run(steps=1000, record=Schedule(per_decade=10, every=10), stop=stop, keep=(100,))
    short = shorter(run, 200)
    assert short is not None
    assert (short.steps, short.stop, short.keep) == (200, (), ())  # type: ignore[attr-defined]
    assert short.batch_key.split("|")[:6] == run.batch_key.split("|")[:6]
    part, whole = short.record.count(200) / 200, run.record.count(1000) / 1000  # type: ignore[attr-defined]
    assert part == pytest.approx(whole, rel=0.5)


def test_a_run_that_starts_from_another_starts_afresh() -> None:
    run = small_run(steps=1000)
    short = shorter(small_run(steps=1000, start=run, seed=1), 5)
    assert short is not None
    assert short.parents == ()


@pytest.mark.parametrize(
    ("experiment", "steps"),
    [(small_run(steps=40), 41), (small_run(steps=40), 0), (Stepless(), 1), (Pretend(after=Pretend()), 1)],
)
def test_what_cannot_be_made_shorter_is_none(experiment: Experiment, steps: int) -> None:
    assert shorter(experiment, steps) is None


def test_a_description_that_refuses_so_few_steps_is_none() -> None:
    class Long(Pretend, kind="test_long"):
        def validate(self) -> None:
            if self.steps < 100:
                self.refuse("steps", "at least 100")

    assert shorter(Long(), 50) is None
    assert shorter(Long(), 100) is not None


# -- what is worth it -------------------------------------------------------------------------------------------------


class Crew(Pretend, kind="test_calibrated_crew"):
    largest_batch: ClassVar[int | None] = 200


def test_what_matters_is_measured_the_most_expensive_first_and_one_of_each_form() -> None:
    """Sizes of one family are shapes of one form: a second is measured if it is more than two per cent of all."""
    large, small, tiny = ([Pretend(family="a", size=size, seed=seed) for seed in range(5)] for size in (100, 20, 1))
    other = [Pretend(family="b", size=30, seed=seed) for seed in range(5)]
    nothing = [Pretend(family="c", size=1, steps=1)]
    found = worth_measuring(Costs(), [*tiny, *nothing, *small, *other, *large])
    assert found == [large[:ALONE], other[:ALONE], small[:ALONE]]


def test_those_that_cost_less_together_are_measured_together() -> None:
    crew = [Crew(seed=seed) for seed in range(100)]
    assert worth_measuring(Costs(), crew) == [crew[:TOGETHER]]


def test_what_was_measured_before_is_not_measured_again() -> None:
    costs, runs = Costs(), [Pretend(family=family, seed=seed) for family in "ab" for seed in range(3)]
    costs.calibrate(runs[0], 1e-10)
    assert worth_measuring(costs, runs) == [runs[3:5]]
    assert worth_measuring(costs, []) == []


# -- learning ---------------------------------------------------------------------------------------------------------


def test_what_is_measured_is_learnt_and_what_fails_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four batches one breaks, and one cannot be measured; each is counted when it is done with."""

    def pretended(data: dict[str, Any], until: float) -> dict[str, float]:
        family = data["experiments"][0]["family"]
        if family == "breaks":
            raise ArithmeticError("on purpose")
        if family == "nothing":
            return {}
        return {"pace": 1e-9 if family == "slow" else 1e-11, "runs": 2, "fixed": 1.0, "seconds": 0.4}

    monkeypatch.setattr(calibration, "measure", pretended)
    costs, never_seen = Costs(), Costs()
    batches = [[Pretend(family=family)] for family in ("slow", "breaks", "nothing", "fast")]
    with ThreadPoolExecutor(2) as pool:
        assert list(calibrate(costs, batches, pool, 60.0)) == [1, 2, 3, 4]
    (slow,), (breaks,), (nothing,), (fast,) = batches
    assert [costs.is_calibrated(run) for run in (slow, breaks, nothing, fast)] == [True, False, False, True]
    assert costs.whole(slow) == pytest.approx(1e-9 * slow.work, rel=0.2)
    assert costs.whole(fast) == pytest.approx(1e-11 * fast.work, rel=0.2)
    assert costs.seen == pytest.approx(0.8)
    assert costs.fixed > never_seen.fixed


def test_what_was_learnt_is_kept_and_found_again(unknown_machine: Path) -> None:
    run = Pretend()
    with learning() as costs:
        costs.calibrate(run, 1e-9)
        costs.seen += 1.0
    with learning() as again:
        assert again.is_calibrated(run)
        assert again.whole(run) == pytest.approx(costs.whole(run), rel=0.05)
        before = unknown_machine.read_bytes()
    assert unknown_machine.read_bytes() == before  # nothing was trained since


def test_hardly_anything_learnt_is_not_worth_keeping(unknown_machine: Path) -> None:
    with learning() as costs:
        costs.calibrate(Pretend(), 1e-9)
        costs.seen += 0.1
    assert not unknown_machine.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pace": 3, "share": []}', "\udcff"])
def test_what_cannot_be_read_is_learnt_anew(unknown_machine: Path, text: str) -> None:
    unknown_machine.write_bytes(text.encode(errors="surrogateescape"))
    with learning() as costs:
        assert not costs.known
        costs.calibrate(Pretend(), 1e-9)
        costs.seen += 1.0
    assert json.loads(unknown_machine.read_text())["pace"]


def test_where_nothing_can_be_kept_it_is_learnt_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(calibration, "kept_in", lambda *_: tmp_path / "file" / "costs.json")
    with learning() as costs:
        costs.seen += 1.0
    assert (tmp_path / "file").read_text() == "in the way"


def test_what_is_learnt_of_one_arithmetic_is_not_believed_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {kept_in("cpu", False), kept_in("cpu", True), kept_in("cuda", False)}
    monkeypatch.setenv("GROKSCAPE_COMPILED", "0")
    places.add(kept_in("cpu", False))
    assert len(places) == 4
    assert kept_in("cpu", False) in places
