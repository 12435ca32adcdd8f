"""Whether what a claim wants drawn was measured: a figure that names something else would vanish without a word."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Set
from itertools import chain

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.evidence import CLAIM, Evidence
from grokscape.predictions.prediction import Prediction

#: Names that an error lists at most.
MOST_NAMES = 20


def require_drawn(prediction: Prediction, evidence: Evidence, *, of_all_tiers: bool = False) -> None:
    """Refuse a curve, map or portrait of a claim that names something that no seed measured.

    A level, a row of a panel or a boundary that some seeds or tiers lack is no error, nor is one of several lines of a
    curve that another tier may draw.

    Parameters
    ----------
    prediction : Prediction
    evidence : Evidence
    of_all_tiers : bool
        Whether it holds what all tiers measure: then every line must be there.

    Raises
    ------
    InvalidInput
        Naming the quantity, and what was measured.
    """
    levelled = {(o.arm, o.quantity) for o in evidence.observations if o.at is not None}
    everything = {(o.arm, o.quantity) for o in evidence.observations}
    for figure, arms, quantities, needs_level in _named(
        prediction, each_line=of_all_tiers or len(prediction.tiers) == 1
    ):
        among = levelled if needs_level else everything
        measured = {quantity for arm, quantity in among if arm in arms}
        if not measured & quantities:
            raise InvalidInput(
                f"{figure} names {' or '.join(map(repr, sorted(quantities)))}, which was not measured"
                f"{' at any level' if needs_level else ''} in {_arms(arms)}; measured there: "
                f"{_closest(min(quantities), measured)}"
            )


def _named(prediction: Prediction, *, each_line: bool) -> Iterator[tuple[str, Set[str], Set[str], bool]]:
    """Yield what figures name: of which arms and quantities one at least must be there, and whether at a level."""
    arms = frozenset({CLAIM, *(control.name for control in prediction.controls)})
    for curve in prediction.curves:
        for lines in [{quantity} for quantity in curve.quantities] if each_line else [{*curve.quantities}]:
            yield f"the curve {curve.title!r}", arms, lines, True
    for chart in prediction.maps:
        for title, rows in chart.panels:
            yield f"the panel {title!r} of the map {chart.title!r}", {CLAIM}, {name for _, name in rows}, True
    for trajectory, portrait in chain.from_iterable(((o, p) for o in p.trajectories) for p in prediction.portraits):
        name = f"the trajectory {trajectory.name!r} of the portrait {portrait.title!r}"
        for quantity in (trajectory.x, trajectory.y):
            yield name, {trajectory.arm}, {quantity}, True
        for _, quantity in trajectory.marks:
            yield name, {trajectory.arm}, {quantity}, False


def _arms(arms: Set[str]) -> str:
    return f"arm {next(iter(arms))!r}" if len(arms) == 1 else "any arm"


def _closest(wanted: str, measured: Set[str]) -> str:
    """Return what was measured, the names most like the one that was not first."""
    ranked = sorted(measured, key=lambda name: (-difflib.SequenceMatcher(None, wanted, name).ratio(), name))
    more = len(ranked) - MOST_NAMES
    return ", ".join(map(repr, ranked[:MOST_NAMES])) + (f" and {more} others" if more > 0 else "") or "nothing"
