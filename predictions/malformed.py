"""What an author may have written by mistake where a claim expects something else."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, NoReturn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.printable import short
from grokscape.predictions.rules import Rule

if TYPE_CHECKING:
    from grokscape.predictions.prediction import Prediction
    from grokscape.predictions.terms import Control, Criterion, Gate


def refuse_seeds(seeds: object, whose: str) -> None:
    """Refuse seeds that are no tuple (a set drops those given twice without a word), no integers, or given twice."""
    if not isinstance(seeds, tuple):
        _refuse(f"the seeds {whose}", seeds, "a tuple of integers, such as (100, 101)")
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, Integral):
            raise InvalidInput(f"seed {short(seed)} {whose} is no integer; write whole numbers, such as (100, 101)")
    if len(set(seeds)) < len(seeds):
        raise InvalidInput(f"the seeds {whose} are given twice: {short(seeds)}; each counts once, so name others")


def refuse_parts(claim: Prediction, parts: Mapping[str, type]) -> None:
    """Refuse fields that are no tuple of what they should hold: most often a tuple of one without its comma."""
    for name, kind in parts.items():
        value = getattr(claim, name)
        if isinstance(value, kind):
            raise InvalidInput(
                f"the {name} of {claim.id!r} is one {kind.__name__}, expected a tuple; a tuple of one needs its comma: "
                f"{name}=({'...' if kind is str else f'{kind.__name__}(...)'},)"
            )
        if not isinstance(value, tuple | list):
            _refuse(f"the {name} of {claim.id!r}", value, f"a tuple of {kind.__name__}")
        wrong = [part for part in value if not isinstance(part, kind)]
        if wrong:
            raise InvalidInput(f"the {name} of {claim.id!r} hold {short(wrong[0])}, expected {kind.__name__}")
    for curve in claim.curves:
        if isinstance(curve.quantities, str):
            raise InvalidInput(
                f"the quantities of a curve of {claim.id!r} are {short(curve.quantities)}, expected a tuple; a tuple "
                f"of one needs its comma: quantities=({short(curve.quantities)},)"
            )


def refuse_values(claim: Prediction) -> None:
    """Refuse what is no number, no rule and no mapping where a claim needs one, and changes of what is not set."""
    for criterion in claim.criteria:
        _refuse_criterion(criterion, f"the criterion on {short(criterion.quantity)} of {claim.id!r}")
    for gate in claim.gates:
        _refuse_gate(gate, f"the gate on {short(gate.quantity)} of {claim.id!r}")
    for control in claim.controls:
        _refuse_control(control, claim)


def _refuse_criterion(criterion: Criterion, who: str) -> None:
    if not isinstance(criterion.quantity, str):
        _refuse(f"{who}: its quantity", criterion.quantity, "a text")
    if not isinstance(criterion.rule, Rule):
        _refuse(f"{who}: its rule", criterion.rule, "a rule, such as Exceeds(0.9)")
    fields: tuple[dataclasses.Field[Any], ...] = ()
    if dataclasses.is_dataclass(criterion.rule):
        fields = dataclasses.fields(criterion.rule)
    for field in fields:
        if field.type in (float, "float"):
            what = f"{who}: {field.name} of {type(criterion.rule).__name__}"
            _refuse_number(getattr(criterion.rule, field.name), what)
    if criterion.at is not None:
        _refuse_number(criterion.at, f"{who}: its level, at,")
    found = criterion.calibrated
    if found is None:
        return
    if not all(hasattr(found, name) for name in ("effect", "spread", "seeds")):
        _refuse(f"{who}: its calibrated", found, 'what grokscape calibrate prints, such as Calibrated(1.1, 0.2, "0-9")')
    _refuse_number(found.effect, f"{who}: the calibrated effect")
    _refuse_number(found.spread, f"{who}: the calibrated spread")
    if found.spread < 0:
        _refuse(f"{who}: the calibrated spread", found.spread, "a number that is not negative")


def _refuse_gate(gate: Gate, who: str) -> None:
    if not isinstance(gate.quantity, str):
        _refuse(f"{who}: its quantity", gate.quantity, "a text")
    for name in ("above", "below"):
        if getattr(gate, name) is not None:
            _refuse_number(getattr(gate, name), f"{who}: its {name}")


def _refuse_control(control: Control, claim: Prediction) -> None:
    who = f"the control {short(control.name)} of {claim.id!r}"
    if not isinstance(control.name, str):
        _refuse(f"the name of a control of {claim.id!r}", control.name, "a text")
    if not isinstance(control.changes, Mapping):
        _refuse(f"{who}: its changes", control.changes, "a mapping, such as {'weight_decay': 0.0}")
    for tier, scale in claim.tiers.items():
        for name in control.changes.keys() - scale.setting.keys():  # which a claim may read where it is set
            alike = difflib.get_close_matches(str(name), scale.setting.keys() - control.changes.keys(), 1, 0.75)
            if alike or not isinstance(name, str):
                raise InvalidInput(
                    f"{who} changes {short(name)}, which the setting of {tier} does not have; it has "
                    f"{', '.join(map(repr, alike)) or 'texts'}: correct the name, or give it a value in the setting"
                )


def _refuse_number(value: Any, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, Real):
        _refuse(what, value, "a number")
    if math.isnan(value):
        _refuse(what, value, "a number")


def _refuse(what: str, value: object, expected: str) -> NoReturn:
    raise InvalidInput(f"{what} {'are' if what.startswith('the seeds') else 'is'} {short(value)}, expected {expected}")
