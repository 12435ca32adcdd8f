"""What is claimed, and whether it holds.

The names below, all that a file of claims needs, are imported when they are first used: pytest loads this package in
every session, and the decision rules promise to need numpy and scipy alone.
"""

from __future__ import annotations

import importlib
from typing import Any

#: Public name -> the module it lives in.
_HOMES = {
    "Below": "grokscape.predictions.rules",
    "Check": "grokscape.predictions.checking.check",
    "Control": "grokscape.predictions.prediction",
    "Criterion": "grokscape.predictions.prediction",
    "Curve": "grokscape.predictions.figures",
    "Exceeds": "grokscape.predictions.rules",
    "Calibrated": "grokscape.predictions.prediction",
    "Gate": "grokscape.predictions.prediction",
    "Map": "grokscape.predictions.figures",
    "Measurement": "grokscape.predictions.evidence",
    "Monotone": "grokscape.predictions.rules",
    "Orbit": "grokscape.predictions.figures",
    "Portrait": "grokscape.predictions.figures",
    "Precedes": "grokscape.predictions.rules",
    "Prediction": "grokscape.predictions.prediction",
    "Proportion": "grokscape.predictions.rules",
    "Source": "grokscape.predictions.prediction",
    "Spread": "grokscape.predictions.rules",
    "Status": "grokscape.predictions.verdict",
    "Tier": "grokscape.predictions.prediction",
    "Verdict": "grokscape.predictions.verdict",
    "Within": "grokscape.predictions.rules",
    "operating": "grokscape.predictions.rules.operating",
    "by_step": "grokscape.predictions.evidence",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'predictions' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
