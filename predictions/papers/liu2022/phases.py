"""Liu et al. 2022: four phases of learning, by the decoder's learning rate and weight decay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from grokscape.landscape import Experiment, Record
from grokscape.predictions import (
    Amendment,
    Calibrated,
    Control,
    Criterion,
    Exceeds,
    Measurement,
    Monotone,
    PhaseDiagram,
    Proportion,
    Setting,
    Tier,
)
from grokscape.predictions.papers.liu2022 import NEW_SEEDS, claim
from grokscape.predictions.papers.liu2022.setup import COARSE, FINE, SEEDS, TESTED, WIDE, Phase, described, phase, toy


def toys_on_a_grid(seed: int, at: Setting) -> Mapping[str, Experiment]:
    """A run at decoder learning rates and decoder weight decays: all, or the seed's part of a finer grid.

    Of ``at.parts = 2`` by 2 parts, each takes every second rate and every second decay, and spans the whole plane.
    """
    rates, decays = at.rates[seed % at.parts :: at.parts], at.decays[seed // at.parts % at.parts :: at.parts]
    return {f"{w:g}/{r:g}": toy(seed, at, at.n_train, lr=r, weight_decay=w) for w in decays for r in rates}


def phases_found(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    values = {}
    for record in records.values():
        decoder = described(record).decoder
        values[decoder.lr, decoder.weight_decay] = (
            phase(record),
            record.final("quality"),
            record.final(TESTED, "test"),
        )
    for (r, w), (kind, quality, accuracy) in values.items():
        yield Measurement(f"phase, weight decay {w:g}", kind.value, at=r)
        yield Measurement(f"test accuracy, weight decay {w:g}", accuracy, at=r)
        yield Measurement(f"representation quality, weight decay {w:g}", quality, at=r)
    # By rank: the parts of the grid have rates and decays of their own.
    rates, decays = (sorted({place[axis] for place in values}) for axis in (0, 1))
    for rank, w in enumerate(decays):
        yield Measurement("phase at the slowest decoder, by weight decay", values[rates[0], w][0].value, at=rank)
    for rank, r in enumerate(rates):
        yield Measurement("phase at the least weight decay, by decoder rate", values[r, decays[0]][0].value, at=rank)
    kinds = [kind for kind, _, _ in values.values()]
    yield Measurement("phases found", float(len(set(kinds))))
    yield Measurement("all four phases found", float(len(set(kinds)) == len(Phase)))
    for kind in Phase:
        yield Measurement(f"runs in {kind.name.lower()}", float(kinds.count(kind)))

    def gained(over: Phase, within: Iterable[tuple[float, float]]) -> float:
        """Quality where it generalises less that of another phase; one that is not there counts against the claim."""
        runs = [values[place] for place in within]
        good, other = (
            [quality for kind, quality, _ in runs if kind in wanted]
            for wanted in ((Phase.COMPREHENSION, Phase.GROKKING), (over,))
        )
        best = float(np.mean(good)) if good else 0.0
        return best - (float(np.mean(other)) if other else best)

    good = [q for kind, q, _ in values.values() if kind in (Phase.COMPREHENSION, Phase.GROKKING)]
    yield Measurement("quality where it generalises", float(np.mean(good)) if good else 0.0)
    slight = [place for place in values if place[1] == decays[0]]
    yield Measurement("quality gained over memorisation, at the least weight decay", gained(Phase.MEMORISATION, slight))
    # Not judged: see the notes of phase_quality.
    yield Measurement("quality gained over memorisation", gained(Phase.MEMORISATION, values))
    yield Measurement("quality gained over confusion", gained(Phase.CONFUSION, values))


ROWS = sorted({w for grid in (COARSE, FINE, WIDE) for w in grid["decays"]})
AXES: Mapping[str, Any] = {"x": "decoder learning rate", "y": "decoder weight decay", "log_x": True, "boundaries": ()}


def panel(title: str, quantity: str) -> tuple[str, tuple[tuple[float, str], ...]]:
    """A panel of a map: a row of the quantity for each weight decay."""
    return title, tuple((w, f"{quantity}, weight decay {w:g}") for w in ROWS)


MAPS = (
    PhaseDiagram(
        panels=(panel("each training's phase", "phase"),),
        value="phase",
        title="Four phases of learning",
        figure="figure 6",
        categories=tuple((kind.name.lower(), kind.value) for kind in Phase),
        **AXES,
    ),
    PhaseDiagram(
        panels=tuple(panel(name, name) for name in ("test accuracy", "representation quality")),
        value="share",
        title="What is right, and what lies on a line",
        **AXES,
    ),
)
TIERS = {
    "quick": Tier(SEEDS, COARSE),
    "standard": Tier(SEEDS, FINE),
    "paper": Tier(SEEDS, WIDE),
}
SHUFFLED = Control(
    "shuffled sums",
    {"labels": "shuffled", "rates": (3e-4, 3e-3, 1e-2), "decays": (0.0, 3.0, 6.0), "parts": 1, "steps": 2000},
    "without a place that is better than another there is nothing to comprehend",
)

four_phases = claim(
    id="liu2022.four_phases",
    claim="By the decoder's learning rate and weight decay, training comprehends, groks, memorises or is confused.",
    where="section 4.1, figure 6, appendix A",
    kind="extension",
    runs=toys_on_a_grid,
    measure=phases_found,
    criteria=(
        Criterion(
            quantity="phases found",
            rule=Exceeds(2.5),
            threshold_from="more than fitting and not fitting, which need no theory",
            calibrated=Calibrated(3.4, 0.68, "0-19"),
        ),
        Criterion(
            quantity="all four phases found",
            rule=Proportion(0.08),
            threshold_from="a phase exists that more than one seed in twelve shows; what most show is another claim",
            calibrated=Calibrated(0.5, 0.5, "0-19"),
        ),
    ),
    controls=(SHUFFLED,),
    maps=MAPS,
    tiers=TIERS,
    notes="Before calibration all four phases had to be found in most seeds (thresholds 3.5 and 0.8); calibration "
    "found them in about half, and what is claimed is that they exist. At quick each seed trains a quarter of the "
    "diagram's places, every second rate and every second decay, so that every place is trained in five of twenty. "
    "Grokking is in eleven of twenty calibration seeds: which have it is a matter of the split, see "
    "liu2022.decay_makes_grokking. Only held-out pairs count whose sum some training pair has; the paper counts all, "
    "so that with 45 of 55 pairs a split that holds out a sum altogether could not generalise by its rule. At quick "
    "the decoder is narrower than the paper's, and is trained for a tenth of its steps. "
    "Each of the paper's three diagrams has all four phases; that one seed in twelve has them asks for less.",
)

phase_order = claim(
    id="liu2022.phase_order",
    claim="Comprehension gives way to memorisation where the decoder learns fast, and to confusion where it decays.",
    where="section 4.1, figure 6",
    kind="extension",
    runs=toys_on_a_grid,
    measure=phases_found,
    criteria=(
        Criterion(
            quantity="phase at the least weight decay, by decoder rate",
            rule=Monotone("falling", least=0.5),
            threshold_from="half way from no order to a perfect one: phases are few, and ties many",
            calibrated=Calibrated(0.112, 0.209, "0-19"),
        ),
        Criterion(
            quantity="phase at the slowest decoder, by weight decay",
            rule=Monotone("falling", least=0.5),
            threshold_from="half way from no order to a perfect one: phases are few, and ties many",
            calibrated=Calibrated(0.21, 0.22, "0-19"),
        ),
    ),
    controls=(SHUFFLED,),
    tiers=TIERS,
    notes="Phases are ranked comprehension, grokking, memorisation, confusion. Levels are ranks of rate and decay: at "
    "quick half of the seeds have no run without decay, but one with little (0.6). "
    "In the paper confusion lies where the decoder both learns fast and decays much; that it lies along the edge "
    "of the slowest decoder too is not stated.",
)

phase_quality = claim(
    id="liu2022.phase_quality",
    claim="What generalises, soon or late, has its symbols on a line, and what memorises without decay has not.",
    where="abstract; section 4.1, figure 6",
    kind="extension",
    runs=toys_on_a_grid,
    measure=phases_found,
    criteria=(
        Criterion(
            quantity="quality where it generalises",
            rule=Exceeds(0.9),
            threshold_from="nearly all parallelograms; the authors' own results have 0.99",
            # Two of twenty seeds are below; a spread that would put so many there.
            calibrated=Calibrated(1.0, 0.078, "0-19"),
        ),
        Criterion(
            quantity="quality gained over memorisation, at the least weight decay",
            rule=Exceeds(0.3, centre="mean"),
            threshold_from="a third of all there is; the authors' own results have 0.5",
            calibrated=Calibrated(0.57, 0.31, "0-19"),
        ),
    ),
    controls=(SHUFFLED,),
    tiers=TIERS,
    amendments=(
        NEW_SEEDS,
        Amendment(
            date="2026-11-25",
            what="Memorisation is judged at the least weight decay, where it was judged at all of them on a grid with "
            "few; and confusion not at all, which was liu2022.confusion_quality.",
            why="Over the whole plane the gain is 0.35 over memorisation and 0.21 over confusion, with a spread of 0.3 "
            "and 0.24 between calibration seeds: too near the thresholds, 0.3 and 0.2, for any affordable number of "
            "seeds.",
            seeds="100-111, and more in a few claims",
        ),
    ),
    notes="The paper says this of all weight decays. Twelve by twelve show that under decays of 3 and more nearly "
    "everything has its symbols on a line (on calibration seeds 0.9 to 1.0 of the parallelograms where it memorises, "
    "0.8 to 0.9 where it is confused): there what is missing is a decoder that has them right in time. In place of "
    "gains of 0.35 and 0.21 over the whole plane, the authors' one seed has 0.5 and 0.4. A seed in which a phase is "
    "missing counts against the claim (two of twenty). "
    "The abstract has representation learning occur only between memorisation and confusion, whatever the weight "
    "decay: the claim asks for less.",
)
