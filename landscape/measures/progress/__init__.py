"""Progress measures: numbers that theories name as the direction from memorising to generalising."""

from grokscape.landscape.measures.progress.context import Context, Estimate, HiddenLayer, NotApplicable, Space, Spectrum
from grokscape.landscape.measures.progress.oscillation import LossOscillation, loss_oscillation
from grokscape.landscape.measures.progress.registry import MEASURES, Measure
from grokscape.landscape.measures.progress.trajectory import Progress, progress

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
