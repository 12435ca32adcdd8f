"""Claims about learners so small that a check takes no time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import pandas as pd

from grokscape.landscape.experiment import Experiment, Outcome, Session
from grokscape.landscape.records.record import Record
from grokscape.predictions.evidence import Measurement
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.rules import Exceeds
from grokscape.predictions.terms import Calibrated, Control, Criterion, Gate, Setting, Source, Tier

SOURCE = Source(key="test2026", title="A test", authors="Tester, Other", arxiv="0000.00000")


@dataclass(frozen=True, kw_only=True)
class Constant(Experiment, kind="test_constant"):
    """A learner whose loss is what it is told; raises instead if `fails`."""

    value: float
    seed: int
    fails: bool = False

    @property
    def batch_key(self) -> str:
        return str(self.fails)

    @property
    def work(self) -> float:
        return 1.0

    @classmethod
    def train(cls, batch: Sequence[Self], session: Session) -> Iterator[tuple[Self, Outcome]]:
        for member in batch:
            if member.fails:
                raise RuntimeError("it was told to fail")
            rows = [(0, "test", "loss", member.value), (1, "test", "loss", member.value + 1e-3 * (member.seed % 7))]
            table = pd.DataFrame(rows, columns=["step", "split", "quantity", "value"])
            yield member, Outcome(table, {}, {"last_step": 1, "seconds": 0.25})


def runs(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {"only": Constant(value=at.value, seed=seed, fails=at.fails)}


def measure(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    yield Measurement("size", float(records["only"].series("loss", "test").iloc[-1]))


def claim(name: str = "large", *, value: float = 2.0, control: float = 0.0, **changes: object) -> Prediction:
    """A claim that something exceeds 1, which it does if `value` says so; the control should be below."""
    fields: dict[str, object] = {
        "id": f"test2026.{name}",
        "claim": "What is told to be large is large.",
        "source": SOURCE,
        "where": "section 1",
        "theory": "testing",
        "runs": runs,
        "measure": measure,
        "criteria": (
            Criterion(
                quantity="size", rule=Exceeds(1.0), threshold_from="a test", calibrated=Calibrated(2.0, 0.1, "0-2")
            ),
        ),
        "controls": (Control("small", {"value": control}, "it is told to be small"),),
        "tiers": {"quick": Tier(tuple(range(10, 18)), {"value": value, "fails": False})},
        "calibration_seeds": (0, 1, 2),
    }
    return Prediction(**(fields | changes))  # type: ignore[arg-type]


def with_gate(prediction: Prediction, **limits: float) -> Prediction:
    """The same claim with a gate on its only quantity."""
    return dataclasses.replace(prediction, gates=(Gate(quantity="size", **limits),))
