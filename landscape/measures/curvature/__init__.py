"""The curvature of the loss: eigenvalues, traces and spectral densities of its Hessian and Gauss-Newton matrix."""

from grokscape.landscape.measures.curvature.curvature import Curvature as Curvature
from grokscape.landscape.measures.curvature.curvature import Kind as Kind
from grokscape.landscape.measures.curvature.density import SpectralDensity as SpectralDensity
from grokscape.landscape.measures.curvature.density import spectral_density as spectral_density
from grokscape.landscape.measures.curvature.eigenvalues import Eigenvalues as Eigenvalues
from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues as top_eigenvalues
from grokscape.landscape.measures.curvature.operator import Operator as Operator
from grokscape.landscape.measures.curvature.traces import Trace as Trace
from grokscape.landscape.measures.curvature.traces import trace as trace
