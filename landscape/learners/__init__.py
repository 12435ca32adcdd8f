"""Learners that are no networks, or that come with a theory of their own; they leave the same records."""

from grokscape.landscape.learners.bayesian_network import BayesianNetwork as BayesianNetwork
from grokscape.landscape.learners.effective_flow import EffectiveFlow as EffectiveFlow
from grokscape.landscape.learners.effective_flow import ParallelogramCriticalSize as ParallelogramCriticalSize
from grokscape.landscape.learners.embedding_decoder import EmbeddingDecoder as EmbeddingDecoder
from grokscape.landscape.learners.gaussian_process import GaussianProcessRegression as GaussianProcessRegression
from grokscape.landscape.learners.laplace_classification import LaplaceClassification as LaplaceClassification
from grokscape.landscape.learners.linear_regression import LinearRegression as LinearRegression
from grokscape.landscape.learners.linear_teacher import LinearTeacher as LinearTeacher
from grokscape.landscape.learners.two_circuits import TwoCircuits as TwoCircuits
from grokscape.landscape.learners.variational_classification import (
    VariationalClassification as VariationalClassification,
)
