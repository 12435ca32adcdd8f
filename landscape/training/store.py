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
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import safetensors.numpy
from filelock import FileLock, Timeout

from landscape.description import from_data
from landscape.errors import InvalidInput, StoreError
from landscape.experiment import COLUMNS, Experiment, Outcome, Snapshot, Weights
from landscape.training import snapshots
from landscape.training.files import flush, in_order, sha256, write_atomically
from landscape.training.record import Record

FORMAT = 1
TRAJECTORY, WEIGHTS, HEADER = "trajectory.parquet", "weights.safetensors", "run.json"


class Damaged(Exception):
    """A stored file is not what was written; says which and why."""


class Store:
    """A folder of finished trainings that several processes may share.

    Parameters
    ----------
    path : path-like
        Created if absent.

    Raises
    ------
    StoreError
        If the folder was written by a newer version, or holds something else. It is left as it was.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        header = self.path / "store.json"
        if header.exists():
            self._check_format(header)
        else:
            if self.path.exists() and self._is_foreign(header):
                raise StoreError(f"{self.path} exists and is no Grokscape store; choose another --store, or empty it")
            self.path.mkdir(parents=True, exist_ok=True)
            write_atomically(header, json.dumps({"format": FORMAT}).encode())
        for folder in ("runs", "verdicts", "progress", "locks", "aside"):
            (self.path / folder).mkdir(exist_ok=True)

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
            found = json.loads(header.read_bytes())["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{header} cannot be read ({error}); restore it or choose another --store") from None
        if not isinstance(found, int) or found > FORMAT:
            raise StoreError(
                f"{header.parent} has store format {found}, this Grokscape reads up to {FORMAT}; "
                "upgrade Grokscape or choose another --store"
            )

    def folder(self, experiment: Experiment) -> Path:
        """Return where an experiment is, or would be, kept."""
        return self.path / "runs" / experiment.identity

    def __contains__(self, experiment: Experiment) -> bool:
        return (self.folder(experiment) / HEADER).exists()

    # -- finished trainings ------------------------------------------------------------------------------------------

    def write(self, experiment: Experiment, outcome: Outcome, provenance: dict[str, Any]) -> None:
        """Keep a finished training; if another process was first, its record stands."""
        scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=self.path / "runs"))
        try:
            outcome.trajectory[list(COLUMNS)].to_parquet(scratch / TRAJECTORY, index=False)
            flat = {f"{step}/{name}": a for step, tensors in outcome.weights.items() for name, a in tensors.items()}
            (scratch / WEIGHTS).write_bytes(safetensors.numpy.save(in_order(flat)))
            header = {
                "format": FORMAT,
                "experiment": experiment.to_data(),
                "info": outcome.info | provenance,
                "files": {name: sha256(scratch / name) for name in (TRAJECTORY, WEIGHTS)},
            }
            header["sha256"] = _digest(header)
            (scratch / HEADER).write_text(json.dumps(header, indent=1, sort_keys=True))
            for file in scratch.iterdir():
                flush(file)
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
        self.snapshot_file(experiment).unlink(missing_ok=True)

    def _make_way(self, folder: Path) -> None:
        if folder.exists():
            try:
                self.check(folder)
            except Damaged:
                self.set_aside(folder)

    def read(self, experiment: Experiment) -> Record:
        """Return the record of a finished training.

        Raises
        ------
        KeyError
            If it is not in the store.
        Damaged
            If it is there but not as it was written; see `set_aside`.
        """
        if experiment not in self:
            raise KeyError(f"the store has no record of {experiment!r}")
        folder = self.folder(experiment)
        header = self._sound_header(experiment)
        trajectory = pd.read_parquet(folder / TRAJECTORY)

        def load_weights(step: int) -> Weights:
            tensors = safetensors.numpy.load_file(folder / WEIGHTS)
            kept = {name.split("/", 1)[1]: array for name, array in tensors.items() if name.startswith(f"{step}/")}
            if not kept:
                raise KeyError(f"no weights kept at step {step} of {experiment!r}; ask for them with keep=({step},)")
            return kept

        return Record(experiment, trajectory, header["info"], load_weights)

    def header(self, experiment: Experiment) -> dict[str, Any]:
        """Return what is said about a finished training, after comparing every checksum; raises as `read` does."""
        if experiment not in self:
            raise KeyError(f"the store has no record of {experiment!r}")
        return self._sound_header(experiment)

    def _sound_header(self, experiment: Experiment) -> dict[str, Any]:
        folder = self.folder(experiment)
        header = self.check(folder)
        if header["experiment"] != json.loads(experiment.canonical):
            raise Damaged(f"{folder / HEADER} describes another experiment")
        return header

    def check(self, folder: Path) -> dict[str, Any]:
        """Return the header of a stored folder after comparing every checksum.

        Raises
        ------
        Damaged
            If a file is missing, unreadable, or not what was written.
        """
        try:
            header: dict[str, Any] = json.loads((folder / HEADER).read_bytes())
            digest = header.pop("sha256")
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, AttributeError, TypeError):
            raise Damaged(f"{folder / HEADER} is missing or unreadable") from None
        if digest != _digest(header):
            raise Damaged(f"{folder / HEADER} does not match its checksum")
        for name, expected in header["files"].items():
            try:
                found = sha256(folder / name)
            except FileNotFoundError:
                raise Damaged(f"{folder / name} is missing") from None
            if found != expected:
                raise Damaged(f"{folder / name} does not match its checksum")
        return header

    def set_aside(self, path: Path) -> Path:
        """Move something damaged or foreign where nothing reads it, and return its new place."""
        target = self.path / "aside" / f"{path.name}-{time.time_ns()}"
        # Another process may have found the same damage, and been faster.
        with contextlib.suppress(FileNotFoundError):
            path.rename(target)
        return target

    def usable(self, experiment: Experiment) -> tuple[bool, str]:
        """Say whether a sound record is there; one that is damaged is set aside, and the second value says so."""
        if experiment not in self:
            return False, ""
        try:
            self._sound_header(experiment)
        except Damaged as error:
            return False, f"{error}; set aside as {self.set_aside(self.folder(experiment))}, to be recomputed"
        return True, ""

    def folders(self) -> Iterator[Path]:
        """Yield the folders (or whatever else lies there) of all finished trainings."""
        yield from sorted(p for p in (self.path / "runs").iterdir() if not p.name.startswith(".writing-"))

    def experiments(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Yield the folder and the header of every sound record, without comparing large files."""
        for folder in self.folders():
            with contextlib.suppress(OSError, ValueError):
                yield folder, json.loads((folder / HEADER).read_bytes())

    def verify(self) -> Iterator[tuple[Path, str]]:
        """Check every file; set aside and yield, with the reason, whatever is damaged or does not belong."""
        for folder in list(self.folders()):
            try:
                header = self.check(folder)
                if folder.name != _identity_of(header):
                    raise Damaged(f"{folder} holds the record of another experiment")
            except Damaged as error:
                self.set_aside(folder)
                yield folder, str(error)

    # -- trainings under way -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def claim(self, experiment: Experiment) -> Iterator[bool]:
        """Hold the lock of an experiment, if nobody does; yields whether it is held. Dies with its process."""
        lock = FileLock(self.path / "locks" / f"{experiment.identity}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def snapshot_file(self, experiment: Experiment) -> Path:
        """Return where the snapshot of an interrupted training is, or would be, kept."""
        return self.path / "progress" / f"{experiment.identity}.safetensors"

    def save_snapshot(self, experiment: Experiment, snapshot: Snapshot) -> None:
        """Keep where a training stands."""
        write_atomically(self.snapshot_file(experiment), snapshots.encode(snapshot))

    def load_snapshot(self, experiment: Experiment) -> Snapshot | None:
        """Return where an interrupted training stood, or None; a damaged snapshot is set aside."""
        file = self.snapshot_file(experiment)
        try:
            return snapshots.decode(file.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            self.set_aside(file)
            return None

    def prune(self, *, keep: set[str], dry_run: bool = False) -> list[Path]:
        """Remove everything but the runs with the given identities; return what was (or would be) removed.

        Files of trainings that may be under way (locks, snapshots, records being written) go only if they are more
        than an hour old.
        """
        doomed = [folder for folder in self.folders() if folder.name not in keep]
        doomed += sorted((self.path / "aside").iterdir())
        passing = [*(self.path / "locks").iterdir(), *(self.path / "progress").iterdir()]
        passing += (self.path / "runs").glob(".writing-*")
        doomed += sorted(path for path in passing if time.time() - path.stat().st_mtime > 3600)
        for path in [] if dry_run else doomed:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        return doomed


def _digest(header: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()


def _identity_of(header: dict[str, Any]) -> str:
    """The identity that a header's description has; computed from data, so that unknown kinds can be checked too."""
    canonical = json.dumps(header["experiment"], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def describe(header: dict[str, Any]) -> str:
    """Return one line about a stored experiment, as well as this process can tell."""
    try:
        return repr(from_data(header["experiment"]))
    except (InvalidInput, TypeError):
        return json.dumps(header["experiment"])
