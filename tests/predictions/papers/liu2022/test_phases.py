"""Liu et al. 2022: the four phases and their order, on records that are made up."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from grokscape.predictions.evidence import CLAIM
from grokscape.predictions.papers.liu2022.phases import four_phases, phase_order, phase_quality
from grokscape.predictions.papers.liu2022.setup import Phase
from grokscape.predictions.terms import Setting
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.toys import trained, verdict
from tests.predictions.papers.liu2022.test_setup import TIMES


def diagram(arm, seed, run, *, without=None, flat=False):
    """The paper's diagram: slow decoders comprehend, then grok under decay; fast ones memorise; decay confuses."""
    slow, decay = run.decoder.lr < 2e-3, run.decoder.weight_decay
    if run.labels == "shuffled":
        kind = Phase.MEMORISATION
    elif decay > 4:
        kind = Phase.CONFUSION
    else:
        kind = Phase.MEMORISATION if not slow else Phase.GROKKING if decay > 2 else Phase.COMPREHENSION
    if kind is without:
        kind = Phase.COMPREHENSION
    if flat:
        kind = list(Phase)[seed % 2 * 2]
    fits, generalises = TIMES[kind]
    good = kind in (Phase.COMPREHENSION, Phase.GROKKING)
    spread = np.random.default_rng([seed, round(1e6 * run.decoder.lr)]).normal(0, 0.02)
    return trained(run, fits=fits, generalises=generalises, quality=(0.95 if good else 0.4) + spread)


@pytest.mark.parametrize("claim", [four_phases, phase_order])
def test_diagram(claim):
    assert verdict(claim, diagram).status is Status.PASS


def test_a_phase_that_is_missing():
    # So few seeds cannot exclude a phase that one in ten shows.
    assert verdict(four_phases, lambda *a: diagram(*a, without=Phase.GROKKING)).status is Status.INCONCLUSIVE
    two = lambda arm, s, run: trained(run, fits=500 if run.decoder.lr > 2e-3 else math.inf, generalises=math.inf)  # noqa: E731
    assert verdict(four_phases, two).status is Status.FAIL


def test_no_order():
    assert verdict(phase_order, lambda *a: diagram(*a, flat=True)).status is not Status.PASS
    assert verdict(phase_order, lambda *a: diagram(*a, without=Phase.CONFUSION)).status is Status.FAIL


def test_quality():
    assert verdict(phase_quality, diagram).status is Status.PASS
    same = lambda arm, seed, run: trained(  # noqa: E731
        run, fits=500, generalises=500 if run.decoder.lr < 2e-3 else math.inf, quality=0.8
    )
    assert verdict(phase_quality, same).status is Status.FAIL


def test_the_maps_show_every_run_of_every_tier():
    """Each row that a tier trains is a row of each panel, under the names that are measured."""
    panels = [rows for chart in four_phases.maps for _, rows in chart.panels]
    assert len(panels) == 3
    for tier in four_phases.tiers.values():
        at = Setting(tier.setting)
        assert all(set(at.decays) <= {y for y, _ in rows} for rows in panels)
    at = Setting(four_phases.tiers["quick"].setting)
    records = {label: diagram(CLAIM, 0, run) for label, run in four_phases.runs(0, at).items()}
    measured = {m.quantity for m in four_phases.measure(records, at)}
    for rows in panels:
        assert {name for y, name in rows if y in at.decays[::2]} <= measured


def test_the_map_names_what_phases_are_worth():
    assert dict(four_phases.maps[0].categories) == {kind.name.lower(): kind.value for kind in Phase}
    values = [value for _, value in four_phases.maps[0].categories]
    assert values == sorted(values)


def test_seeds_share_a_grid_of_twelve_by_twelve_at_quick():
    tier = four_phases.tiers["quick"]
    at = Setting(tier.setting)
    assert len(set(at.rates)) == len(set(at.decays)) == 12
    met = Counter(
        (run.decoder.lr, run.decoder.weight_decay) for seed in tier.seeds for run in four_phases.runs(seed, at).values()
    )
    # Each place as often as any other, by a quarter of the seeds; and every seed spans the plane.
    assert set(met.values()) == {5}
    assert len(met) == 144
    for seed in tier.seeds[:4]:
        own = [run.decoder for run in four_phases.runs(seed, at).values()]
        for name, every in (("lr", at.rates), ("weight_decay", at.decays)):
            places = sorted({every.index(getattr(decoder, name)) for decoder in own})
            assert places in ([0, 2, 4, 6, 8, 10], [1, 3, 5, 7, 9, 11])
    # Elsewhere every seed is at every place.
    fine = Setting(four_phases.tiers["standard"].setting)
    assert len(four_phases.runs(131, fine)) == 144


def test_levels_are_ranks_whatever_the_part():
    at = Setting(four_phases.tiers["quick"].setting)
    for seed in range(4):
        records = {label: diagram(CLAIM, seed, run) for label, run in four_phases.runs(seed, at).items()}
        found = [m for m in four_phases.measure(records, at) if m.quantity.startswith("phase at the")]
        assert [m.at for m in found] == [0, 1, 2, 3, 4, 5] * 2
        slowest = [m.value for m in found if "slowest" in m.quantity]
        assert slowest == sorted(slowest, reverse=True)
