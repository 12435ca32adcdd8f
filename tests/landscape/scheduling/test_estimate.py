"""What trainings are expected to cost: learnt from kin, whatever was believed before."""

from __future__ import annotations

import json
import math

import pytest

from grokscape.landscape.learners import EmbeddingDecoder, GaussianProcessRegression
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.scheduling.estimate import USUAL_FIXED, Costs, Shares
from grokscape.landscape.scheduling.job_reports import JobReport
from grokscape.landscape.scheduling.kinship import Kinship, Pooled
from grokscape.landscape.scheduling.requirements import SPEED
from grokscape.landscape.training.stop import Stop
from tests.landscape.helpers import small_run
from tests.landscape.scheduling.simulated import Pretend

STOP = (Stop(quantity="accuracy", above=0.9),)


def report(seconds: float, now: float = 1.0, **ended: float) -> JobReport:
    return JobReport(0.0, now, seconds, 0.0, seconds, ended)


def learn(costs: Costs, run: Pretend, seconds: float) -> None:
    """Let a run be trained to its end."""
    costs.saw(run.identity, [run], report(seconds, **{run.identity: 1.0}))


# -- kinship ----------------------------------------------------------------------------------------------------------


def kin(experiment: object) -> Kinship:
    return Kinship.of(experiment, float(experiment.work))  # type: ignore[arg-type, attr-defined]


def test_who_is_whose_kin() -> None:
    run = small_run()
    assert kin(run) == kin(run.replace(seed=9))
    other = kin(run.replace(optimiser=AdamW(lr=0.5)))
    assert other.setting != kin(run).setting
    assert other.by_cost == kin(run).by_cost
    larger = kin(run.replace(n_train=run.n_train + 1))
    assert larger.shape != kin(run).shape
    assert larger.form == kin(run).form
    assert kin(run.replace(loss="mse")).form != kin(run).form
    assert kin(run.replace(loss="mse")).kind == kin(run).kind
    assert kin(EmbeddingDecoder(seed=0, steps=9)).kind != kin(run).kind


def test_those_that_are_trained_alone_are_kin_all_the_same() -> None:
    """Their batch key is their identity, which says nothing of what they are."""
    one = GaussianProcessRegression(log_lengthscale=0, log_outputscale=0, seed=0)
    assert one.batch_key == one.identity
    assert kin(one) == kin(one.replace(seed=5))
    assert kin(one).form == kin(one.replace(log_lengthscale=0.25)).form


# -- means of nested groups -------------------------------------------------------------------------------------------


def test_a_mean_comes_from_the_nearest_that_was_seen() -> None:
    pooled = Pooled(prior=5.0, pull=0.01)
    assert pooled.estimate(("a1", "a", "")) == 5.0
    pooled.observe(("a1", "a", ""), "once", 1.0, 100.0)
    pooled.observe(("b1", "b", ""), "once", 3.0, 100.0)
    assert pooled.estimate(("a1", "a", "")) == pytest.approx(1.0, abs=0.1)
    assert pooled.estimate(("a2", "a", "")) == pytest.approx(1.0, abs=0.1)
    assert pooled.estimate(("c1", "c", "")) == pytest.approx(2.0, abs=0.1)
    assert pooled.doubt("a1") < 0.001
    assert pooled.doubt("a2") == 1.0


def test_what_was_seen_most_does_not_drown_the_rest() -> None:
    """Of ten groups one is odd, and was seen a thousand times as much."""
    pooled = Pooled(prior=0.0, pull=0.1)
    for group in range(9):
        pooled.observe((str(group), ""), "once", 1.0, 1.0)
    pooled.observe(("odd", ""), "once", 11.0, 1000.0)
    assert pooled.estimate(("new", "")) == pytest.approx(2.0, abs=0.2)
    assert pooled.estimate(("odd", "")) == pytest.approx(11.0, abs=0.1)


def test_a_source_may_say_something_else_later() -> None:
    pooled = Pooled(prior=0.0, pull=0.0001)
    pooled.observe(("a",), "job", 1.0, 1.0)
    pooled.observe(("a",), "job", 7.0, 1.0)
    assert pooled.estimate(("a",)) == pytest.approx(7.0, rel=1e-3)


# -- shares -----------------------------------------------------------------------------------------------------------


def test_early_ends_are_not_taken_for_all_ends() -> None:
    """Two of ten ended at a tenth, and eight have come to six tenths: the others of the setting will take longer."""
    shares, one = Shares(), kin(Pretend(stop=STOP))
    for run in range(10):
        shares.saw(one, str(run), 0.1 if run < 2 else 0.6, ended=run < 2)
    assert 0.5 < shares.expected(one) < 0.9
    assert 0.6 < shares.beyond(one, 0.6) < 1.0


def test_a_run_that_has_come_far_ends_where_others_did_that_came_as_far() -> None:
    shares, one = Shares(), kin(Pretend(stop=STOP))
    for run, share in enumerate([0.2, 0.2, 0.2, 0.9]):
        shares.saw(one, str(run), share, ended=True)
    assert shares.beyond(one, 0.5) == pytest.approx(0.9)
    assert shares.beyond(one, 0.1) == pytest.approx(0.375)
    assert shares.expected(one) == pytest.approx(0.4, abs=0.06)
    assert shares.expected(kin(Pretend(stop=STOP, setting=1.0))) == pytest.approx(0.48, abs=0.06)


