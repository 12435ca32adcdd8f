"""Looking after a store: what is damaged or foreign is set aside, and what nobody needs is removed."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from grokscape.landscape.records import inside, snapshots
from grokscape.landscape.records.header import HEADER, TRAJECTORY, WEIGHTS, identity_of
from grokscape.landscape.records.inside import FILE, FOLDER, Damaged, shown

if TYPE_CHECKING:
    from grokscape.landscape.records.store import Store

#: Names of what belongs into the folders of a store. Besides, files that are being written lie there for a moment.
_NAMES = {
    "": r"store\.json|runs|verdicts|progress|locks|aside",
    "locks": r"[0-9a-f]{32}\.lock",
    "progress": r"[0-9a-f]{32}\.safetensors|[^.].*\.job",
    "verdicts": r"[^.].*\.json",
}
#: A probe is what `writable` writes to see whether it can.
_BEING_WRITTEN = r"\.(?:%s|probe)-[a-z0-9_]{8}"


def verify(store: Store) -> Iterator[tuple[Path, str]]:
    """Check every file of a store; set aside and yield, with the reason, whatever is damaged or does not belong.

    What verdicts say is not looked at here; `grokscape.predictions.checking.verdict_files.verify_verdicts` does.
    """
    for path, reason in (*_bad_runs(store), *_bad_files(store), *_foreign(store.path, "")):
        what = store.put_aside(path)
        yield path, reason if what.startswith("set aside") else f"{reason}; {what}"


def _bad_runs(store: Store) -> Iterator[tuple[Path, str]]:
    for folder in store.folders():
        try:
            inside.require(folder, FOLDER)
            if folder.name != identity_of(store.check(folder)):
                raise Damaged(f"{shown(folder)} holds the record of another experiment")
            for path in inside.entries(folder):
                if path.name not in (HEADER, TRAJECTORY, WEIGHTS):
                    yield path, f"{shown(path)} does not belong to a record"
        except FileNotFoundError:
            continue  # removed or set aside since it was listed
        except Damaged as error:
            yield folder, str(error)


def _bad_files(store: Store) -> Iterator[tuple[Path, str]]:
    """Yield what is no file where files belong, and snapshots that nothing could go on from."""
    for folder, expected in _shelves(store):
        if inside.kind(folder) != FOLDER:
            yield folder, f"{shown(folder)} is {inside.kind(folder)}, expected {FOLDER}"
        foreign = dict(_foreign(folder, folder.name if folder.parent == store.path else "verdicts"))
        yield from foreign.items()
        for path in inside.entries(folder):
            if path in foreign:
                continue
            try:
                inside.require(path, expected)
                if folder.name == "progress" and path.suffix == ".safetensors":
                    snapshots.decode(inside.read(path, store.path, snapshots.LARGEST), path.stem)
            except FileNotFoundError:
                continue
            except Damaged as error:
                yield path, str(error)
            except ValueError as error:
                yield path, f"{shown(path)} cannot be used: {shown(error)}"


def _foreign(folder: Path, shelf: str) -> Iterator[tuple[Path, str]]:
    """Yield what has a name that nothing in this folder of a store has."""
    for path in inside.entries(folder):
        if not re.fullmatch(rf"{_NAMES[shelf]}|{_BEING_WRITTEN % _NAMES[shelf]}", path.name, re.DOTALL):
            yield path, f"{shown(path)} does not belong there"


def _shelves(store: Store) -> Iterator[tuple[Path, str]]:
    """Yield the folders that hold files and nothing else."""
    yield store.path / "locks", FILE
    yield store.path / "progress", FILE
    for tier in inside.entries(store.path / "verdicts"):
        if not inside.is_passing(tier):
            yield tier, FILE


def prune(store: Store, keep: set[str], dry_run: bool) -> list[Path]:
    """Remove everything but the runs of some identities; return what was (or would be) removed.

    Files of trainings and writes that may be under way (locks, snapshots, records and verdicts being written) go only
    if they are more than an hour old, and a lock only if nobody holds it. What cannot be removed becomes a complaint.

    Parameters
    ----------
    store : Store
    keep : set of str
        Identities.
    dry_run : bool
        Only say what would go.
    """
    doomed = [folder for folder in store.folders() if folder.name not in keep]
    doomed += inside.entries(store.path / "aside")
    passing = [*inside.entries(store.path / "locks"), *inside.entries(store.path / "progress")]
    for shelf in ("runs", "verdicts"):
        passing += filter(inside.is_passing, inside.entries(store.path / shelf))
    doomed += sorted(path for path in passing if inside.is_left_behind(path))
    for folder in (store.path, *inside.entries(store.path / "verdicts")):
        doomed += inside.leftovers(folder) + inside.leftovers(folder, "probe")
    return doomed if dry_run else [path for path in doomed if _is_removed(path, store)]


def _is_removed(path: Path, store: Store) -> bool:
    """Remove something and say whether it is gone."""
    try:
        with _free(path):
            inside.remove(path)
    except Timeout:  # a long training holds it
        return False
    except (OSError, RecursionError) as error:  # a folder may be nested too deeply
        reason = getattr(error, "strerror", "") or type(error).__name__
        store.complaints.append(f"{shown(path)} cannot be removed ({reason}); remove it yourself")
        return False
    return True


def _free(path: Path) -> contextlib.AbstractContextManager[object]:
    """Return what holds a lock while its file is removed; nothing for other files."""
    ours = path.parent.name == "locks" and inside.kind(path) == FILE and path.lstat().st_nlink == 1
    return FileLock(path, timeout=0) if ours else contextlib.nullcontext()
