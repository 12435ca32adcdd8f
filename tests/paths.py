"""Where the sources are, for what runs in processes of its own."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: With it another process finds these sources and these tests, whatever is installed.
PYTHONPATH = os.pathsep.join(map(str, (ROOT / ".src", ROOT)))
