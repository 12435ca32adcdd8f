# The names that nearly everyone needs; __init__.py reads them here, and imports each when it is first used.

from . import landscape as landscape
from . import predictions as predictions
from . import reports as reports
from .landscape import Problem as Problem
from .landscape import Run as Run
from .landscape import Store as Store
from .landscape import norm_profile as norm_profile
from .landscape import sharpness as sharpness
from .landscape import top_eigenvalues as top_eigenvalues
from .landscape import train_all as train_all
from .predictions import Check as Check
from .predictions import Prediction as Prediction
from .version import __version__ as __version__
