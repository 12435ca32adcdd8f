"""The memorising and the generalising subnetwork inside one trained model, separated by independent methods.

Each method returns a `Split`: two circuits that run by themselves, the norm attributable to each, the same analysis of
random parts of the same size, and how far the split can be trusted.
"""

from grokscape.landscape.measures.circuits.characters import Characters as Characters
from grokscape.landscape.measures.circuits.characters import cyclic as cyclic
from grokscape.landscape.measures.circuits.characters import group as group
from grokscape.landscape.measures.circuits.characters import symmetric as symmetric
from grokscape.landscape.measures.circuits.circuit import Circuit as Circuit
from grokscape.landscape.measures.circuits.circuit import Scores as Scores
from grokscape.landscape.measures.circuits.mask import split_by_mask as split_by_mask
from grokscape.landscape.measures.circuits.projection import split_by_projection as split_by_projection
from grokscape.landscape.measures.circuits.pruning import split_by_pruning as split_by_pruning
from grokscape.landscape.measures.circuits.spectrum import split_by_spectrum as split_by_spectrum
from grokscape.landscape.measures.circuits.split import Split as Split
from grokscape.landscape.measures.neurons import Neurons as Neurons
