"""Experiments that take no time, for the tests of everything around a training."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from grokscape.landscape.errors import NotPositiveDefinite
from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome, Session


@dataclass(frozen=True, kw_only=True)
class Toy(Experiment, kind="test_toy"):
    """Adds one to the weight of the toy that it starts from, or does something worse.

    Parameters
    ----------
    number : int
        Tells toys apart; a batch is trained in the order of its numbers.
    after : Toy, optional
    deed : str
        "count", "raise", "lack" or "die".
    group : str
        Toys of one group may be trained together.
    seconds : float
        How long the training takes.
    """

    number: int = 0
    after: Toy | None = None
    deed: str = "count"
    group: str = ""
    seconds: float = 0.0

    @property
    def parents(self) -> tuple[Experiment, ...]:
        return () if self.after is None else (self.after,)

    @property
    def batch_key(self) -> str:
        return self.group

    @property
    def work(self) -> float:
        return 10.0

    @classmethod
    def train(cls, batch: Sequence[Self], session: Session) -> Iterator[tuple[Self, Outcome]]:
        for index, toy in enumerate(sorted(batch, key=lambda toy: toy.number)):
            time.sleep(toy.seconds)
            session.report((index + 0.5) / len(batch))
            if toy.deed == "die":
                os._exit(3)
            if toy.deed == "raise":
                raise ArithmeticError(f"toy {toy.number} cannot count")
            if toy.deed == "lack":
                raise NotPositiveDefinite(f"the kernel of toy {toy.number} is none")
            before = 0.0 if toy.after is None else float(session.final_weights(toy.after)["w"][0])
            weights = {"w": np.array([before + 1])}
            rows = pd.DataFrame([(0, "", "count", before + 1)], columns=list(COLUMNS))
            info = {"last_step": 0, "stopped_by": "steps", "together": len(batch), "pid": os.getpid()}
            yield toy, Outcome(rows, {0: weights}, info)
