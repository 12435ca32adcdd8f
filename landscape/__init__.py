"""What is trained and measured.

The names below are imported when they are first used, so that a module that needs only one of them (or only the
package's errors) does not wait for PyTorch.
"""

from __future__ import annotations

import importlib
from typing import Any

#: Public name -> the module it lives in.
_HOMES = {
    "AdamW": "landscape.optimisers",
    "BinaryOperation": "landscape.tasks",
    "Crossing": "landscape.crossing",
    "Experiment": "landscape.experiment",
    "InvalidInput": "landscape.errors",
    "Perceptron": "landscape.models",
    "Permutations": "landscape.tasks",
    "Record": "landscape.training.record",
    "Run": "landscape.training.run",
    "SGD": "landscape.optimisers",
    "Schedule": "landscape.training.schedule",
    "SparseParity": "landscape.tasks",
    "Stack": "landscape.ensemble",
    "Stop": "landscape.training.stop",
    "Store": "landscape.training.store",
    "StoreError": "landscape.errors",
    "Transformer": "landscape.models",
    "TwoCircuits": "landscape.learners",
    "cross_entropy": "landscape.objectives",
    "first_crossing": "landscape.crossing",
    "local_executor": "landscape.training.local",
    "mse": "landscape.objectives",
    "train_all": "landscape.training.executor",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'landscape' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
