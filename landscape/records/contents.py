"""The folder of one finished training: what is written into it, and read out of it again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.experiment import Experiment, Outcome, Weights
from grokscape.landscape.records import header as headers
from grokscape.landscape.records import inside, trajectories, weight_files
from grokscape.landscape.records.header import HEADER, TRAJECTORY, WEIGHTS
from grokscape.landscape.records.inside import Damaged, shown

_LARGEST = {TRAJECTORY: trajectories.LARGEST, WEIGHTS: weight_files.LARGEST}


class Contents(NamedTuple):
    """What lies in a folder: every checksum compared, nothing unpacked."""

    folder: Path
    header: dict[str, Any]
    table: bytes
    tensors: bytes

    @classmethod
    def of(cls, folder: Path, root: Path) -> Contents:
        """Read a folder of the store at `root`.

        Raises
        ------
        Damaged
            If a file is missing, unreadable, or not what was written.
        """
        found = header(folder, root)
        return cls(folder, found, *(_file(folder / name, root, found) for name in (TRAJECTORY, WEIGHTS)))

    def trajectory(self) -> pd.DataFrame:
        """Return the table; raises `Damaged` as `unpack` does."""
        try:
            return trajectories.decode(self.table)
        except ValueError as error:
            raise Damaged(f"{shown(self.folder / TRAJECTORY)} is no trajectory: {shown(error)}") from None

    def unpack(self) -> tuple[pd.DataFrame, dict[int, Weights]]:
        """Return the trajectory and the kept weights.

        Raises
        ------
        Damaged
            If they are not of the form that `encode` gives them, whatever their checksums say.
        """
        trajectory, kept = self.trajectory(), _weights(self.tensors, self.folder)
        if kept and self.header["info"].get("last_step") not in kept:
            raise Damaged(f"{shown(self.folder / WEIGHTS)} lacks the weights of the last step")
        return trajectory, kept


def encode(experiment: Experiment, outcome: Outcome, provenance: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of a finished training by name.

    Raises
    ------
    InvalidInput
        If they could not be read again.
    """
    try:
        files = {
            TRAJECTORY: trajectories.encode(outcome.trajectory),
            WEIGHTS: weight_files.encode(outcome.weights),
        }
        trajectories.decode(files[TRAJECTORY])
        kept = weight_files.decode(files[WEIGHTS])
        if kept and outcome.info.get("last_step") not in kept:
            raise ValueError("it has weights, but none of its last step")
        for name, content in files.items():
            if len(content) > _LARGEST[name]:
                raise ValueError(f"its {name} has {len(content)} bytes, more than {_LARGEST[name]}")
        return files | {HEADER: headers.encode(experiment.to_data(), {**outcome.info, **provenance}, files)}
    except ValueError as error:
        raise InvalidInput(
            f"what {experiment!r:.200} left cannot be kept: {error}; let its train yield one number for each step, "
            "split and quantity, weights that are numbers, and info that is JSON"
        ) from None


def header(folder: Path, root: Path) -> dict[str, Any]:
    """Return the header in a folder of the store at `root`; raises `Damaged` if it is not what was written."""
    try:
        return headers.decode(inside.read(folder / HEADER, root, headers.LARGEST))
    except FileNotFoundError:
        raise Damaged(f"{shown(folder / HEADER)} is missing") from None
    except ValueError as error:
        raise Damaged(f"{shown(folder / HEADER)} cannot be used: {shown(error)}") from None


def weights(folder: Path, root: Path, header: Mapping[str, Any]) -> dict[int, Weights]:
    """Return the kept weights alone, by step; raises `Damaged` as `Contents.of` does."""
    return _weights(_file(folder / WEIGHTS, root, header), folder)


def _weights(content: bytes, folder: Path) -> dict[int, Weights]:
    try:
        return weight_files.decode(content)
    except ValueError as error:
        raise Damaged(f"{shown(folder / WEIGHTS)} cannot be used: {shown(error)}") from None


def _file(path: Path, root: Path, header: Mapping[str, Any]) -> bytes:
    try:
        content = inside.read(path, root, _LARGEST[path.name])
    except FileNotFoundError:
        raise Damaged(f"{shown(path)} is missing") from None
    if hashlib.sha256(content).hexdigest() != header["files"][path.name]:
        raise Damaged(f"{shown(path)} does not match its checksum")
    return content
