"""What a circuit achieves for a unit of parameter norm, and the norm that a loss takes."""

from grokscape.landscape.measures.efficiency.at_loss import NormAtLoss as NormAtLoss
from grokscape.landscape.measures.efficiency.at_loss import norm_at_loss as norm_at_loss
from grokscape.landscape.measures.efficiency.definitions import DEFINITIONS as DEFINITIONS
from grokscape.landscape.measures.efficiency.definitions import margin_per_norm as margin_per_norm
from grokscape.landscape.measures.efficiency.degree import Homogeneity as Homogeneity
from grokscape.landscape.measures.efficiency.degree import homogeneity as homogeneity
from grokscape.landscape.measures.efficiency.frontier import efficiency_frontier as efficiency_frontier
from grokscape.landscape.measures.efficiency.frontier_result import EfficiencyFrontier as EfficiencyFrontier
from grokscape.landscape.measures.efficiency.per_norm import Efficiency as Efficiency
from grokscape.landscape.measures.efficiency.per_norm import efficiency as efficiency
