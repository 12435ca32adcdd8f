"""Files that are whole or not there, and what proves that they are what was written."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np

from landscape.experiment import Weights


def _usual_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


#: Read once, at import: asking for the mask changes it for a moment, which threads would notice.
_MODE = _usual_mode()


def write_atomically(target: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new content, and never a part."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        Path(name).chmod(_MODE)  # a temporary file is private; what it becomes is not
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def in_order(arrays: Weights) -> Weights:
    """Lay arrays out row by row: safetensors writes the memory of a transposed one as it lies, under its new shape."""
    return {name: np.asarray(array, order="C") for name, array in arrays.items()}


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def flush(file: Path) -> None:
    """Ask the system to bring a file's content to the disk."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
