"""Norm against temperature: what is undone by which, and how each claim can come out."""

from __future__ import annotations

import pytest

from grokscape.landscape.models import Perceptron, Tempered
from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.truong2026c.logit_scale import (
    networks_at_two_norms_and_temperatures,
    not_under_squared_error,
    shares_of_the_delay,
    temperature_alone_delays,
    temperature_undoes_norm,
)
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import course, jitter, verdict

AT = Setting({"split": "test", "level": 0.9})
LABELS = ("low norm", "high norm", "high norm, tempered", "low norm, sharpened")


def measured(*times, **how):
    records = {label: course(None, fits=30, generalises=t, **how) for label, t in zip(LABELS, times, strict=True)}
    return {(m.quantity, m.at): m for m in shares_of_the_delay(records, AT)}


@pytest.mark.parametrize(
    ("tempered", "sharpened", "recovered", "reproduced"),
    [(100, 1000, 1.0, 1.0), (1000, 100, 0.0, 0.0), (316, 316, 0.5, 0.5), (2000, 50, -0.3, -0.3)],
)
def test_shares_are_of_the_logarithm_of_the_delay(tempered, sharpened, recovered, reproduced):
    found = measured(100, 1000, tempered, sharpened)
    assert found["share of the delay that the temperature recovers", None].value == pytest.approx(recovered, abs=0.01)
    assert found["share of the delay that the temperature alone makes", None].value == pytest.approx(
        reproduced, abs=0.01
    )
    assert found["runs that generalise", None].value == 4


def test_where_the_norm_delays_nothing_nothing_is_shared_out():
    found = measured(100, 100, 50, 50)
    assert found["share of the delay that the temperature recovers", None].value == 0.0


def test_what_never_generalises_is_censored():
    found = measured(100, 10**9, 200, 300, last=3000)
    assert found["from the low norm to the high one", 1].censored
    assert found["runs that generalise", None].value == 3


def test_temperatures_are_those_that_bring_the_logits_back():
    at = temperature_undoes_norm.arms("quick")[CLAIM]
    runs = networks_at_two_norms_and_temperatures(0, at)
    assert isinstance(runs["low norm"].model, Perceptron)
    assert isinstance(runs["high norm, tempered"].model, Tempered)
    assert runs["high norm, tempered"].model.temperature == pytest.approx((44 / 32) ** 3)
    assert runs["low norm, sharpened"].model.temperature == pytest.approx((32 / 44) ** 3)
    assert [run.fixed_norm for run in runs.values()] == [32.0, 44.0, 44.0, 32.0]
    untempered = networks_at_two_norms_and_temperatures(0, temperature_undoes_norm.arms("quick")["a temperature of 1"])
    assert untempered["high norm, tempered"].identity == runs["high norm"].identity


def threshold(run):
    return 38 if run.loss == "cross_entropy" else 17


@pytest.mark.parametrize(
    ("norm", "scale", "undone", "alone", "otherwise"),
    [
        (0.1, 0.9, Status.PASS, Status.PASS, Status.FAIL),
        (0.9, 0.1, Status.FAIL, Status.FAIL, Status.PASS),
    ],
)
def test_verdicts(norm, scale, undone, alone, otherwise):
    def behave(arm, seed, label, run):
        hot, large = isinstance(run.model, Tempered), run.fixed_norm > threshold(run)
        by_norm, by_scale = (0.1, 0.9) if arm == "cross-entropy" else (norm, scale)
        time = 150 * jitter(seed) * 6 ** (by_norm * large + by_scale * (large != hot))
        return course(run, fits=30, generalises=time)

    assert verdict(temperature_undoes_norm, behave).status is undone
    assert verdict(temperature_alone_delays, behave).status is alone
    assert verdict(not_under_squared_error, behave).status is otherwise
