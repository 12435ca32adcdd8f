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
    "BayesianNetwork": "landscape.learners",
    "BinaryOperation": "landscape.tasks",
    "Crossing": "landscape.crossing",
    "DataMissing": "landscape.errors",
    "Dense": "landscape.models",
    "Digits": "landscape.tasks",
    "EmbeddingDecoder": "landscape.learners",
    "Experiment": "landscape.experiment",
    "GaussianProcessRegression": "landscape.learners",
    "InvalidInput": "landscape.errors",
    "LaplaceClassification": "landscape.learners",
    "LinearRegression": "landscape.learners",
    "LinearTeacher": "landscape.learners",
    "MnistSample": "landscape.tasks",
    "Neurons": "landscape.measures.circuits",
    "NormalisedPerceptron": "landscape.models",
    "Perceptron": "landscape.models",
    "Permutations": "landscape.tasks",
    "Problem": "landscape.problem",
    "Record": "landscape.training.record",
    "ReducedLandscape": "landscape.learners",
    "Run": "landscape.training.run",
    "SGD": "landscape.optimisers",
    "Schedule": "landscape.training.schedule",
    "SparseParity": "landscape.tasks",
    "Stack": "landscape.ensemble",
    "Stop": "landscape.training.stop",
    "Store": "landscape.training.store",
    "StoreError": "landscape.errors",
    "TeacherStudent": "landscape.tasks",
    "Tempered": "landscape.models",
    "Transformer": "landscape.models",
    "TwoCircuits": "landscape.learners",
    "Unavailable": "landscape.errors",
    "VariationalClassification": "landscape.learners",
    "complexity": "landscape.training.grokking",
    "cross_entropy": "landscape.objectives",
    "crossing_size": "landscape.measures.crossing_size",
    "cyclic": "landscape.measures.circuits",
    "efficiency": "landscape.measures.efficiency",
    "efficiency_frontier": "landscape.measures.efficiency_frontier",
    "error": "landscape.training.grokking",
    "first_crossing": "landscape.crossing",
    "grokking_gap": "landscape.training.grokking",
    "group": "landscape.measures.circuits",
    "homogeneity": "landscape.measures.homogeneity",
    "interpolate": "landscape.measures.paths",
    "line_slice": "landscape.measures.slices",
    "local_executor": "landscape.training.local",
    "low_loss_path": "landscape.measures.low_loss_path",
    "margin_per_norm": "landscape.measures.efficiency_definitions",
    "minimise_at_norm": "landscape.measures.on_sphere",
    "mse": "landscape.objectives",
    "norm_at_loss": "landscape.measures.norm_at_loss",
    "norm_profile": "landscape.measures.norm_profile",
    "plane_slice": "landscape.measures.slices",
    "progress": "landscape.measures.progress",
    "sharpness": "landscape.measures.sharpness",
    "spectral_density": "landscape.measures.spectral_density",
    "split_by_mask": "landscape.measures.circuits",
    "split_by_projection": "landscape.measures.circuits",
    "split_by_pruning": "landscape.measures.circuits",
    "split_by_spectrum": "landscape.measures.circuits",
    "symmetric": "landscape.measures.circuits",
    "top_eigenvalues": "landscape.measures.eigenvalues",
    "trace": "landscape.measures.trace",
    "train_all": "landscape.training.executor",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'landscape' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
