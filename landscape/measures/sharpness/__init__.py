"""How far the loss rises around the parameters, in the forms that the field uses."""

from grokscape.landscape.measures.sharpness.forms import FORMS as FORMS
from grokscape.landscape.measures.sharpness.forms import LOWER_BOUNDS as LOWER_BOUNDS
from grokscape.landscape.measures.sharpness.forms import Sharpness as Sharpness
from grokscape.landscape.measures.sharpness.forms import sharpness as sharpness
