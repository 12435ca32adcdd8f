"""Files that are whole or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.records import inside
from grokscape.landscape.records.inside import FILE, FOLDER


def _usual_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


#: Read once, at import: asking for the mask changes it for a moment, which threads would notice.
_MODE = _usual_mode()


def write_atomically(target: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file, from one piece or several, so that a reader sees the old or the new content, and never a part."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        Path(name).chmod(_MODE)  # a temporary file is private; what it becomes is not
        with os.fdopen(handle, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def destination(target: Path) -> Path:
    """Return the regular file that an output of the user's own goes to, whether it is there yet or not.

    A symbolic link stays, and what it leads to is written. Anything else that is there would be replaced by a file,
    a device too if an administrator asks for it.

    Raises
    ------
    InvalidInput
        If there is something else than a file.
    """
    real = Path(os.path.realpath(target))
    found = inside.kind(real)
    if found == FOLDER:
        raise InvalidInput(f"{target} cannot be written: expected a file name in a folder that exists, found a folder")
    if found not in ("", FILE):
        raise InvalidInput(
            f"{target} cannot be written: it is {found}, expected a regular file or none; give another name"
        )
    return real


def write_output(target: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file of the user's own atomically, and remove what killed writes of it have left beside it.

    Raises
    ------
    InvalidInput
        If there is something else than a file.
    """
    target = destination(target)
    for leftover in inside.leftovers(target.parent, target.name):
        leftover.unlink(missing_ok=True)
    write_atomically(target, content)


def flush(file: Path) -> None:
    """Ask the system to bring a file's content to the disk."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
