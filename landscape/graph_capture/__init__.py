"""A function of tensors captured once as a graph of operations, to be replayed many times."""

from grokscape.landscape.graph_capture.capture import captured as captured
from grokscape.landscape.graph_capture.capture import different_inputs as different_inputs
from grokscape.landscape.graph_capture.passes import fold_constants as fold_constants
from grokscape.landscape.graph_capture.passes import transpose_products as transpose_products
