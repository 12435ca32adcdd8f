"""Tasks whose examples were collected, not computed: real data, pinned by their fingerprint."""

from __future__ import annotations

import functools
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.errors import DataMissing, InvalidInput
from grokscape.landscape.sharing import shared_data
from grokscape.landscape.tasks.local_data import fingerprint
from grokscape.landscape.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class CollectedTask(Task, ABC):
    """Examples from a data set that is on this machine already, or is missing; nothing is downloaded.

    Making a task, its identity and its splits need no data; only `inputs` and `labels` read them, once in a process.

    Parameters
    ----------
    examples : int
        The first so many of the collection, in an order that is random and always the same.
    sha256 : str
        Fingerprint of the collection (`local_data.fingerprint`); part of the identity, so that no run of other data
        can stand for this one.

    Raises
    ------
    DataMissing
        On reading, if the data are not here; the message says how to get them.
    InvalidInput
        On reading, if they are other data than the fingerprint says.
    """

    examples: int
    sha256: str

    #: Examples in the collection.
    available: ClassVar[int]
    #: What to install or put where, as one sentence.
    advice: ClassVar[str]

    def validate(self) -> None:
        if not 1 <= self.examples <= self.available:
            self.refuse("examples", f"between 1 and {self.available}, which the collection has")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            self.refuse("sha256", "a fingerprint of 64 hexadecimal digits")

    @classmethod
    @abstractmethod
    def files(cls) -> tuple[Path | None, ...]:
        """Return where the files of the collection are; None for one that is not here."""

    @classmethod
    @abstractmethod
    def load(cls, *files: Path) -> tuple[np.ndarray, ...]:
        """Read the whole collection, as arrays that its fingerprint is taken of."""

    @abstractmethod
    def examples_of(self, chosen: np.ndarray, *collection: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs (float64) and labels of the chosen examples of the collection, given as `load` returned it."""

    @property
    def missing(self) -> str:
        """What to do to get the data; "" if they are here."""
        return "" if all(self.files()) else self.advice

    @functools.cached_property
    def size(self) -> int:
        return self.examples

    @property
    def inputs(self) -> Tensor:
        return self._chosen[0]

    @property
    def labels(self) -> Tensor:
        return self._chosen[1]

    @property
    @shared_data
    def _chosen(self) -> tuple[Tensor, Tensor]:
        """Inputs and labels."""
        collection = _collection(type(self), self.sha256)
        chosen = randomness.permutation(self.available, 0, "examples")[: self.examples]
        inputs, labels = self.examples_of(chosen, *collection)
        return torch.from_numpy(inputs), torch.from_numpy(labels)


@functools.lru_cache(maxsize=1)
def _collection(kind: type[CollectedTask], sha256: str) -> tuple[np.ndarray, ...]:
    """Read a collection and verify it."""
    files = [file for file in kind.files() if file is not None]
    if len(files) < len(kind.files()):
        raise DataMissing(f"the data of {kind.__name__} are not here: {kind.advice}")
    collection = kind.load(*files)
    found = fingerprint(collection)
    if found != sha256:
        raise InvalidInput(
            f"{files[0]} holds other data than {kind.__name__} is about (fingerprint {found:.12}..., expected "
            f"{sha256:.12}...): {kind.advice}"
        )
    return collection
