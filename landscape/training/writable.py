"""Whether files can be written somewhere, found out by writing one: before hours of training, not after."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from landscape.errors import InvalidInput, StoreError
from landscape.training.store import Store


def refuse_unwritable_store(store: Store, tier: str) -> None:
    """Refuse a store in which runs or verdicts of a tier cannot be kept.

    Raises
    ------
    StoreError
        Says which folder, and why.
    """
    for folder in ("runs", "progress", "locks", "aside", "verdicts", f"verdicts/{tier}"):
        place = store.path / folder
        try:
            place.mkdir(exist_ok=True)
            _write_one(place, "probe")
        except OSError as error:
            raise StoreError(
                f"the store's folder {place} cannot be written ({_why(error)}); make room or change its permissions, "
                "or choose another --store"
            ) from error


def refuse_unwritable(path: Path | None) -> None:
    """Refuse an output file that cannot be written; None stands for none.

    Raises
    ------
    InvalidInput
        Says why.
    """
    if path is None:
        return
    try:
        if path.is_dir() or not path.parent.is_dir():
            raise InvalidInput(f"{path} cannot be written: expected a file name in a folder that exists")
        _write_one(path.parent, path.name)
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(
            f"{path} cannot be written ({_why(error)}): expected a file name in a folder that exists and has room"
        ) from error


def _write_one(folder: Path, name: str) -> None:
    """Write a small file under the kind of name that unfinished files have, and remove it."""
    handle, made = tempfile.mkstemp(prefix=f".{name}-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    finally:
        Path(made).unlink(missing_ok=True)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
