"""Learners that are no networks, or that come with a theory of their own; they leave the same records."""

from landscape.learners.bayesian_network import BayesianNetwork as BayesianNetwork
from landscape.learners.effective_flow import CriticalSize as CriticalSize
from landscape.learners.effective_flow import EffectiveFlow as EffectiveFlow
from landscape.learners.embedding_decoder import EmbeddingDecoder as EmbeddingDecoder
from landscape.learners.gaussian_process import GaussianProcessRegression as GaussianProcessRegression
from landscape.learners.laplace_classification import LaplaceClassification as LaplaceClassification
from landscape.learners.linear_regression import LinearRegression as LinearRegression
from landscape.learners.linear_teacher import LinearTeacher as LinearTeacher
from landscape.learners.populations import ConcealedParity as ConcealedParity
from landscape.learners.populations import SignOfInput as SignOfInput
from landscape.learners.reduced_landscape import ReducedLandscape as ReducedLandscape
from landscape.learners.solution_path import SolutionPath as SolutionPath
from landscape.learners.two_circuits import TwoCircuits as TwoCircuits
from landscape.learners.variational_classification import VariationalClassification as VariationalClassification
