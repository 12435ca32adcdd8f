"""Claims that ask for more runs when they have seen the first: sharing, resuming, and code that misbehaves."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import pandas as pd
import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.experiment import Experiment, Outcome, Session
from grokscape.landscape.records.record import Record
from grokscape.landscape.records.store import Store
from grokscape.landscape.tasks import BinaryOperation
from grokscape.predictions.checking.check import Check
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.evidence import Measurement
from grokscape.predictions.papers.varma2023.setup import NETWORKS, full_data_run, retraining_run_of, scratch_run
from grokscape.predictions.prediction import Calibrated, Control, Criterion, Setting, Tier
from grokscape.predictions.rules import Exceeds
from grokscape.predictions.verdict import Status
from grokscape.predictions.writing.size_search import Adaptive, refine_critical_size
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


# -- Critical sizes ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Learner(Experiment, kind="test_learner"):
    """Knows everything from a number of examples on that depends on seed and weight decay, and nothing below."""

    n_train: int
    seed: int
    weight_decay: float = 1.0

    @property
    def critical(self) -> int:
        return round(500 * self.weight_decay**0.2 + 10 * (self.seed % 5))

    @property
    def batch_key(self) -> str:
        return ""

    @property
    def work(self) -> float:
        return float(self.n_train)

    @classmethod
    def train(cls, batch: Sequence[Self], session: Session) -> Iterator[tuple[Self, Outcome]]:
        for member in batch:
            rows = [(0, "test", "accuracy", 0.0), (9, "test", "accuracy", float(member.n_train > member.critical))]
            yield (
                member,
                Outcome(pd.DataFrame(rows, columns=["step", "split", "quantity", "value"]), {}, {"last_step": 9}),
            )


def learner(seed, at, n_train, weight_decay=1.0):
    return Learner(n_train=n_train, seed=seed, weight_decay=weight_decay)


SIZES = {"task": BinaryOperation(p=37), "first_sizes": (0.1, 0.3, 0.6, 1.0), "grid_ratio": 1.1}


def about_size(adaptive, prefix, **setting):
    def found(records, at):
        size = adaptive.critical_size(records, at, prefix)
        yield Measurement("size", size.estimate)
        yield Measurement("runs saved by adaptive sampling", adaptive.runs_saved(records, at))

    return claim(
        runs=adaptive.first,
        refine=adaptive.refine,
        rounds=adaptive.most,
        measure=found,
        criteria=(
            Criterion(quantity="size", rule=Exceeds(400.0), threshold_from="-", calibrated=Calibrated(520, 9, "0-2")),
        ),
        controls=(Control("cut", {"first_sizes": (0.1, 0.2)}, "nothing generalises there"),),
        tiers={"quick": Tier(SEEDS, SIZES | setting)},
    )


def test_a_claim_finds_its_critical_size_with_few_runs(store):
    adaptive = Adaptive(learner)
    found, _ = check([about_size(adaptive, "")], store)
    assert found[0].status is Status.PASS
    rows = [row for row in found[0].to_data()["evidence"] if row["arm"] == "claim"]
    own = {row["seed"]: row["value"] for row in rows if row["quantity"] == "size"}
    assert own.keys() == set(SEEDS)
    for seed, estimate in own.items():
        assert abs(estimate / learner(seed, None, 1).critical - 1) < 0.06
    saved = {row["value"] for row in rows if row["quantity"] == "runs saved by adaptive sampling"}
    assert len(adaptive.grid(Setting(SIZES))) == 26
    assert min(saved) >= 26 - 4 - adaptive.most


def test_several_curves_a_seed_are_refined_each_for_itself(store):
    adaptive = Adaptive(learner, over="decays", most=3)
    found, _ = check([about_size(adaptive, "0.5/", decays=(0.5, 1.0))], store)
    assert found[0].status is Status.PASS
    labels = found[0].runs["claim"]["10"]
    assert {"0.5/137", "1/137", "0.5/1369", "1/1369"} <= labels.keys()
    halves = {int(label.split("/")[1]) for label in labels if label.startswith("0.5/")}
    ones = {int(label.split("/")[1]) for label in labels if label.startswith("1/")}
    assert halves != ones
    assert 4 < len(halves) <= 7


def test_the_one_line_for_claims_that_bring_their_own_runs():
    at = Setting(SIZES)
    rows = [(9, "test", "accuracy", 1.0)]

    def record(n):
        table = pd.DataFrame(rows, columns=["step", "split", "quantity", "value"])
        table["value"] = float(n > 520)
        return Record(learner(3, at, n), table, {}, lambda step: {})

    refine = refine_critical_size(run=learner)
    (label,) = refine(3, at, {str(n): record(n) for n in (137, 411, 821, 1369)})
    assert 411 < int(label) < 821
    assert refine_critical_size(run=learner, most=0)(3, at, {str(n): record(n) for n in (137, 411, 821, 1369)}) == {}


def test_networks_of_a_number_of_examples():
    at = Setting({**NETWORKS["quick"], "scratch_steps": 4000})
    retrained = retraining_run_of(0, at, 333)
    assert (retrained.n_train, retrained.steps, retrained.start) == (333, 3000, full_data_run(0, at))
    assert (scratch_run(0, at, 333).steps, scratch_run(0, at, 333).start) == (4000, None)
    assert scratch_run(0, at, 333, steps=7) == dataclasses.replace(retrained, start=None, steps=7)