def test_a_run_counts_once_however_often_it_tells() -> None:
    shares, one = Shares(), kin(Pretend(stop=STOP))
    for now in (0.1, 0.2, 0.3):
        shares.saw(one, "run", now, ended=False)
        shares.expected(one)
    shares.saw(one, "run", 0.3, ended=True)
    assert 0.3 < shares.expected(one) < (0.3 + 0.6) / 2 + 0.01  # as if it were the first of two, or less
    assert shares.learnt().weight(one.setting) == 1.0


# -- costs ------------------------------------------------------------------------------------------------------------


def test_before_anything_is_seen_a_constant_must_do() -> None:
    costs, run = Costs(), Pretend()
    assert not costs.known
    assert costs.seconds(run) == pytest.approx(run.work / SPEED + USUAL_FIXED)
    assert costs.seconds(run.replace(stop=STOP)) < costs.seconds(run)
    assert costs.most(run.replace(stop=STOP)) == costs.most(run)


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_a_wrong_prior_is_corrected_for_all_kin(factor: float) -> None:
    """One shape of ten has been trained, and all had been measured wrong: the others are expected to be so, too."""
    costs, shapes = Costs(), [Pretend(size=size) for size in range(1, 11)]
    for shape in shapes:
        costs.calibrate(shape, factor / 1e10)
    assert costs.whole(shapes[0]) == pytest.approx(factor * shapes[0].work / 1e10, rel=0.05)
    for run in (shapes[0], shapes[1]):
        learn(costs, run.replace(steps=100_000), 100 * run.work / 1e10)
    for shape in shapes:
        assert abs(math.log(costs.whole(shape) / (shape.work / 1e10))) < math.log(2.5)
    assert costs.whole(shapes[0]) == pytest.approx(shapes[0].work / 1e10, rel=0.15)


def test_one_odd_shape_does_not_spoil_the_others() -> None:
    costs, shapes = Costs(), [Pretend(size=size, steps=100_000) for size in range(1, 11)]
    for shape in shapes[:9]:
        learn(costs, shape, shape.work / 1e10 * (20 if shape.size == 1 else 1))
    assert costs.whole(shapes[0]) == pytest.approx(20 * shapes[0].work / 1e10, rel=0.3)
    for shape in shapes[1:]:
        assert costs.whole(shape) == pytest.approx(shape.work / 1e10, rel=0.7)


def test_runs_that_stop_tell_how_fast_they_are_and_how_long_they_take() -> None:
    """Four took a quarter of their steps together; the speed is that of the steps they took."""
    costs = Costs()
    batch = [Pretend(seed=seed, steps=100_000, stop=STOP) for seed in range(4)]
    work = batch[0].work
    costs.saw("job", batch, report(work / 1e10, **{run.identity: 0.25 for run in batch}))
    assert costs.whole(batch[0]) == pytest.approx(work / 1e10, rel=0.1)
    assert costs.seconds(batch[0].replace(seed=9)) == pytest.approx(0.27 * work / 1e10, rel=0.1)
    assert costs.left(batch[0].replace(seed=9), 0.2) < 0.1 * work / 1e10


def test_what_a_resumed_job_had_done_is_no_evidence_of_speed() -> None:
    costs, run = Costs(), Pretend(steps=100_000)
    costs.saw("job", [run], JobReport(0.5, 0.6, 0.1 * run.work / 1e10, 0.0, 1.0, {}))
    assert costs.whole(run) == pytest.approx(run.work / 1e10, rel=0.1)


def test_what_a_job_found_there_already_teaches_nothing() -> None:
    costs, run = Costs(), Pretend(steps=100_000)
    there = run.replace(seed=5)
    costs.ended("job", [run, there], report(run.work / 1e10, **{run.identity: 1.0}))
    assert costs.whole(run) == pytest.approx(run.work / 1e10, rel=0.1)
    before = costs.whole(run)
    costs.ended("other", [there], report(0.5))
    assert costs.whole(run) == before


def test_storing_costs_something_besides() -> None:
    costs, run = Costs(), Pretend(size=0)
    costs.stored(1000, 500.0)
    assert costs.seconds(run) == pytest.approx(0.5, rel=0.01)


def test_what_was_learnt_is_remembered() -> None:
    costs, again, run = Costs(), Costs(), Pretend(steps=100_000, stop=STOP)
    costs.saw("job", [run], report(run.work / 1e10 / 4, **{run.identity: 0.25}))
    again.remember(json.loads(json.dumps(costs.to_data())))
    assert again.known
    assert again.is_calibrated(run)
    assert not again.is_calibrated(run.replace(size=2))
    for other in (run, run.replace(size=2), run.replace(setting=3.0), run.replace(family="z")):
        assert again.seconds(other) == pytest.approx(costs.seconds(other), rel=0.25)


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        {"pace": 3, "share": []},
        {"pace": [["a", None]], "share": []},
        {"pace": [[1, 2.0]], "share": []},
        {"pace": [["a", "b", "c", "d", "", float("nan")]], "share": []},
        {"pace": [["a", 1.0]], "share": []},
        {"pace": [["a", "b", "c", "d", "", 1e9]], "share": []},
        {"pace": [], "share": [["a", "b", "c", "d", "e", "", 1.5]]},
        {"pace": [[]], "share": []},
    ],
)
def test_what_is_no_memory_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match=r"holds|no estimates"):
        Costs().remember(data)  # type: ignore[arg-type]
