"""Decision rules: numpy and scipy alone, so that they can be trusted, tested and used without anything else."""

from predictions.rules.holm import holm as holm
from predictions.rules.location import Below as Below
from predictions.rules.location import Exceeds as Exceeds
from predictions.rules.location import Within as Within
from predictions.rules.operating import Operating as Operating
from predictions.rules.operating import operating as operating
from predictions.rules.order import Monotone as Monotone
from predictions.rules.order import Precedes as Precedes
from predictions.rules.proportion import Proportion as Proportion
from predictions.rules.rule import LEVEL as LEVEL
from predictions.rules.rule import Finding as Finding
from predictions.rules.rule import Outcome as Outcome
from predictions.rules.rule import Rule as Rule
from predictions.rules.rule import Sample as Sample
from predictions.rules.spread import Spread as Spread
