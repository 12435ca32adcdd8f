"""Progress measures: numbers that theories name as the direction from memorising to generalising."""

from landscape.measures.progress.context import Context, Estimate, HiddenLayer, NotApplicable, Space, Spectrum
from landscape.measures.progress.oscillation import LossOscillation, loss_oscillation
from landscape.measures.progress.registry import MEASURES, Measure
from landscape.measures.progress.trajectory import Progress, progress

__all__ = [
    "MEASURES",
    "Context",
    "Estimate",
    "HiddenLayer",
    "LossOscillation",
    "Measure",
    "NotApplicable",
    "Progress",
    "Space",
    "Spectrum",
    "loss_oscillation",
    "progress",
]
