"""Whole sweeps on a clock that is only pretended: order, cores kept busy, and what is said of the time to go."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from grokscape.landscape.scheduling.estimate import Costs
from grokscape.landscape.scheduling.order import Goal
from grokscape.landscape.scheduling.plan import Plan, ancestry
from grokscape.landscape.scheduling.scheduler import Scheduler
from grokscape.landscape.training.stop import Stop
from tests.landscape.scheduling.simulated import Pretend, Shelf, Simulation, Truth

STOP = (Stop(quantity="accuracy", above=0.9),)

#: Multiplications in a second.
SPEEDS = {"a": 2e9, "b": 3e10, "c": 1e11, "d": 6e9, "e": 4e10, "f": 1.5e10}


@dataclass
class Asker:
    """Somebody who waits for runs, and then asks for more in rounds; at most for `most` at a time."""

    runs: list[Pretend]
    rounds: list[list[Pretend]] = field(default_factory=list)
    most: int = 0
    missing: set[str] = field(default_factory=set)
    reached: float | None = None

    def goal(self) -> Goal:
        return Goal(frozenset(self.missing), [self.runs[-1]] * self.most * len(self.rounds), len(self.rounds))


@dataclass
class History:
    """What a sweep said of the time to go, and what came true."""

    end: float
    said: list[tuple[float, float]]
    simulation: Simulation

    @property
    def used(self) -> float:
        return self.simulation.busy / self.end / self.simulation.workers

    def off(self, since: float, until: float) -> float:
        """Return by which factor, at the worst, the estimates were wrong from one time to another."""
        errors = [abs(np.log(eta / (self.end - now))) for now, eta in self.said if since <= now < until]
        return float(np.exp(max(errors)))


def truth(run: Pretend) -> Truth:
    """How long a run takes: by its family; those that may stop do so about where others of their setting do."""
    noise = np.random.default_rng(zlib.crc32(run.identity.encode()))
    whole = run.work / SPEEDS[run.family] * noise.lognormal(0, 0.05)
    if not run.stop:
        return Truth(whole)
    usual = np.random.default_rng(zlib.crc32(f"{run.family}{run.setting}".encode())).uniform(0.05, 1)
    return Truth(whole, float(np.clip(usual * noise.lognormal(0, 0.2), 0.01, 1)))


def pretend(
    path: Path, askers: Sequence[Asker], workers: int = 2, costs: Costs | None = None, judging: float = 0.05
) -> History:
    """Run a sweep as a check does, to its end."""
    shelf = Shelf(path)
    simulation = Simulation(workers, path, truth, shelf.put)
    sweep = Scheduler(shelf, simulation, clock=simulation, costs=costs or Costs())  # type: ignore[arg-type]

    def ask(asker: Asker, runs: Sequence[Pretend]) -> None:
        plan = Plan(ancestry(runs), [run for run in ancestry(runs).values() if run not in shelf], [])
        sweep.add(plan)
        asker.missing = {run.identity for run in plan.missing}
        sweep.queue.aim(id(asker), asker.goal())

    for asker in askers:
        ask(asker, asker.runs)
    said = []
    for event in sweep.events(tick=1.0):
        if event.progress.eta is not None:
            said.append((simulation.now(), event.progress.eta))
        if event.experiment is None:
            continue
        for asker in askers:
            asker.missing.discard(event.experiment.identity)
            while asker.reached is None and not asker.missing:
                simulation.sleep(judging)
                if asker.rounds:
                    ask(asker, asker.rounds.pop(0))
                else:
                    asker.reached = simulation.now()
                    sweep.queue.reach(id(asker))
    return History(simulation.now(), said, simulation)


def runs(family: str, number: int, **changes: object) -> list[Pretend]:
    return [Pretend(family=family, seed=seed, **changes) for seed in range(number)]  # type: ignore[arg-type]


def usual(seed: int) -> list[Asker]:
    """A check of some twenty minutes: six families, early stops, chains, and two claims that ask again."""
    rng = np.random.default_rng(seed)
    askers = []
    for number in range(36):
        family, size = "abcdef"[number % 6], int(rng.integers(1, 5))
        # A run takes from half a second to 12 s.
        steps = int(SPEEDS[family] / 1e7 / size * rng.uniform(0.5, 12))
        stop = STOP if rng.random() < 0.6 else ()
        own = runs(family, 10, size=size, steps=steps, stop=stop, setting=number)
        control = runs(family, 10, size=size, steps=steps, stop=stop, setting=number + 0.5)
        askers.append(Asker(own + control))
    for asker in askers[:2]:
        last = asker.runs[-1]
        asker.rounds = [[last.replace(seed=100 * turn + n) for n in range(10)] for turn in range(1, 4)]
        asker.most = 20
    for asker in askers[2:5]:
        asker.runs += [run.replace(after=run, setting=-1.0) for run in asker.runs[:10]]
    return askers


def by(factor: Callable[[str], float]) -> Costs:
    """Costs that believe to know how fast every family is trained, and are wrong by a factor."""
    costs = Costs()
    for family, speed in SPEEDS.items():
        for size in range(1, 5):
            costs.calibrate(Pretend(family=family, size=size), factor(family) / speed)
    return costs


@pytest.mark.parametrize(
    ("workers", "factor"),
    [
        (2, lambda family: 1.0),
        (2, lambda family: 10.0),
        (2, lambda family: 0.1),
        (1, lambda family: 10.0 if family in "ace" else 0.1),
        (8, lambda family: 10.0 if family in "ace" else 0.1),
    ],
    ids=["right", "slow", "fast", "mixed", "mixed, many"],
)
def test_two_minutes_tell_how_long_the_rest_takes(tmp_path: Path, workers: int, factor: Callable[[str], float]) -> None:
    """From then on within a factor of 1.5, whatever was believed before; and the cores are busy to the end."""
    history = pretend(tmp_path, usual(0), workers, by(factor))
    assert history.end > 180
    assert history.off(120, history.end - 15) < 1.5
    assert history.used > 0.97


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_need_be_known_of_the_machine(tmp_path: Path, seed: int) -> None:
    history = pretend(tmp_path, usual(seed))
    assert history.off(120, history.end - 15) < 1.5
    assert history.used > 0.97


def test_what_is_known_tells_at_once(tmp_path: Path) -> None:
    """Shares, too, are remembered from one sweep to the next."""
    costs, again = Costs(), Costs()
    pretend(tmp_path, usual(0), costs=costs)
    again.remember(costs.to_data())
    history = pretend(tmp_path, usual(0), costs=again)
    assert history.said[0][0] < 1
    assert history.off(0, history.end - 15) < 1.7


def test_a_verdict_comes_soon_and_others_all_the_time(tmp_path: Path) -> None:
    askers = usual(0)
    history = pretend(tmp_path, askers)
    reached = sorted(asker.reached or np.inf for asker in askers)
    assert reached[0] < 60
    assert reached[len(askers) // 4] < 0.4 * history.end
    assert reached[-1] <= history.end


def test_rounds_do_not_begin_when_everything_else_is_done(tmp_path: Path) -> None:
    """Three rounds of a long run each, after others: last in line they would leave a core idle for most of a minute."""
    long = runs("a", 2, steps=4000)  # 20 s each
    later = [[long[0].replace(seed=9 + n)] for n in range(3)]
    askers = [Asker(runs("a", 20, steps=800 + n, setting=n)) for n in range(4)] + [Asker(long, later, most=1)]
    history = pretend(tmp_path, askers)
    assert history.used > 0.95
    assert askers[-1].reached == pytest.approx(history.end, abs=60)


def test_the_last_jobs_are_short(tmp_path: Path) -> None:
    history = pretend(tmp_path, usual(1), costs=by(lambda family: 1.0))
    durations = [(began, sum(truth(run).seconds for run in batch)) for began, batch in history.simulation.began]
    assert max(seconds for began, seconds in durations if began > history.end - 60) < 15
    assert max(seconds for _, seconds in durations) < 25


def test_a_chain_of_runs_is_longer_than_its_share_of_the_cores(tmp_path: Path) -> None:
    """Eight cores cannot hasten what starts from one another."""
    chain = [Pretend(steps=8000)]  # 40 s
    for seed in range(1, 5):
        chain.append(Pretend(steps=8000, seed=seed, after=chain[-1]))
    known = by(lambda family: 1.0)
    history = pretend(tmp_path, [Asker(chain), Asker(runs("b", 200, steps=3000))], 8, known)
    assert history.end == pytest.approx(200, rel=0.1)
    assert history.off(0, 185) < 1.2


def test_a_check_that_judges_longer_than_it_trains_says_so(tmp_path: Path) -> None:
    askers = [Asker(runs("b", 10, steps=300, setting=number)) for number in range(40)]
    history = pretend(tmp_path, askers, judging=5.0)
    assert history.end > 200
    assert history.off(30, history.end - 15) < 1.5
