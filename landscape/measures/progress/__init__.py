"""Progress measures: numbers that theories name as the direction from memorising to generalising."""

from grokscape.landscape.measures.neurons import Neurons as Neurons
from grokscape.landscape.measures.progress.context import Context as Context
from grokscape.landscape.measures.progress.context import Estimate as Estimate
from grokscape.landscape.measures.progress.context import NotApplicable as NotApplicable
from grokscape.landscape.measures.progress.context import Space as Space
from grokscape.landscape.measures.progress.context import Spectrum as Spectrum
from grokscape.landscape.measures.progress.oscillation import LossOscillation as LossOscillation
from grokscape.landscape.measures.progress.oscillation import loss_oscillation as loss_oscillation
from grokscape.landscape.measures.progress.registry import MEASURES as MEASURES
from grokscape.landscape.measures.progress.registry import Measure as Measure
from grokscape.landscape.measures.progress.trajectory import Progress as Progress
from grokscape.landscape.measures.progress.trajectory import progress as progress
