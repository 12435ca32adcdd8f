"""An experiment that has its worker killed, as the system does when memory runs out."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome, Session, Snapshot


@dataclass(frozen=True, kw_only=True)
class Mortal(Experiment, kind="test_mortal"):
    """Saves a snapshot, and then kills its process: never, the first time, or always.

    Parameters
    ----------
    number : int
        Tells them apart.
    kills : str
        "never", "once" or "always".
    marks : str
        A folder in which each leaves the numbers of the processes that it killed.
    """

    number: int = 0
    kills: str = "never"
    marks: str = ""

    @property
    def batch_key(self) -> str:
        return "all"

    @property
    def work(self) -> float:
        return 10.0

    def deaths(self) -> list[int]:
        """Return the processes that it killed."""
        mark = Path(self.marks) / str(self.number)
        return [int(line) for line in mark.read_text().split()] if mark.exists() else []

    @classmethod
    def train(cls, batch: Sequence[Self], session: Session) -> Iterator[tuple[Self, Outcome]]:
        rows = pd.DataFrame([(0, "", "count", 1.0)], columns=list(COLUMNS))
        for mortal in batch:
            before = session.snapshot(mortal)
            step = before.step if before else 0
            session.save(mortal, Snapshot(step + 1, rows, {"parameters": np.zeros(1)}))
            deaths = mortal.deaths()
            if mortal.kills == "always" or (mortal.kills == "once" and not deaths):
                with (Path(mortal.marks) / str(mortal.number)).open("a") as mark:
                    mark.write(f"{os.getpid()}\n")
                os.kill(os.getpid(), signal.SIGKILL)
            info = {"last_step": 0, "resumed_at": step, "together": len(batch), "pid": os.getpid()}
            yield mortal, Outcome(rows, {}, info)
