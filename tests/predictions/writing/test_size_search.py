"""The search for a critical size: few runs find it, curve by curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import pandas as pd
import pytest

from grokscape.landscape.experiment import Experiment, Outcome, Session
from grokscape.landscape.records.record import Record
from grokscape.landscape.records.store import Store
from grokscape.landscape.tasks import BinaryOperation
from grokscape.predictions import SizeSearch
from grokscape.predictions.checking.check import Check
from grokscape.predictions.evidence import Measurement
from grokscape.predictions.rules import Exceeds
from grokscape.predictions.terms import Calibrated, Control, Criterion, Setting, Tier
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.claims import claim

SEEDS = tuple(range(10, 18))


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


SIZES = {"task": BinaryOperation(p=37), "first_sizes": (0.1, 0.3, 0.6, 1.0)}


def about_size(search, curve=None, **setting):
    def found(records, at):
        size = search.critical_size(records, at, curve)
        yield Measurement("size", size.estimate)
        yield Measurement("runs saved by adaptive sampling", search.runs_saved(records, at))

    return claim(
        runs=search.first_runs,
        refine=search.more_runs,
        rounds=search.most,
        measure=found,
        criteria=(
            Criterion(quantity="size", rule=Exceeds(400.0), threshold_from="-", calibrated=Calibrated(520, 9, "0-2")),
        ),
        controls=(Control("cut", {"first_sizes": (0.1, 0.2)}, "nothing generalises there"),),
        tiers={"quick": Tier(SEEDS, SIZES | setting)},
    )


@pytest.fixture
def judged(tmp_path):
    def judge(*args, **setting):
        done = Check([about_size(*args, **setting)], "quick", Store(tmp_path / "store"))
        with ThreadPoolExecutor(1) as executor:
            for _ in done.run(executor):
                pass
        return done.verdicts[0]

    return judge


def test_a_claim_finds_its_critical_size_with_few_runs(judged):
    search = SizeSearch(run=learner, ratio=1.1)
    found = judged(search)
    assert found.status is Status.PASS
    rows = [row for row in found.to_data()["evidence"] if row["arm"] == "claim"]
    own = {row["seed"]: row["value"] for row in rows if row["quantity"] == "size"}
    assert own.keys() == set(SEEDS)
    for seed, estimate in own.items():
        assert abs(estimate / learner(seed, None, 1).critical - 1) < 0.06
    saved = {row["value"] for row in rows if row["quantity"] == "runs saved by adaptive sampling"}
    assert len(search.grid(Setting(SIZES))) == 26
    assert min(saved) >= 26 - 4 - search.most


def test_several_curves_a_seed_are_refined_each_for_itself(judged):
    found = judged(SizeSearch(run=learner, curves="decays", ratio=1.1, most=3), 0.5, decays=(0.5, 1.0))
    assert found.status is Status.PASS
    labels = found.runs["claim"]["10"]
    assert {"0.5/137", "1/137", "0.5/1369", "1/1369"} <= labels.keys()
    halves = {int(label.split("/")[1]) for label in labels if label.startswith("0.5/")}
    ones = {int(label.split("/")[1]) for label in labels if label.startswith("1/")}
    assert halves != ones
    assert 4 < len(halves) <= 7


def record(n, above=520):
    rows = [(9, "test", "accuracy", float(n > above))]
    table = pd.DataFrame(rows, columns=["step", "split", "quantity", "value"])
    return Record(learner(3, None, n), table, {}, lambda step: {})


RECORDS = {str(n): record(n) for n in (137, 411, 821, 1369)}


def test_the_next_size_lies_where_accuracy_turns():
    (label,) = SizeSearch(run=learner).more_runs(3, Setting(SIZES), RECORDS)
    assert 411 < int(label) < 821


def test_an_arm_may_be_content_with_fewer_sizes():
    assert SizeSearch(run=learner, most=0).more_runs(3, Setting(SIZES), RECORDS) == {}
    assert SizeSearch(run=learner).more_runs(3, Setting(SIZES | {"most": 0}), RECORDS) == {}


def test_a_curve_knows_its_own_records_and_sizes():
    search = SizeSearch(
        run=learner, curves="curves", name=lambda curve: f"curve {curve}", first_sizes=lambda at, curve: at[curve]
    )
    at = Setting({"task": BinaryOperation(p=37), "curves": ("a", "b"), "a": (0.1, 0.3), "b": (0.6, 1.0)})
    assert list(search.first_runs(3, Setting({**at, "curves": ()}))) == []
    assert search.begin(at, "b") == [821, 1369]
    records = {
        "curve a/411": record(411),
        "curve a/137": record(137),
        "random/0.08": record(9),
        "curve b/821": record(821),
    }
    assert search.tried(records, "a") == {137: 0.0, 411: 0.0}
    assert list(search.tried(records, "a")) == [137, 411]
    assert search.tried(records, "b") == {821: 1.0}
    assert SizeSearch(run=learner).tried(records | RECORDS) == {137: 0.0, 411: 0.0, 821: 1.0, 1369: 1.0}
