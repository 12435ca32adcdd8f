"""Experiments that train nothing themselves, but measure the networks of others and are stored like them."""

from grokscape.landscape.surveys.reduced_landscape import ReducedLandscape as ReducedLandscape
from grokscape.landscape.surveys.solution_path import SolutionPath as SolutionPath
