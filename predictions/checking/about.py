"""What a verdict says about its claim, as data that no one has to read back from text."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import shlex
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from grokscape.landscape import description
from grokscape.landscape.description import Description
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.printable import short
from grokscape.landscape.records.store import Store
from grokscape.predictions.checking.registry import GROUP
from grokscape.predictions.prediction import Prediction

#: Characters of one value of a setting in a verdict.
LONGEST_VALUE = 100_000


def about(prediction: Prediction, tier: str) -> dict[str, Any]:
    """Return a claim as data: its sentence, source, setting at a tier, controls, history and figures."""
    setting = prediction.tiers[tier].setting if tier in prediction.tiers else {}
    return {
        "claim": prediction.claim,
        "source": dataclasses.asdict(prediction.source) | {"where": prediction.where},
        "theory": prediction.theory,
        "kind": prediction.kind,
        "notes": prediction.notes,
        "amendments": [dataclasses.asdict(amendment) for amendment in prediction.amendments],
        "disputes": list(prediction.disputes),
        "curves": [dataclasses.asdict(curve) for curve in prediction.curves],
        "maps": [dataclasses.asdict(drawn) for drawn in prediction.maps],
        "portraits": [dataclasses.asdict(drawn) for drawn in prediction.portraits],
        "setting": setting_as_data(setting),
        "controls": {control.name: setting_as_data(control.changes) for control in prediction.controls},
    }


def provenance(prediction: Prediction, tier: str, modules: Sequence[str]) -> dict[str, str]:
    """Return versions, date, and the command that reproduces a check."""
    plugins = {point.value for point in importlib.metadata.entry_points(group=GROUP)}
    extra = "".join(f" --module {shlex.quote(module)}" for module in modules if module not in plugins)
    return {
        "grokscape": importlib.metadata.version("grokscape"),
        "torch": importlib.metadata.version("torch"),
        "numpy": importlib.metadata.version("numpy"),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "command": f"grokscape check {prediction.id} --tier {tier}{extra}",
    }


def compiled_by(store: Store, experiments: Iterable[Experiment]) -> dict[str, str]:
    """Return the version of numba that a claim's runs were compiled by, as they say it; nothing if none was."""
    infos = (store.header(experiment)["info"] for experiment in experiments)
    return next(({"numba": str(info["numba"])} for info in infos if info.get("numba")), {})


def setting_as_data(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a setting as JSON-able data.

    Numbers, texts, and sequences and mappings of them stay what they are. A description, or anything else, becomes
    ``{"words": how readers call it, "data": its fields}``, of which the data may be None.
    """
    return {str(name): _whole(value) for name, value in values.items()}


def _whole(value: Any) -> Any:
    try:
        found = _data(value)
        if len(json.dumps(found, allow_nan=False)) <= LONGEST_VALUE:
            return found
    except Exception:  # somebody's class, or a number that is no JSON, or something that holds itself
        pass
    return {"words": short(value, LONGEST_VALUE), "data": None}


def _data(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(name): _data(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_data(item) for item in value]
    if isinstance(value, Description):
        return {"words": value.words(), "data": value.to_data()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _data(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"words": description.words(value), "data": fields}
    return {"words": short(value, LONGEST_VALUE), "data": None}
