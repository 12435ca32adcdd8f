"""Liu et al. 2022: weight decay of the decoder and the delay, on records that are made up."""

from __future__ import annotations

import math

from grokscape.predictions.papers.liu2022.decay import decay_delays, decay_hastens, decay_makes_grokking
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.toys import record, rises, trained, verdict


def delayed(arm, seed, run, *, sign=1.0, late=1.0):
    """Generalising comes the later the more decay, and `late` times as late as by a thousand steps from fitting."""
    decay = run.decoder.weight_decay if sign > 0 else 3 - run.decoder.weight_decay
    if run.labels == "shuffled":
        return trained(run, fits=400, generalises=math.inf)
    return trained(run, fits=400, generalises=600 + late * 700 * decay)


def test_decay_delays():
    assert verdict(decay_delays, delayed).status is Status.PASS
    assert verdict(decay_delays, lambda *a: delayed(*a, sign=-1.0)).status is Status.FAIL


def test_decay_makes_grokking():
    assert verdict(decay_makes_grokking, delayed).status is Status.PASS
    assert verdict(decay_makes_grokking, lambda *a: delayed(*a, late=0.1)).status is Status.FAIL


def test_a_run_that_never_generalised_is_at_least_as_late_as_it_is_long():
    at = Setting(decay_delays.tiers["quick"].setting)
    records = {
        label: trained(run, fits=400, generalises=600 if run.decoder.weight_decay == 0 else math.inf)
        for label, run in decay_delays.runs(0, at).items()
    }
    found = {(m.quantity, m.at): m for m in decay_delays.measure(records, at)}
    assert found["steps to generalise", 3.0].censored
    assert not found["steps to generalise", 0.0].censored
    # What never generalises does not grok.
    assert found["groks at some weight decay", None].value == 0.0


def transformer(arm, seed, run, *, sign=1.0):
    """A transformer that fits the later, and generalises the sooner, the more decay."""
    decay = run.optimiser.weight_decay
    late = 240 / decay**sign
    never = run.labels == "random" or late > 790
    return record(run, train__accuracy=rises(120 * decay), test__accuracy=rises(math.inf if never else late))


def test_decay_hastens_transformers():
    assert verdict(decay_hastens, transformer).status is Status.PASS
    # The other way round; or the delay is shorter for no other reason than that fitting is later.
    assert verdict(decay_hastens, lambda *a: transformer(*a, sign=0.0)).status is Status.FAIL
    assert verdict(decay_hastens, lambda *a: transformer(*a, sign=-1.0)).status is Status.FAIL


def test_a_transformer_that_never_generalises_waits_longest():
    at = Setting(decay_hastens.tiers["quick"].setting)
    records = {label: transformer("", 0, run) for label, run in decay_hastens.runs(0, at).items()}
    found = [m for m in decay_hastens.measure(records, at) if m.quantity == "delay"]
    assert [m.at for m in found] == [0.3, 0.6, 1.2]
    assert [m.censored for m in found] == [True, False, False]
    assert found[1].value > found[2].value
    # Where fitting is in place of the delay, it is never censored and rises.
    fitting = Setting(dict(at) | {"until": "fit"})
    times = [m.value for m in decay_hastens.measure(records, fitting) if m.quantity == "delay"]
    assert times == sorted(times)
