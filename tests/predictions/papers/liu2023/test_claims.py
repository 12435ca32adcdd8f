"""Omnigrok's claims on made-up evidence: how each comes out under its effect, without it, and against it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.liu2023.data_size import data_size_degroks
from grokscape.predictions.papers.liu2023.landscape import landscape, last_crossing, more_data_widen_the_shell
from grokscape.predictions.papers.liu2023.representation import (
    representation_decides,
    representation_matters_little_on_mnist,
)
from grokscape.predictions.papers.liu2023.setup import STUDENT
from grokscape.predictions.papers.liu2023.teacher_student import (
    inverse_decay,
    never_without_decay,
    one_norm,
    small_start_needs_no_decay,
    start_decides,
)
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import course, jitter, verdict

# -- The landscape -----------------------------------------------------------------------------------------------------


def surface(run, seed, train, test):
    """A record of a landscape whose log10 losses are functions of (size, log10 scale)."""
    rows = []
    places = [(size, scale) for size in run.sizes for scale in run.scales]
    for place, (size, scale) in enumerate(places):
        x = math.log10(scale)
        factor = jitter(1000 * seed + place)
        values = {
            ("", "size"): size,
            ("", "scale"): scale,
            ("", "norm"): 10 * scale,
            ("", "converged"): 1.0,
            ("train", "loss"): factor * 10 ** train(size, x),
            ("test", "loss"): factor * 10 ** test(size, x),
            ("train", "accuracy"): float(train(size, x) < -3),
            ("test", "accuracy"): float(test(size, x) < -3),
            ("train", "best loss"): 10 ** train(size, x),
            ("test", "best loss"): 10 ** min(test(size, x), 0.0),
            ("train", "best accuracy"): 1.0,
            ("test", "best accuracy"): 1.0,
        }
        rows += [(place, split, quantity, float(value)) for (split, quantity), value in values.items()]
    return Record(
        run, pd.DataFrame(rows, columns=["step", "split", "quantity", "value"]), {"last_step": 0}, lambda s: {}
    )


def falls(size, x):
    return -6.0 + max(0.0, -4 * x)


def u(size, x, bottom=-0.25, edge=0.5):
    return -4.0 + 5 * abs(x - bottom) - edge * math.log10(size / 100)


def no_rule(size, x):
    return -1.0 + max(0.0, x)


def shaped(train=falls, test=u):
    def behave(arm, seed, label, run):
        return surface(run, seed, train, test if arm == CLAIM else no_rule)

    return behave


def test_an_l_and_a_u():
    assert verdict(landscape, shaped()).status is Status.PASS
    assert verdict(landscape, shaped(train=lambda size, x: falls(size, x) + 8 * max(0.0, x))).status is Status.FAIL
    assert verdict(landscape, shaped(test=lambda size, x: -4.0 + max(0.0, -5 * x))).status is Status.FAIL
    # With its bottom at ten times the usual norm it is a U elsewhere.
    assert verdict(landscape, shaped(test=lambda size, x: u(size, x, bottom=0.75))).status is Status.FAIL
    # A control that shows a U makes any verdict worthless.
    everywhere = verdict(landscape, lambda arm, seed, label, run: surface(run, seed, falls, u))
    assert everywhere.status is Status.INVALID


def test_a_shell_that_grows_with_data():
    assert verdict(more_data_widen_the_shell, shaped()).status is Status.PASS
    assert verdict(more_data_widen_the_shell, shaped(test=lambda size, x: u(size, x, edge=0.0))).status is Status.FAIL


@pytest.mark.parametrize(
    ("y", "level", "expected"),
    [
        ([3.0, 1.0, -1.0, 1.0, 3.0], 0.0, 2.5),
        ([3.0, 1.0, -1.0, -3.0, 5.0], 1.0, 3.5),
        ([-1.0, 2.0, -2.0, 2.0, 2.0], 0.0, 2.5),
        ([1.0, 2.0, 1.0, 2.0, 2.0], 0.0, 0.0),
        ([1.0, -2.0, -1.0, -2.0, -2.0], 0.0, 4.0),
    ],
)
def test_the_outer_edge_is_the_last_crossing(y, level, expected):
    assert last_crossing(np.arange(5.0), np.array(y), level) == pytest.approx(expected)


def test_the_best_seen_is_mapped_beside_the_end_and_decides_nothing():
    """A network that was right on the way and is wrong at the end counts as wrong."""
    at = more_data_widen_the_shell.arms("quick")[CLAIM]
    record = surface(more_data_widen_the_shell.runs(0, at)["landscape"], 0, falls, u)
    best = (record.trajectory["split"] == "test") & (record.trajectory["quantity"] == "best accuracy")

    def found():
        return {(m.quantity, m.at): m.value for m in more_data_widen_the_shell.measure({"landscape": record}, at)}

    before = found()
    assert before["best test accuracy, 50 examples", 10.0] == 1.0
    assert before["test accuracy, 50 examples", 10.0] == 0.0
    record.trajectory.loc[best, "value"] = 0.0
    after = found()
    assert after["best test accuracy, 50 examples", 10.0] == 0.0
    assert {key: value for key, value in after.items() if "best" not in key[0]} == {
        key: value for key, value in before.items() if "best" not in key[0]
    }


# -- Teacher and student -----------------------------------------------------------------------------------------------


def inward(run, *, end=11.0, start=8.75, fits=600.0, rate=3e-4, last=30_000):
    """A student whose norm decays to the one where it generalises; without decay it never does."""
    decay, begin = run.optimiser.weight_decay, start * run.initial_scale
    needed = math.inf if decay == 0 else max(math.log(begin / end), 0.03) / (rate * decay)
    last = min(last, run.steps)
    generalises = fits + needed

    def norm(steps):
        return np.maximum(begin * np.exp(-rate * decay * np.maximum(steps - fits, 0)), min(begin, end))

    return course(run, fits=fits, generalises=generalises if generalises < last else math.inf, norm=norm, last=last)


def students(**changes):
    return lambda arm, seed, label, run: inward(run, end=11.0 * jitter(seed), **changes)


def test_the_start_decides():
    assert verdict(start_decides, students()).status is Status.PASS

    def indifferent(arm, seed, label, run):
        return course(run, fits=600, generalises=2000 * jitter(seed), last=run.steps)

    assert verdict(start_decides, indifferent).status is Status.FAIL


def test_the_power_of_weight_decay():
    assert verdict(inverse_decay, students()).status is Status.PASS

    def root(arm, seed, label, run):
        when = 600 + 2000 * jitter(seed) * run.optimiser.weight_decay**-0.5
        return course(run, fits=600, generalises=when)

    assert verdict(inverse_decay, root).status is Status.FAIL


def test_a_small_start_needs_no_decay():
    def inside_at_once(arm, seed, label, run):
        if run.initial_scale < 1:
            return course(run, fits=300, generalises=900 * jitter(seed))
        return inward(run, end=11.0 * jitter(seed))

    assert verdict(small_start_needs_no_decay, inside_at_once).status is Status.PASS

    def inverse_from_anywhere(arm, seed, label, run):
        return course(run, fits=100, generalises=600 * jitter(seed) / run.optimiser.weight_decay)

    assert verdict(small_start_needs_no_decay, inverse_from_anywhere).status is Status.FAIL


def test_students_that_never_generalise_leave_the_power_of_decay_undecided():
    """A gate, not the claim, is what they fail."""

    def never(arm, seed, label, run):
        return course(run, fits=600, generalises=math.inf)

    assert verdict(inverse_decay, never).status is Status.INVALID


def test_never_without_decay():
    assert verdict(never_without_decay, students()).status is Status.PASS

    def all_the_same(arm, seed, label, run):
        return course(run, fits=600, generalises=3000 * jitter(seed), last=run.steps)

    assert verdict(never_without_decay, all_the_same).status is not Status.PASS


def test_one_norm():
    assert verdict(one_norm, students()).status is Status.PASS

    def wherever(arm, seed, label, run):
        """Generalises a fixed time after fitting, at whatever norm it is then."""
        decay = run.optimiser.weight_decay

        def norm(steps):
            return 8.75 * run.initial_scale * np.exp(-3e-4 * decay * np.maximum(steps - 600, 0))

        return course(run, fits=600, generalises=2000 * jitter(seed), norm=norm)

    assert verdict(one_norm, wherever).status is Status.FAIL


def test_claims_that_share_a_student_share_its_run():
    shared = {
        claim.id: {run.identity for run in claim.runs(100, claim.arms("quick")[CLAIM]).values()}
        for claim in (start_decides, inverse_decay, one_norm)
    }
    assert len(set.union(*shared.values())) == 5
    assert STUDENT["n_train"] == 100


# -- Data size and representation --------------------------------------------------------------------------------------


def test_more_data_shorten_the_delay():
    def behave(arm, seed, label, run):
        size = run.n_train
        when = 2e5 / size * jitter(seed) if arm == CLAIM and size > 60 else math.inf
        return course(run, fits=100 + size, generalises=when, last=2500)

    assert verdict(data_size_degroks, behave).status is Status.PASS

    def indifferent(arm, seed, label, run):
        return course(run, fits=100, generalises=1000 * jitter(seed) if arm == CLAIM else math.inf, last=2500)

    assert verdict(data_size_degroks, indifferent).status is Status.FAIL


def decoded(effect, elsewhere=lambda messiness: 0.05):
    def behave(arm, seed, label, run):
        accuracy = (effect if arm == CLAIM else elsewhere)(run.task.messiness)
        steps = np.arange(0, 1501, 50)
        rows = [
            (int(step), split, "accuracy", value)
            for step in steps
            for split, value in (("train", 1.0), ("test", min(accuracy * jitter(seed), 1.0)))
        ]
        table = pd.DataFrame(rows, columns=["step", "split", "quantity", "value"])
        return Record(run, table, {"last_step": 1500}, lambda s: {})

    return behave


def test_representation_decides():
    assert (
        verdict(representation_decides, decoded(lambda messiness: max(0.9 - 3 * messiness, 0.05))).status is Status.PASS
    )
    assert verdict(representation_decides, decoded(lambda messiness: 0.9)).status is Status.FAIL


def test_representation_matters_little_on_mnist():
    claim = representation_matters_little_on_mnist

    def on_sums(messiness):
        return max(0.9 - 3 * messiness, 0.05)

    assert verdict(claim, decoded(lambda messiness: 0.98 - 0.07 * messiness, on_sums)).status is Status.PASS
    assert verdict(claim, decoded(on_sums, on_sums)).status is Status.FAIL
    # Bad at every representation is no robustness.
    assert verdict(claim, decoded(lambda messiness: 0.3, on_sums)).status is Status.FAIL
    # Sums that are as robust make the comparison void.
    assert verdict(claim, decoded(lambda messiness: 0.95, lambda messiness: 0.95)).status is Status.INVALID


def test_the_comparison_with_sums_costs_no_runs_of_its_own():
    on_images, on_sums = (
        {run.identity for at in claim.arms("quick").values() for run in claim.runs(130, at).values()}
        for claim in (representation_matters_little_on_mnist, representation_decides)
    )
    assert len(on_images - on_sums) == 3
