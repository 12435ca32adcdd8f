"""Claims that ask for more runs when they have seen the first: sharing, resuming, and code that misbehaves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records.store import Store
from grokscape.predictions.checking.check import Check
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.claims import Constant, claim, measure

SEEDS = tuple(range(10, 18))


def check(claims, store, *, patience=None):
    """Check; with patience, walk away after so many updates, as if killed."""
    done = Check(claims, "quick", store)
    updates = []
    with ThreadPoolExecutor(1) as executor:
        for update in done.run(executor):
            updates.append(update)
            if patience is not None and len(updates) >= patience:
                break
    return done.verdicts, updates


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def halve(seed, at, records):
    """Ask for half of the smallest value tried, down to a quarter of the first."""
    smallest = min(record.experiment.value for record in records.values())
    return {f"{smallest / 2:g}": Constant(value=smallest / 2, seed=seed)} if smallest > at.value / 4 else {}


def halving(name="halving", **changes):
    return claim(name, **({"refine": halve, "rounds": 2, "control": 0.0} | changes))


def test_what_is_asked_for_is_trained_measured_and_told(store):
    seen = []

    def remember(records, at):
        seen.append(sorted(records))
        yield from measure(records, at)

    found, _ = check([halving(measure=remember)], store)
    assert found[0].status is Status.PASS
    assert found[0].runs["claim"]["10"].keys() == {"only", "1", "0.5"}
    assert found[0].runs["small"]["10"].keys() == {"only"}
    assert found[0].cost["runs"] == 8 * 3 + 8
    assert seen.count(["0.5", "1", "only"]) == 8
    assert sum(1 for _ in store.folders()) == 32


def test_progress_never_goes_back_when_a_claim_asks_again(store):
    """What is asked for later adds to the total; what was done stays done."""
    _, updates = check([halving()], store)
    progress = [update.progress for update in updates if update.progress]
    assert progress[-1].runs == progress[-1].runs_done == 32
    assert progress[-1].done == progress[-1].total == 32
    # One object throughout: seconds, work and runs cannot start anew.
    assert len({id(p) for p in progress}) == 1


def test_runs_are_shared_with_other_claims_whoever_asks_first(store):
    """One claim asks at once for what the other asks for later."""

    def direct(seed, at):
        return {"only": Constant(value=1.0, seed=seed)}

    found, _ = check([halving(), claim("direct", runs=direct)], store)
    assert sum(1 for _ in store.folders()) == 32
    assert found[0].cost["shared"] == found[1].cost["shared"] == 8
    assert found[1].cost["runs"] == 8


def test_other_claims_do_not_wait_for_one_that_asks_again(store):
    _, updates = check([halving(), claim("plain")], store)
    order = [update.verdict.id for update in updates if update.verdict]
    assert order == ["test2026.plain", "test2026.halving"]


@pytest.mark.parametrize("patience", [1, 12, 30])
def test_kill_and_resume_give_the_same_runs(store, tmp_path, patience):
    whole, _ = check([halving()], store)
    other = Store(tmp_path / "other")
    check([halving()], other, patience=patience)
    resumed, _ = check([halving()], other)
    assert resumed[0].runs == whole[0].runs
    assert {f.name for f in other.folders()} == {f.name for f in store.folders()}
    again, updates = check([halving()], other)
    assert not any(update.progress for update in updates)
    assert again[0].evidence == whole[0].evidence


def test_code_that_breaks_is_an_error_of_its_claim_alone(store):
    def breaks(seed, at, records):
        raise ZeroDivisionError("by design")

    found, _ = check([halving("bad", refine=breaks), halving()], store)
    assert [v.status for v in found] == [Status.ERROR, Status.PASS]
    assert "refinement: ZeroDivisionError: by design" in found[0].reason


def test_one_that_never_has_enough_is_stopped_by_its_rounds(store):
    def greedy(seed, at, records):
        return {str(len(records)): Constant(value=float(len(records)), seed=seed)}

    found, _ = check([halving("greedy", refine=greedy), halving()], store)
    assert [v.status for v in found] == [Status.ERROR, Status.PASS]
    assert "still asks for runs after 2 rounds ('3' for seed 10 in arm 'claim')" in found[0].reason


def test_a_label_stands_for_one_run(store):
    def renames(seed, at, records):
        return {"only": Constant(value=77.0, seed=seed)}

    found, _ = check([halving("renames", refine=renames)], store)
    assert found[0].status is Status.ERROR
    assert "the label 'only' of seed 10 is asked for again, for another run" in found[0].reason


def test_asking_again_for_what_is_there_is_no_request(store):
    def content(seed, at, records):
        return {label: record.experiment for label, record in records.items()}

    assert check([halving("content", refine=content)], store)[0][0].status is Status.PASS


def test_a_refined_run_that_fails_is_an_error_of_its_claim(store):
    def doomed(seed, at, records):
        return {"more": Constant(value=9.0, seed=seed, fails=True)}

    found, _ = check([halving("doomed", refine=doomed), halving()], store)
    assert [v.status for v in found] == [Status.ERROR, Status.PASS]
    assert "it was told to fail" in found[0].reason


@pytest.mark.parametrize("wrong", [{"refine": None, "rounds": 2}, {"refine": halve, "rounds": 0}])
def test_rounds_and_refine_go_together(wrong):
    with pytest.raises(InvalidInput, match="give both, rounds at least 1, or neither"):
        claim(**wrong)


def test_what_may_come_is_bounded_before_anything_is_known_and_exact_when_all_is(store):
    item = Pending.of(halving(), "quick")
    assert len(item.most_to_come()) == 2 * 2 * len(SEEDS)
    check([halving()], store)
    item.reach(store)
    assert item.most_to_come() == []
    assert len(item.experiments) == 32
