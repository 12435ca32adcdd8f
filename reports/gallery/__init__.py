"""A short script for each kind of instrument, ending in a figure.

They are named like the files of `grokscape.reports.model_page.instruments`, and run by
``python -m grokscape.reports.gallery.norm_profile``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from matplotlib.axes import Axes


def save(axes: Axes, name: str) -> None:
    """Write the figure to the file named on the command line, or to ``<name>.svg``."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else f"{name}.svg")
    axes.figure.canvas.print_figure(path)
    sys.stdout.write(f"{path}\n")
