"""The memorising and the generalising subnetwork inside one trained model, taken apart in independent ways.

Each way returns a `Split`: two circuits that run by themselves, the norm attributable to each, the same analysis of
random parts of the same size, and how far the split can be trusted.
"""

from grokscape.landscape.measures.circuits.characters import Characters, cyclic, group, symmetric
from grokscape.landscape.measures.circuits.circuit import Circuit, Scores
from grokscape.landscape.measures.circuits.mask import split_by_mask
from grokscape.landscape.measures.circuits.neurons import Neurons
from grokscape.landscape.measures.circuits.projection import split_by_projection
from grokscape.landscape.measures.circuits.pruning import split_by_pruning
from grokscape.landscape.measures.circuits.spectrum import split_by_spectrum
from grokscape.landscape.measures.circuits.split import Split

__all__ = [
    "Characters",
    "Circuit",
    "Neurons",
    "Scores",
    "Split",
    "cyclic",
    "group",
    "split_by_mask",
    "split_by_projection",
    "split_by_pruning",
    "split_by_spectrum",
    "symmetric",
]
