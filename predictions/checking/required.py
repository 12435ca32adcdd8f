"""What a claim's criteria and gates decide on must be measured."""

from __future__ import annotations

from collections.abc import Iterator

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.printable import short
from grokscape.landscape.records.quantities import nearest
from grokscape.predictions.evidence import CLAIM, Observation
from grokscape.predictions.prediction import Prediction


def require_decided(claim: Prediction, observations: list[Observation]) -> None:
    """Refuse what was measured of a claim if a criterion or a gate decides on something else.

    Raises
    ------
    InvalidInput
        Names what decides on it, and the quantities that are most alike.
    """
    found: dict[str, set[str]] = {}
    for observation in observations:
        found.setdefault(observation.arm, set()).add(observation.quantity)
    for what, quantity, arm in _decided(claim):
        names = found.get(arm, set())
        if quantity not in names:
            raise InvalidInput(
                f"the {what} on {short(quantity)} has nothing to decide on in arm {short(arm)}: measure yields "
                f"{nearest(quantity, names)}; yield a Measurement of that name, or correct the name"
            )


def _decided(claim: Prediction) -> Iterator[tuple[str, str, str]]:
    """Yield (what decides, quantity, arm)."""
    arms = [CLAIM, *(control.name for control in claim.controls)]
    for criterion in claim.criteria:
        yield from (("criterion", criterion.quantity, arm) for arm in arms)
    for gate in claim.gates:
        yield from (("gate", gate.quantity, arm) for arm in (arms if gate.controls else [CLAIM]))
