"""What is trained and measured.

The names below are imported when they are first used, so that a module that needs only one of them (or only the
package's errors) does not wait for PyTorch.
"""

from __future__ import annotations

import importlib
from typing import Any

#: Public name -> the module it lives in.
_HOMES = {
    "AdamW": "grokscape.landscape.optimisers",
    "BayesianNetwork": "grokscape.landscape.learners",
    "BinaryOperation": "grokscape.landscape.tasks",
    "Crossing": "grokscape.landscape.fits.crossing",
    "DataMissing": "grokscape.landscape.errors",
    "Dense": "grokscape.landscape.models",
    "Digits": "grokscape.landscape.tasks",
    "EmbeddingDecoder": "grokscape.landscape.learners",
    "Experiment": "grokscape.landscape.experiment",
    "GaussianProcessRegression": "grokscape.landscape.learners",
    "InvalidInput": "grokscape.landscape.errors",
    "LaplaceClassification": "grokscape.landscape.learners",
    "LinearRegression": "grokscape.landscape.learners",
    "LinearTeacher": "grokscape.landscape.learners",
    "MnistSample": "grokscape.landscape.tasks",
    "Neurons": "grokscape.landscape.measures.circuits",
    "NormalisedPerceptron": "grokscape.landscape.models",
    "Perceptron": "grokscape.landscape.models",
    "Permutations": "grokscape.landscape.tasks",
    "Problem": "grokscape.landscape.problem",
    "Record": "grokscape.landscape.records.record",
    "ReducedLandscape": "grokscape.landscape.surveys",
    "Run": "grokscape.landscape.training.run",
    "SGD": "grokscape.landscape.optimisers",
    "Schedule": "grokscape.landscape.training.schedule",
    "SparseParity": "grokscape.landscape.tasks",
    "Stack": "grokscape.landscape.stack",
    "Stop": "grokscape.landscape.training.stop",
    "Store": "grokscape.landscape.records.store",
    "StoreError": "grokscape.landscape.errors",
    "TeacherStudent": "grokscape.landscape.tasks",
    "Tempered": "grokscape.landscape.models",
    "Transformer": "grokscape.landscape.models",
    "TwoCircuits": "grokscape.landscape.learners",
    "Unavailable": "grokscape.landscape.errors",
    "VariationalClassification": "grokscape.landscape.learners",
    "complexity": "grokscape.landscape.grokking",
    "cross_entropy": "grokscape.landscape.objectives",
    "crossing_size": "grokscape.landscape.fits.two_curves",
    "cyclic": "grokscape.landscape.measures.circuits",
    "efficiency": "grokscape.landscape.measures.efficiency.per_norm",
    "efficiency_frontier": "grokscape.landscape.measures.efficiency.frontier",
    "error": "grokscape.landscape.grokking",
    "first_crossing": "grokscape.landscape.fits.crossing",
    "grokking_gap": "grokscape.landscape.grokking",
    "group": "grokscape.landscape.measures.circuits",
    "homogeneity": "grokscape.landscape.measures.efficiency.degree",
    "interpolate": "grokscape.landscape.measures.paths.straight",
    "line_slice": "grokscape.landscape.measures.paths.slices",
    "local_executor": "grokscape.landscape.scheduling.local",
    "low_loss_path": "grokscape.landscape.measures.paths.bent",
    "margin_per_norm": "grokscape.landscape.measures.efficiency.definitions",
    "minimise_at_norm": "grokscape.landscape.measures.norm_profile.on_sphere",
    "mse": "grokscape.landscape.objectives",
    "norm_at_loss": "grokscape.landscape.measures.efficiency.at_loss",
    "norm_profile": "grokscape.landscape.measures.norm_profile.profile",
    "plane_slice": "grokscape.landscape.measures.paths.slices",
    "progress": "grokscape.landscape.measures.progress",
    "sharpness": "grokscape.landscape.measures.sharpness.forms",
    "spectral_density": "grokscape.landscape.measures.curvature.density",
    "split_by_mask": "grokscape.landscape.measures.circuits",
    "split_by_projection": "grokscape.landscape.measures.circuits",
    "split_by_pruning": "grokscape.landscape.measures.circuits",
    "split_by_spectrum": "grokscape.landscape.measures.circuits",
    "symmetric": "grokscape.landscape.measures.circuits",
    "top_eigenvalues": "grokscape.landscape.measures.curvature.eigenvalues",
    "trace": "grokscape.landscape.measures.curvature.traces",
    "train_all": "grokscape.landscape.scheduling.executor",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'landscape' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
