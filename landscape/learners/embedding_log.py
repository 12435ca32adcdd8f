"""What one run of an embedding and its decoder has recorded so far, and whether it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from grokscape.landscape.experiment import COLUMNS, Outcome, Snapshot, Weights
from grokscape.landscape.training import arithmetic

if TYPE_CHECKING:
    from grokscape.landscape.learners.embedding_decoder import EmbeddingDecoder


class EmbeddingLog:
    """What a run has recorded between its first step and its last.

    Parameters
    ----------
    run : EmbeddingDecoder
    snapshot : Snapshot, optional
        Where an earlier, interrupted training of it stood.

    Attributes
    ----------
    step : int
        Of the last record or the snapshot, whichever is later; -1 before the first.
    arrays : dict
        What the snapshot says of parameters and moments; empty without one.
    arithmetic : list of str
        By which arithmetic it was computed so far.
    """

    def __init__(self, run: EmbeddingDecoder, snapshot: Snapshot | None = None) -> None:
        self.run = run
        self.due = set(run.record.steps(run.steps))
        self.step, self.arrays = -1, Weights()
        self.arithmetic: list[str] = []
        self._rows: list[tuple[int, str, str, float]] = []
        self._held = [0] * len(run.stop)
        if snapshot is not None:
            self.step, self.arrays = snapshot.step, dict(snapshot.arrays)
            self._held = self.arrays.pop("held").tolist()
            self.arithmetic = arithmetic.of_snapshot(self.arrays)
            self.arrays.pop("arithmetic", None)
            self._rows = list(snapshot.rows.itertuples(index=False, name=None))

    def computed_by(self, by: str) -> None:
        """Take down by which arithmetic the next steps are computed."""
        if self.arithmetic[-1:] != [by]:
            self.arithmetic.append(by)

    def note(self, step: int, values: dict[tuple[str, str], float]) -> str | None:
        """Take in one record; return why the run ends here, or None."""
        self.step = step
        self._rows += [(step, *key, value) for key, value in values.items()]
        self._held = [
            held + 1 if stop.holds(values) else 0 for stop, held in zip(self.run.stop, self._held, strict=True)
        ]
        reasons = [
            f"{stop.quantity} {stop.split}".strip()
            for stop, held in zip(self.run.stop, self._held, strict=True)
            if held >= stop.records
        ]
        return "steps" if step == self.run.steps else reasons[0] if reasons else None

    @property
    def _table(self) -> pd.DataFrame:
        return pd.DataFrame(self._rows, columns=list(COLUMNS))

    def snapshot(self, step: int, arrays: Weights) -> Snapshot:
        """Return where the run stands after so many steps, with these parameters and moments."""
        held = {"held": np.array(self._held, dtype=np.int64)}
        return Snapshot(step, self._table, arrays | held | arithmetic.for_snapshot(self.arithmetic))

    def outcome(self, embedding: np.ndarray, info: Mapping[str, Any]) -> Outcome:
        """Return what the run leaves behind."""
        facts = {"last_step": self.step, "arithmetic": ", then ".join(self.arithmetic), **info}
        return Outcome(self._table, {self.step: {"embedding": embedding}}, facts)
