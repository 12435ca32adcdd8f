"""A function of tensors captured once as a graph of operations, to be replayed many times."""

from grokscape.landscape.graph_capture.capture import captured, different_inputs
from grokscape.landscape.graph_capture.passes import fold_constants, transpose_products

__all__ = ["captured", "different_inputs", "fold_constants", "transpose_products"]
