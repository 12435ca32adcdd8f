"""Decision rules: numpy and scipy alone, so that they can be trusted, tested and used without anything else."""

from grokscape.predictions.rules.holm import holm as holm
from grokscape.predictions.rules.holm import largest_rejected as largest_rejected
from grokscape.predictions.rules.location import Below as Below
from grokscape.predictions.rules.location import Exceeds as Exceeds
from grokscape.predictions.rules.location import Within as Within
from grokscape.predictions.rules.operating import Operating as Operating
from grokscape.predictions.rules.operating import foreseen as foreseen
from grokscape.predictions.rules.operating import operating as operating
from grokscape.predictions.rules.order import Monotone as Monotone
from grokscape.predictions.rules.order import Precedes as Precedes
from grokscape.predictions.rules.proportion import Proportion as Proportion
from grokscape.predictions.rules.rule import LEVEL as LEVEL
from grokscape.predictions.rules.rule import Contributions as Contributions
from grokscape.predictions.rules.rule import Decision as Decision
from grokscape.predictions.rules.rule import Finding as Finding
from grokscape.predictions.rules.rule import Requirement as Requirement
from grokscape.predictions.rules.rule import Rule as Rule
from grokscape.predictions.rules.rule import Sample as Sample
from grokscape.predictions.rules.spread import Spread as Spread
