"""Architectures small enough to train by the hundred."""

from grokscape.landscape.models.dense import Dense as Dense
from grokscape.landscape.models.dense import DenseNetwork as DenseNetwork
from grokscape.landscape.models.edge_network import EdgeNetwork as EdgeNetwork
from grokscape.landscape.models.edge_network import EdgeNetworkModule as EdgeNetworkModule
from grokscape.landscape.models.lstm import LSTM as LSTM
from grokscape.landscape.models.lstm import LSTMNetwork as LSTMNetwork
from grokscape.landscape.models.model import Model as Model
from grokscape.landscape.models.model import Network as Network
from grokscape.landscape.models.normalised import NormalisedPerceptron as NormalisedPerceptron
from grokscape.landscape.models.normalised import NormalisedPerceptronNetwork as NormalisedPerceptronNetwork
from grokscape.landscape.models.perceptron import Perceptron as Perceptron
from grokscape.landscape.models.perceptron import PerceptronNetwork as PerceptronNetwork
from grokscape.landscape.models.tempered import Tempered as Tempered
from grokscape.landscape.models.tempered import TemperedNetwork as TemperedNetwork
from grokscape.landscape.models.transformer import Transformer as Transformer
from grokscape.landscape.models.transformer import TransformerNetwork as TransformerNetwork
