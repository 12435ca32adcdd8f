"""What is claimed, and whether it holds.

The names below, all that a file of claims needs, are imported when they are first used: pytest loads this package in
every session, and the decision rules promise to need numpy and scipy alone.
"""

from __future__ import annotations

import importlib
from typing import Any

#: Public name -> the module it lives in.
_HOMES = {
    "Below": "predictions.rules",
    "Check": "predictions.check",
    "Control": "predictions.prediction",
    "Criterion": "predictions.prediction",
    "Curve": "predictions.pictures",
    "Exceeds": "predictions.rules",
    "Expected": "predictions.prediction",
    "Gate": "predictions.prediction",
    "Map": "predictions.pictures",
    "Measurement": "predictions.evidence",
    "Monotone": "predictions.rules",
    "Orbit": "predictions.pictures",
    "Portrait": "predictions.pictures",
    "Precedes": "predictions.rules",
    "Prediction": "predictions.prediction",
    "Proportion": "predictions.rules",
    "Source": "predictions.prediction",
    "Spread": "predictions.rules",
    "Status": "predictions.verdict",
    "Tier": "predictions.prediction",
    "Verdict": "predictions.verdict",
    "Within": "predictions.rules",
    "operating": "predictions.rules.operating",
    "trace": "predictions.evidence",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'predictions' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
