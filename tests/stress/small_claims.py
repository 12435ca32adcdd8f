"""Claims whose trainings take milliseconds, and yet leave all that a store holds: weights, children, refined runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.models import Perceptron
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.records.record import Record
from grokscape.landscape.tasks import BinaryOperation
from grokscape.landscape.training.run import Run
from grokscape.landscape.training.schedule import Schedule
from grokscape.predictions.evidence import Measurement, by_step
from grokscape.predictions.figures import Curve
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.rules import Exceeds
from grokscape.predictions.terms import Calibrated, Control, Criterion, Setting, Source, Tier
from tests.predictions.made_up.claims import Constant

SOURCE = Source(key="stress2026", title="A test of stores", authors="Tester, Other", arxiv="0000.00000")
SEEDS = (10, 11, 12)
#: Of the networks; a test that wants to kill trainings in the middle makes them longer.
STEPS = 40


def networks(seed: int, at: Setting) -> Mapping[str, Experiment]:
    first = Run(
        task=BinaryOperation(p=5),
        model=Perceptron(width=8),
        optimiser=AdamW(lr=1e-3),
        n_train=18,
        seed=seed,
        steps=at.steps,
        initial_scale=at.scale,
        record=Schedule(per_decade=5, every=10),
        keep=(10,),
    )
    return {"first": first, "child": first.replace(start=first, n_train=12, steps=at.steps // 2)}


def size_of_weights(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    squares = [float(np.square(array.astype(np.float64)).sum()) for array in records["child"].weights().values()]
    yield Measurement("size of the weights", sum(squares) ** 0.5)
    yield from by_step(records["first"].series("loss", "train"), "training loss")


def first_constant(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {"only": Constant(value=at.value, seed=seed)}


def larger(seed: int, at: Setting, records: Mapping[str, Record]) -> Mapping[str, Experiment]:
    return {"larger": Constant(value=round(float(records["only"].final("loss", "test")), 1) + 1, seed=seed)}


def final_loss(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    yield Measurement("loss", records["larger"].final("loss", "test"))


def _criterion(quantity: str, threshold: float) -> Criterion:
    return Criterion(
        quantity=quantity,
        rule=Exceeds(threshold, centre="mean"),
        threshold_from="a test",
        calibrated=Calibrated(2.0, 0.1, "0-2"),
    )


def claims(steps: int = STEPS) -> dict[str, Prediction]:
    """Return the claims by id."""
    shared = {"source": SOURCE, "where": "section 1", "theory": "testing", "calibration_seeds": (0, 1)}
    found = (
        Prediction(
            id="stress2026.networks",
            claim="What starts large ends large.",
            runs=networks,
            measure=size_of_weights,
            criteria=(_criterion("size of the weights", 1.0),),
            controls=(Control("small", {"scale": 0.01}, "it starts small"),),
            tiers={"quick": Tier(SEEDS, {"steps": steps, "scale": 1.0})},
            curves=(Curve(quantities=("training loss",), x="step", y="loss", title="During training", log_x=True),),
            **shared,  # type: ignore[arg-type]
        ),
        Prediction(
            id="stress2026.refined",
            claim="What is told to be large is large.",
            runs=first_constant,
            refine=larger,
            rounds=1,
            measure=final_loss,
            criteria=(_criterion("loss", 1.5),),
            controls=(Control("small", {"value": -2.0}, "it is told to be small"),),
            tiers={"quick": Tier(SEEDS, {"value": 2.0})},
            **shared,  # type: ignore[arg-type]
        ),
    )
    return {claim.id: claim for claim in found}
