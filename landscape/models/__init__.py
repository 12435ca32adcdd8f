"""Architectures small enough to train by the hundred."""

from landscape.models.mlp import Perceptron as Perceptron
from landscape.models.mlp import PerceptronNetwork as PerceptronNetwork
from landscape.models.model import Model as Model
from landscape.models.model import Network as Network
from landscape.models.transformer import Transformer as Transformer
from landscape.models.transformer import TransformerNetwork as TransformerNetwork
