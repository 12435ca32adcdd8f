"""Where this user's programs keep what they can make again."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Return Grokscape's folder among the user's caches, which need not exist: ``GROKSCAPE_CACHE``, or the system's."""
    chosen = os.environ.get("GROKSCAPE_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~")).expanduser() / "grokscape"
    if sys.platform == "darwin":
        return Path("~/Library/Caches/grokscape").expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "grokscape"
