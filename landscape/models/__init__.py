"""Architectures small enough to train by the hundred."""

from landscape.models.dense import Dense as Dense
from landscape.models.dense import DenseNetwork as DenseNetwork
from landscape.models.edge_network import EdgeNetwork as EdgeNetwork
from landscape.models.edge_network import EdgeNetworkModule as EdgeNetworkModule
from landscape.models.lstm import LSTM as LSTM
from landscape.models.lstm import LSTMNetwork as LSTMNetwork
from landscape.models.mlp import Perceptron as Perceptron
from landscape.models.mlp import PerceptronNetwork as PerceptronNetwork
from landscape.models.model import Model as Model
from landscape.models.model import Network as Network
from landscape.models.normalised import NormalisedPerceptron as NormalisedPerceptron
from landscape.models.normalised import NormalisedPerceptronNetwork as NormalisedPerceptronNetwork
from landscape.models.tempered import Tempered as Tempered
from landscape.models.tempered import TemperedNetwork as TemperedNetwork
from landscape.models.transformer import Transformer as Transformer
from landscape.models.transformer import TransformerNetwork as TransformerNetwork
