"""The reduced loss landscape: train and test loss over the weight norm, minimised over everything else."""

from grokscape.landscape.measures.norm_profile.on_sphere import PUBLISHED as PUBLISHED
from grokscape.landscape.measures.norm_profile.on_sphere import Minima as Minima
from grokscape.landscape.measures.norm_profile.on_sphere import minimise_at_norm as minimise_at_norm
from grokscape.landscape.measures.norm_profile.profile import SCALES as SCALES
from grokscape.landscape.measures.norm_profile.profile import norm_profile as norm_profile
from grokscape.landscape.measures.norm_profile.result import NormProfile as NormProfile
