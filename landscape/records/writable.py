"""Whether files can be written somewhere, found out by writing one: before hours of training, not after."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from grokscape.landscape.errors import InvalidInput, StoreError
from grokscape.landscape.records import inside
from grokscape.landscape.records.files import destination
from grokscape.landscape.records.inside import FILE, FOLDER
from grokscape.landscape.records.store import Store


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
            store.place(*folder.split("/"), "probe")  # a link in the way is set aside, and not followed
            _write_one(place, "probe")
        except OSError as error:
            raise StoreError(
                f"the store's folder {place} cannot be written ({_why(error)}); make room or change its permissions, "
                "or choose another --store"
            ) from error


def refuse_unwritable(path: Path | None, store: Path | None = None) -> None:
    """Refuse an output file that cannot be written, or that would lie in a store; no path stands for no file.

    Parameters
    ----------
    path : Path or None
    store : Path or None
        The store in use, whether it is there yet or not; no other one is written into either.

    Raises
    ------
    InvalidInput
        Says why.
    """
    if path is None:
        return
    try:
        target = destination(path)
        if not target.parent.is_dir():
            raise InvalidInput(f"{path} cannot be written: expected a file name in a folder that exists")
        for folder in target.parents:
            if _is_store(folder) or (store is not None and folder == Path(os.path.realpath(store))):
                raise InvalidInput(
                    f"{path} lies in the store {folder}, which holds files of its own only; give a place outside of it"
                )
        _write_one(target.parent, target.name)
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(
            f"{path} cannot be written ({_why(error)}): expected a file name in a folder that exists and has room"
        ) from error


def _is_store(folder: Path) -> bool:
    return inside.kind(folder / "store.json") == FILE and inside.kind(folder / "runs") == FOLDER


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
