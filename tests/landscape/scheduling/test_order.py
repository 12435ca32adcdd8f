"""Catches a queue that trains the wrong runs next, cuts them into wrong jobs, or lets a long tail begin late."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import pytest

from grokscape.landscape.scheduling.order import LONGEST_JOB, PARTS, SHORTEST_JOB, TRIAL, USUAL_PART, Goal, Queue
from tests.landscape.scheduling.exact import Crew, Exact, chain, runs
from tests.landscape.scheduling.simulated import Pretend

#: So many seconds to go that no chain is late.
AGES = 1e6


def queue_of(*goals: Sequence[Pretend], together: int = 10, cut: bool = True) -> Queue:
    """Return a queue in which each goal waits for its runs; goals are named 0, 1, ..."""
    queue = Queue(Exact(), together, cut)
    for name, wanted in enumerate(goals):
        queue.add(wanted)
        queue.aim(name, Goal(frozenset(run.identity for run in wanted)))
    return queue


def families(queue: Queue, *, near: bool, left: float = AGES) -> list[str]:
    """Return whose turn it was, job by job, if nothing is ever finished."""
    found = []
    while batch := queue.next(set(), left, near):
        assert isinstance(batch[0], Pretend)
        found.append(batch[0].family)
    return found


def turns(queue: Queue, *, near: bool) -> list[str]:
    """Return in which order families had their first turn."""
    return list(dict.fromkeys(families(queue, near=near)))


# -- whose turn it is -------------------------------------------------------------------------------------------------


def test_the_nearest_goal_comes_first_for_half_of_the_workers_and_the_largest_for_the_others() -> None:
    goals = [runs("a", 3, 5), runs("b", 1, 2), runs("c", 10, 9)]
    assert turns(queue_of(*goals), near=True) == ["b", "a", "c"]
    assert turns(queue_of(*goals), near=False) == ["c", "a", "b"]


def test_a_goal_is_as_near_as_what_it_still_waits_for() -> None:
    large, small = runs("a", 10, 9), runs("b", 2, 5)
    queue = Queue(Exact(), 10)
    queue.add([*small, large[0]])  # the others are being trained: 9 s are left of the large goal, and 10 of the small
    for wanted in (small, large):
        queue.aim(wanted[0].family, Goal(frozenset(run.identity for run in wanted)))
    assert turns(queue, near=True) == ["a", "b"]


def test_the_largest_goal_stays_the_largest_until_it_is_reached() -> None:
    """Its later rounds must not begin when all else is done, however little is missing just now."""
    large, other = runs("a", 10, 9), runs("b", 2, 8)
    queue = queue_of(large, other)
    trained = [run for _ in range(9) for run in queue.next(set(), AGES, near=False)]
    assert trained == large[:9]
    queue.aim(0, Goal(frozenset({large[9].identity})))  # 9 s are left of it, and 16 of the other
    assert turns(queue, near=False) == ["a", "b"]


def test_equal_goals_come_in_the_order_in_which_they_were_asked_for() -> None:
    goals = [runs("a", 2, 3), runs("b", 3, 2), runs("c", 1, 6)]
    for near in (True, False):
        assert turns(queue_of(*goals), near=near) == ["a", "b", "c"]


def test_a_run_that_two_goals_wait_for_has_the_better_place_of_both() -> None:
    shared, other = runs("a", 1, 1), runs("b", 1, 2)
    queue = queue_of([*shared, *runs("c", 9, 9)], other, shared)
    assert turns(queue, near=True) == ["a", "b", "c"]


@pytest.mark.parametrize("near", [True, False])
def test_a_chain_that_would_be_late_comes_before_everything(near: bool) -> None:
    """Three runs of 20 s in a row: with 100 s to go they must begin, with 1000 s other things are due."""
    long, nearest, largest = chain("long", 3, 20), runs("a", 1, 1), runs("b", 50, 9)
    goals = [largest, nearest, long]
    assert families(queue_of(*goals), near=near, left=100)[0] == "long"
    assert families(queue_of(*goals), near=near, left=1000)[0] == ("a" if near else "b")


def test_rounds_that_may_yet_be_asked_for_make_a_chain_longer() -> None:
    (run,) = runs("long", 1, 20)
    for rounds in (0, 2):
        queue = queue_of(runs("a", 50, 9))
        queue.add([run])
        queue.aim("long", Goal(frozenset({run.identity}), [run.replace(seed=9)] * rounds, rounds))
        queue.look()
        assert queue.after(run.identity) == rounds * 20
        assert queue.chain() == 20 + rounds * 20
        assert families(queue, near=False, left=100)[0] == ("long" if rounds else "a")


@pytest.mark.parametrize(("seconds", "expected"), [(5, "long"), (9, "a")])
def test_a_run_is_as_urgent_as_what_starts_from_it(seconds: int, expected: str) -> None:
    first, second = chain("long", 2, seconds)
    queue = Queue(Exact(), 10)
    queue.add([*runs("a", 1, 7), first, second])
    queue.aim("far", Goal(frozenset(run.identity for run in runs("a", 1, 7))))
    queue.aim("near", Goal(frozenset({second.identity})))  # nobody waits for the first itself
    assert families(queue, near=True)[0] == expected
    assert queue.after(first.identity) == seconds


def test_a_guess_is_tried_early_and_only_a_little_of_it() -> None:
    queue = queue_of(runs("a", 40, 9), runs("unknown", 20, 4))
    first = queue.next(set(), AGES, near=False)
    assert len(first) == TRIAL
    assert first == runs("unknown", TRIAL, 4)
    assert families(queue, near=False)[0] == "a"  # what has been tried need not be tried again


def test_a_guess_that_hardly_matters_is_not_tried() -> None:
    queue = queue_of(runs("a", 40, 90), runs("unknown", 2, 4))
    assert families(queue, near=False)[0] == "a"


# -- who can be trained -----------------------------------------------------------------------------------------------


def test_children_wait_for_their_parents() -> None:
    first, second, third = chain("a", 3)
    queue = queue_of([first, second, third])
    assert queue.next(set(), AGES) == [first]
    assert queue.next(set(), AGES) == []
    assert queue.next({first.identity}, AGES) == [second]
    assert queue.next({first.identity}, AGES) == []
    assert queue.next({first.identity, second.identity}, AGES) == [third]
    assert not queue


def test_only_the_children_whose_parents_are_there_are_trained_together() -> None:
    parents = runs("a", 4)
    children = [Pretend(seed=9 + n, after=parent, steps=1) for n, parent in enumerate(parents)]
    queue = queue_of(children)
    assert set(queue.next({parents[0].identity, parents[2].identity}, AGES)) == {children[0], children[2]}


def test_what_starts_from_something_lost_is_taken_out_with_its_own_children_next() -> None:
    first, second, third = chain("a", 3)
    other = runs("b", 1)
    queue = queue_of([first, second, third, *other])
    assert queue.orphans({first.identity}) == [second]
    assert queue.orphans({first.identity, second.identity}) == [third]
    assert queue.orphans({first.identity, second.identity}) == []
    assert len(queue) == 2
    assert queue.orphans(set()) == []


# -- how many together ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "expected"), [(AGES, LONGEST_JOB), (6 * PARTS, 6), (2 * PARTS, 2), (0.5, SHORTEST_JOB)]
)
def test_jobs_take_a_part_of_the_time_that_is_left(left: float, expected: float) -> None:
    """Of runs of a second each, so that the last jobs are short and no core is idle at the end."""
    wanted = runs("a", 120)
    queue = queue_of(wanted, together=50)
    assert len(queue.next(set(), left)) == expected


def test_a_run_that_takes_longer_is_a_job_of_its_own() -> None:
    assert len(queue_of(runs("a", 12, 60)).next(set(), AGES)) == 1


@pytest.mark.parametrize("number", range(1, 42))
def test_no_job_is_left_with_a_remainder(number: int) -> None:
    queue, sizes = queue_of(runs("a", number), together=10), []
    while batch := queue.next(set(), AGES):
        sizes.append(len(batch))
    assert sum(sizes) == number
    assert max(sizes) <= 10
    assert max(sizes) - min(sizes) <= 1


def test_where_a_batch_costs_little_more_than_a_run_nothing_is_cut() -> None:
    assert len(queue_of(runs("a", 30, 60), together=50, cut=False).next(set(), 1.0)) == 30


def test_a_class_that_says_how_many_go_together_is_cut_only_where_time_is_short() -> None:
    crew = [Crew(seed=seed, steps=5, family="unknown") for seed in range(32)]
    assert len(queue_of(crew).next(set(), AGES)) == 16  # 80 s, eight times the longest job of others
    assert len(queue_of(crew).next(set(), 20.0)) == 4
    assert len(queue_of(crew).next(set(), AGES, near=False)) == 16  # nor is it tried with fewer


def test_generations_and_shapes_are_not_mixed() -> None:
    parents = runs("a", 2)
    children = [parent.replace(after=parent, seed=5) for parent in parents]
    larger = runs("a", 2, size=2)
    queue, there = queue_of([*parents, *children, *larger]), {parent.identity for parent in parents}
    found = [frozenset(queue.next(there, AGES)) for _ in range(3)]
    assert set(found) == {frozenset(parents), frozenset(children), frozenset(larger)}
    assert not queue


# -- what is to be expected -------------------------------------------------------------------------------------------


def test_everything_that_waits_is_expected_and_a_part_of_what_may_be_asked_for() -> None:
    wanted = runs("a", 4, 5)
    assert sum(queue_of(wanted).seconds()) == 20
    queue = queue_of([])
    queue.add(wanted)
    queue.aim("asks", Goal(frozenset(run.identity for run in wanted), runs("b", 6, 10), rounds=3))
    assert sum(queue.seconds()) == pytest.approx(20 + USUAL_PART * 60)


def later(queue: Queue, name: int) -> float:
    """Return which part is expected of what a goal may still ask for."""
    return sum(queue.seconds()[len(queue) :]) / sum(map(queue.costs.seconds, queue.goals[name].to_come))


@pytest.mark.parametrize("asks", [True, False])
def test_goals_that_ask_for_more_than_others_did_are_expected_to_go_on_so(asks: bool) -> None:
    """Five goals may ask for 60 s in three rounds. Four ask for all of it, or for nothing: the fifth will, too."""
    queue = Queue(Exact(), 10)
    for name in range(5):
        first = runs(f"{name}", 2, 5)
        queue.add(first)
        queue.aim(name, Goal(frozenset(run.identity for run in first), runs("to come", 6, 10), rounds=3))
    for name in range(4):
        if asks:
            for turn in range(1, 4):
                new = runs(f"{name}", 2, 10, first=100 * turn)
                queue.add(new)
                rest = runs("to come", 6 - 2 * turn, 10)
                queue.aim(name, Goal(frozenset(run.identity for run in new), rest, rounds=3 - turn))
        queue.reach(name)
    assert queue.reached == 4
    assert list(queue.goals) == [4]
    part = later(queue, 4)
    assert part > 0.7 if asks else part < 0.1


def test_nothing_is_lost_and_nothing_is_trained_twice() -> None:
    """Whatever is asked for comes out once: of half of the goals near, of half far, and children after parents."""
    wanted = [*runs("a", 17, 3), *runs("unknown", 9, 2), *chain("c", 4, 8), *runs("d", 3, 1, size=3)]
    queue = queue_of(wanted[:20], wanted[10:])
    ready: set[str] = set()
    order: list[Pretend] = []
    for near in itertools.cycle((True, False)):
        batch = queue.next(ready, 30.0, near)
        if not batch:
            break
        order += batch  # type: ignore[arg-type]
        ready |= {run.identity for run in batch}
    assert Counter(run.identity for run in order) == Counter(run.identity for run in wanted)
    assert all(run.after is None or order.index(run.after) < order.index(run) for run in order)
    assert not queue
