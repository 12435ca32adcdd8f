"""The store: one folder per finished training, written aside and renamed into place.

Layout (format 1)::

    store.json                     {"format": 1}
    runs/<identity>/run.json       description, info, SHA-256 of the other files and of itself
    runs/<identity>/trajectory.parquet
    runs/<identity>/weights.safetensors
    verdicts/<tier>/<claim>.json   last verdicts, for the report
    progress/<identity>.safetensors    where an interrupted training stands
    locks/<identity>.lock          held while somebody trains it
    aside/                         damaged or foreign files, never read again

Nothing is pickled, and nothing that a store holds is executed. A folder under ``runs`` either is complete or is not
there, however the process that wrote it ended.

A store may come from a stranger. What lies outside of it is never read, changed, moved or removed, whatever links it
holds (`inside`); what it holds is read completely and checked before it counts (`header`, `trajectories`,
`weight_files`, `snapshots`). Checksums show damage and not forgery: whoever trusts the numbers in a store trusts its
author, and whoever does not checks the claims in a store of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from grokscape.landscape.errors import StoreError
from grokscape.landscape.experiment import Experiment, Outcome, Snapshot, Weights
from grokscape.landscape.records import contents, inside, snapshots, strict_json, upkeep
from grokscape.landscape.records.contents import Contents
from grokscape.landscape.records.files import flush, write_atomically
from grokscape.landscape.records.header import FORMAT, HEADER, LARGEST, TRAJECTORY, WEIGHTS, describe
from grokscape.landscape.records.inside import FILE, FOLDER, Damaged, shown
from grokscape.landscape.records.record import Record

__all__ = ["FORMAT", "HEADER", "TRAJECTORY", "WEIGHTS", "Damaged", "Store", "describe"]

FOLDERS = ("runs", "verdicts", "progress", "locks", "aside")


class Store:
    """A folder of finished trainings that several processes may share.

    One on a medium that cannot be written can be read.

    Parameters
    ----------
    path : path-like
        Created if absent.

    Attributes
    ----------
    complaints : list of str
        What was set aside besides records: snapshots, locks, and what lay where a file was to be written.

    Raises
    ------
    StoreError
        If the folder was written by a newer version, holds something else, or has a link in place of one of its own
        folders. It is left as it was.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.complaints: list[str] = []
        self._checked: set[tuple[str, str]] = set()  # (identity, checksum of the header) of what was checked completely
        header = self.path / "store.json"
        known = inside.kind(header)
        if known:
            self._check_format(header)
        else:
            if self.path.exists() and self._is_foreign(header):
                raise StoreError(f"{self.path} exists and is no Grokscape store; choose another --store, or empty it")
            self.path.mkdir(parents=True, exist_ok=True)
            write_atomically(header, json.dumps({"format": FORMAT}).encode())
        for folder in (self.path / name for name in FOLDERS):
            if (found := inside.kind(folder)) not in ("", FOLDER):
                raise StoreError(
                    f"{folder} is {found}, expected a folder of the store's own; nothing was read or changed there: "
                    "remove it, or choose another --store"
                )
            with contextlib.suppress(OSError) if known else contextlib.nullcontext():
                folder.mkdir(exist_ok=True)

    def _is_foreign(self, header: Path) -> bool:
        """Say whether something that is no store lies here.

        Another process may be creating the same store at this moment, or have been killed in the middle of it. The
        header comes first; only unfinished copies of it may lie there without it.
        """
        if not self.path.is_dir():
            return True
        others = [entry for entry in self.path.iterdir() if not entry.name.startswith(f".{header.name}-")]
        return bool(others) and not header.exists()

    @staticmethod
    def _check_format(header: Path) -> None:
        try:
            found = strict_json.parse(inside.read(header, header.parent, LARGEST))["format"]
        except (ValueError, KeyError, TypeError, Damaged) as error:
            raise StoreError(f"{header} cannot be read ({error}); restore it or choose another --store") from None
        if found != FORMAT or not isinstance(found, int) or isinstance(found, bool):
            raise StoreError(
                f"{header.parent} has store format {shown(found):.50}, this Grokscape reads up to {FORMAT}; "
                "upgrade Grokscape or choose another --store"
            )

    def folder(self, experiment: Experiment) -> Path:
        """Return where an experiment is, or would be, kept."""
        return self.path / "runs" / experiment.identity

    def __contains__(self, experiment: Experiment) -> bool:
        folder = self.folder(experiment)
        return inside.kind(folder) == FOLDER and bool(inside.kind(folder / HEADER))

    # -- finished trainings ------------------------------------------------------------------------------------------

    def write(self, experiment: Experiment, outcome: Outcome, provenance: dict[str, Any]) -> None:
        """Keep a finished training; if another process was first, its record stands.

        Raises
        ------
        InvalidInput
            If what the training left could not be read again.
        StoreError
            If there is no room, or nothing can be written; names the store.
        """
        files = contents.encode(experiment, outcome, provenance)
        with self._named():
            self._write(experiment, files)

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Say of which store it is that the system refuses to write there, and what to do."""
        try:
            yield
        except Timeout:  # somebody else holds a lock
            raise
        except OSError as error:
            raise StoreError(
                f"the store {self.path} cannot be written ({error.strerror or error}); make room or change its "
                "permissions, then run the same command again: what was finished is kept"
            ) from error

    def _write(self, experiment: Experiment, files: dict[str, bytes]) -> None:
        scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=self.path / "runs"))
        try:
            for name, content in files.items():
                (scratch / name).write_bytes(content)
                flush(scratch / name)
            scratch.chmod(0o755)
            self._make_way(self.folder(experiment))
            try:
                scratch.rename(self.folder(experiment))
            except OSError:
                # Renaming onto a folder that is there fails: the first record stands. Anything else is a real failure.
                if experiment not in self:
                    raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.snapshot_file(experiment).unlink()

    def _make_way(self, folder: Path) -> None:
        if inside.kind(folder):
            try:
                self.check(folder)
            except Damaged as error:
                self._displace(folder, error)

    def _displace(self, folder: Path, damage: Damaged) -> Path:
        """Set a damaged record aside, or say that it stays in the way."""
        try:
            return self.set_aside(folder)
        except OSError as error:
            raise StoreError(
                f"{damage}, and it cannot be set aside ({error.strerror or error}); let the store {self.path} be "
                "written, or choose another --store"
            ) from error

    def read(self, experiment: Experiment) -> Record:
        """Return the record of a finished training.

        Raises
        ------
        KeyError
            If it is not in the store.
        Damaged
            If it is there but not as it was written; see `set_aside`.
        """
        found = self._sound(experiment)
        header, trajectory = found.header, found.trajectory()

        def load_weights(step: int) -> Weights:
            # Read again when they are asked for: few records' are, and together they may not fit the memory.
            kept = contents.weights(self.folder(experiment), self.path, header)
            if step not in kept:
                raise KeyError(f"no weights kept at step {step} of {experiment!r}; ask for them with keep=({step},)")
            return kept[step]

        return Record(experiment, trajectory, header["info"], load_weights)

    def header(self, experiment: Experiment) -> dict[str, Any]:
        """Return what is said about a finished training, after checking all of it; raises as `read` does."""
        return self._sound(experiment).header

    def _sound(self, experiment: Experiment) -> Contents:
        if experiment not in self:
            raise KeyError(f"the store has no record of {experiment!r}")
        found = Contents.of(self.folder(experiment), self.path)
        # Claims ask for one record again and again; what its bytes unpack to does not change.
        key = experiment.identity, found.header["sha256"]
        if key not in self._checked:
            if found.header["experiment"] != json.loads(experiment.canonical):
                raise Damaged(f"{found.folder / HEADER} describes another experiment")
            outcome = Outcome(*found.unpack(), found.header["info"])
            if reason := experiment.misfit_of_record(outcome):
                raise Damaged(f"{found.folder} is no record of its experiment: {reason}")
            self._checked.add(key)
        return found

    def check(self, folder: Path) -> dict[str, Any]:
        """Return the header of a stored folder after reading all of it and comparing every checksum.

        Raises
        ------
        Damaged
            If a file is missing, unreadable, not what was written, or not of the form that `write` gives it.
        """
        found = Contents.of(folder, self.path)
        found.unpack()
        return found.header

    def set_aside(self, path: Path) -> Path:
        """Move something damaged or foreign where nothing reads it, and return its new place; a link moves itself."""
        # A short name: one that the system just allows leaves no room for the time.
        target = self.path / "aside" / f"{path.name[:50]}-{time.time_ns()}"
        target.parent.mkdir(exist_ok=True)
        # Another process may have found the same damage, and been faster.
        with contextlib.suppress(FileNotFoundError):
            path.rename(target)
        return target

    def usable(self, experiment: Experiment) -> tuple[bool, str]:
        """Say whether a sound record is there; one that is damaged is set aside, and the second value says so.

        Raises
        ------
        StoreError
            If it cannot be set aside: nothing could be kept in its place.
        """
        folder = self.folder(experiment)
        if not inside.kind(folder):
            return False, ""
        try:
            inside.require(folder, FOLDER)
            if experiment not in self:
                raise Damaged(f"{folder / HEADER} is missing")
            self._sound(experiment)
        except FileNotFoundError:  # another process has set it aside just now
            return False, ""
        except Damaged as error:
            place = self._displace(folder, error)
            return False, f"{error}; set aside as {shown(place)}, to be recomputed"
        return True, ""

    def put_aside(self, path: Path) -> str:
        """Set something aside, and return words for what became of it: a medium may not be writable."""
        try:
            return f"set aside as {shown(self.set_aside(path))}"
        except OSError as error:
            return f"it cannot be set aside ({error.strerror})"

    def folders(self) -> Iterator[Path]:
        """Yield the folders (or whatever else lies there) of all finished trainings."""
        yield from (path for path in inside.entries(self.path / "runs") if not inside.is_passing(path))

    def experiments(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Yield the folder and the header of every record, without comparing large files; what has none is left out."""
        for folder in self.folders():
            with contextlib.suppress(Damaged):
                yield folder, contents.header(folder, self.path)

    def verify(self) -> Iterator[tuple[Path, str]]:
        """Check every file; set aside and yield, with the reason, whatever is damaged or does not belong."""
        yield from upkeep.verify(self)

    def prune(self, *, keep: set[str], dry_run: bool = False) -> list[Path]:
        """Remove everything but the runs with the given identities; see `upkeep.prune`."""
        return upkeep.prune(self, keep, dry_run)

    # -- trainings under way -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def claim(self, experiment: Experiment) -> Iterator[bool]:
        """Hold the lock of an experiment, if nobody does; yields whether it is held. Dies with its process."""
        file = self.place("locks", f"{experiment.identity}.lock")
        with contextlib.suppress(FileNotFoundError):
            if file.lstat().st_nlink > 1:  # some locks empty their file, and this may be anybody's
                self._clear(file, "a hard link")
        lock = FileLock(file, timeout=0)
        try:
            with self._named():
                lock.acquire()
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def place(self, *parts: str) -> Path:
        """Return a path below the store at which a file can be written: in real folders, and no link or folder itself.

        What lies in the way is set aside, with a complaint.
        """
        path = self.path.joinpath(*parts)
        for above in reversed(path.relative_to(self.path).parents[:-1]):
            if (found := inside.kind(self.path / above)) not in ("", FOLDER):
                self._clear(self.path / above, found)
            (self.path / above).mkdir(exist_ok=True)
        if (found := inside.kind(path)) not in ("", FILE):
            self._clear(path, found)
        return path

    def _clear(self, path: Path, found: str) -> None:
        self.complaints.append(f"{shown(path)} is {found}, expected none; {self.put_aside(path)}")

    def snapshot_file(self, experiment: Experiment) -> Path:
        """Return where the snapshot of an interrupted training is, or would be, kept."""
        return self.path / "progress" / f"{experiment.identity}.safetensors"

    def save_snapshot(self, experiment: Experiment, snapshot: Snapshot) -> None:
        """Keep where a training stands; one that is too large to be read again is not kept, with a complaint."""
        content = snapshots.encode(snapshot, experiment.identity)
        file = self.place("progress", self.snapshot_file(experiment).name)
        if len(content) <= snapshots.LARGEST:
            with self._named():
                write_atomically(file, content)
            return
        complaint = f"{file} would be larger than {snapshots.LARGEST} bytes; a kill would lose this training"
        self.complaints += [] if complaint in self.complaints else [complaint]

    def load_snapshot(self, experiment: Experiment) -> Snapshot | None:
        """Return where an interrupted training stood, or None; a damaged snapshot is set aside, with a complaint."""
        file = self.snapshot_file(experiment)
        try:
            snapshot = snapshots.decode(inside.read(file, self.path, snapshots.LARGEST), experiment.identity)
            if reason := experiment.misfit_of_snapshot(snapshot):
                raise ValueError(reason)
        except FileNotFoundError:
            return None
        except (ValueError, Damaged) as error:
            self.complaints.append(f"the snapshot {file} cannot be used: {shown(error)}; {self.put_aside(file)}")
            return None
        return snapshot
