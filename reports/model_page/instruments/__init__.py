"""Sentences and main numbers of each instrument, made from its result alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grokscape.landscape.measures.result import Result
from grokscape.reports.model_page.account import Account
from grokscape.reports.model_page.instruments import curvature, efficiency, norm_profile, progress, sharpness, slices
from grokscape.reports.numbers import capital


def account(name: str, result: Result) -> Account:
    """Return what the page says of an instrument's result."""
    return _ACCOUNTS[name](result)


def title(name: str) -> str:
    """Return the heading of an instrument."""
    return TITLES.get(name, capital(name.replace("-", " ")))


TITLES = {
    "norm-profile": "Loss over the weight norm",
    "trace": "Trace of the Hessian",
    "spectral-density": "Spectral density of the Hessian",
    "sharpness": "Sharpness",
    "progress": "Progress measures along the training",
    "eigenvalues": "Largest eigenvalues of the Hessian",
    "negative-eigenvalue": "Most negative eigenvalue of the Hessian",
    "homogeneity": "Homogeneity",
    "margin": "Efficiency: margin per norm",
    "frontier": "Efficiency frontier",
    "line": "Slice along a random direction",
    "plane": "Slice on a random plane",
    "straight-path": "Straight path to the second network",
    "low-loss-path": "Path of low loss to the second network",
}

_ACCOUNTS: dict[str, Callable[[Any], Account]] = {
    "norm-profile": norm_profile.norm_profile,
    "eigenvalues": curvature.eigenvalues,
    "trace": curvature.trace,
    "spectral-density": curvature.density,
    "sharpness": sharpness.sharpness,
    "negative-eigenvalue": curvature.negative,
    "homogeneity": efficiency.homogeneity,
    "margin": efficiency.margin,
    "frontier": efficiency.frontier,
    "line": slices.line,
    "plane": slices.plane,
    "straight-path": slices.path,
    "low-loss-path": slices.path,
    "progress": progress.progress,
}
