"""The same claim about another learner: what was seen on one network is held to another, thresholds unchanged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from grokscape.landscape.description import Description
from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.terms import Calibrated, Tier


def replicate(
    prediction: Prediction,
    name: str,
    learner: str,
    *,
    tiers: Mapping[str, Mapping[str, Any]],
    calibrated: Sequence[Calibrated],
    controls: Mapping[str, Mapping[str, Any]] | None = None,
    notes: str = "",
) -> Prediction:
    """Return a claim about another learner: the same sentence, rules, thresholds, gates and controls.

    It is an extension: its source made it about its own learner.

    Parameters
    ----------
    prediction : Prediction
    name : str
        The new id is the old one with ``_<name>``.
    learner : str
        What the claim is about now, as its sentence names it: "perceptrons with quadratic activation".
    tiers : mapping
        Tier -> what is set differently from the claim's own setting there; other tiers are left out.
    calibrated : sequence of Calibrated
        What calibration found with this learner, one for each criterion.
    controls : mapping, optional
        Control -> what it sets differently from the original control.
    notes : str

    Raises
    ------
    InvalidInput
        If there is not one expectation for each criterion; if a tier or control is not known; or if a control would
        put a task, model or optimiser of the old learner back.
    """
    controls = controls or {}
    if len(calibrated) != len(prediction.criteria):
        raise InvalidInput(
            f"{prediction.id!r} has {len(prediction.criteria)} criteria and {name!r} {len(calibrated)} findings of "
            "calibration; give one for each, in their order"
        )
    for known, given, kind in (
        (prediction.tiers, tiers, "tier"),
        ([control.name for control in prediction.controls], controls, "control"),
    ):
        for unknown in set(given) - set(known):
            raise InvalidInput(f"{prediction.id!r} has no {kind} {unknown!r}, only {', '.join(known)}")
    learners = {key for changes in tiers.values() for key, value in changes.items() if isinstance(value, Description)}
    for control in prediction.controls:
        for key in learners & set(control.changes) - set(controls.get(control.name, ())):
            raise InvalidInput(
                f"the control {control.name!r} of {prediction.id!r} sets its own {key}, in place of that of {name!r}; "
                f"say in controls what it is to be"
            )

    def title(text: str) -> str:
        return f"{text}: {learner}"

    return dataclasses.replace(
        prediction,
        id=f"{prediction.id}_{name}",
        claim=f"With {learner}, too: {prediction.claim[0].lower()}{prediction.claim[1:]}",
        criteria=tuple(
            dataclasses.replace(c, calibrated=e) for c, e in zip(prediction.criteria, calibrated, strict=True)
        ),
        controls=tuple(
            dataclasses.replace(c, changes={**c.changes, **controls.get(c.name, {})}) for c in prediction.controls
        ),
        tiers={
            tier: Tier(prediction.tiers[tier].seeds, {**prediction.tiers[tier].setting, **changes})
            for tier, changes in tiers.items()
        },
        disputes=(),
        kind="extension",
        amendments=(),
        # The paper's figures are drawn from its own claims.
        curves=tuple(dataclasses.replace(c, title=title(c.title), figure="") for c in prediction.curves),
        maps=tuple(dataclasses.replace(m, title=title(m.title), figure="") for m in prediction.maps),
        portraits=tuple(dataclasses.replace(p, title=title(p.title), figure="") for p in prediction.portraits),
        notes=f"Held to the thresholds of {prediction.id}, which were set on another network. {notes}".strip(),
    )
