"""A model, a loss and data, bound together: what every instrument takes.

`Problem` is what users make. Around it: how data are read (`reading`, `batches`, `containers`), how a loss weighs them
(`weighing`, `loss_checks`, `pairing`), how a model is taken in (`adoption`, `hooks`, `memory`, `networks`), and whether
derivatives are those of the loss (`derivatives`, `gradient_check`, `chance`). `checks.validate` answers
these questions once.
"""

from grokscape.landscape.problem.problem import Problem as Problem
from grokscape.landscape.problem.varied_model import Function as Function
