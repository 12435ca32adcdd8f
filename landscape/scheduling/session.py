"""The surroundings of a training: where its parents, snapshots and progress reports live."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from grokscape.landscape.experiment import Experiment, Snapshot, Weights
from grokscape.landscape.records.store import Store


@dataclass
class StoreSession:
    """A session whose parents, snapshots and progress live in a store.

    Parameters
    ----------
    store : Store
    device : str
    compile : bool
        Use ``torch.compile``; gives up batch invariance.
    interval : float
        Seconds between snapshots.
    progress : callable, optional
        JobReport the share of the work that is done, at most four times a second.

    Attributes
    ----------
    resumed : bool
        Whether a training goes on from where an interrupted one stood.
    notes : list of str
        What a reader should know, each sentence once.
    """

    store: Store
    device: str = "cpu"
    compile: bool = False
    interval: float = 15.0
    progress: Callable[[float], None] | None = None
    resumed: bool = False
    notes: list[str] = field(default_factory=list)
    _saved: float = field(default_factory=time.monotonic)
    _reported: float = 0.0

    def final_weights(self, experiment: Experiment) -> Weights:
        return self.store.read(experiment).weights()

    def snapshot(self, experiment: Experiment) -> Snapshot | None:
        snapshot = self.store.load_snapshot(experiment)
        self.resumed |= snapshot is not None
        return snapshot

    def save(self, experiment: Experiment, snapshot: Snapshot) -> None:
        # A disk that is full now may have room when the training is finished; only if it is interrupted is this missed.
        with contextlib.suppress(OSError):
            self.store.save_snapshot(experiment, snapshot)

    def wants_snapshot(self) -> bool:
        if time.monotonic() - self._saved < self.interval:
            return False
        self._saved = time.monotonic()
        return True

    def report(self, done: float) -> None:
        if self.progress is not None and time.monotonic() - self._reported > 0.25:
            self._reported = time.monotonic()
            self.progress(done)

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)
