"""The loss along lines and paths and on planes, and the barriers between networks."""

from grokscape.landscape.measures.paths.bent import LowLossPath as LowLossPath
from grokscape.landscape.measures.paths.bent import low_loss_path as low_loss_path
from grokscape.landscape.measures.paths.slices import Plane as Plane
from grokscape.landscape.measures.paths.slices import Slice as Slice
from grokscape.landscape.measures.paths.slices import line_slice as line_slice
from grokscape.landscape.measures.paths.slices import plane_slice as plane_slice
from grokscape.landscape.measures.paths.straight import Path as Path
from grokscape.landscape.measures.paths.straight import interpolate as interpolate
