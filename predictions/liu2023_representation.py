"""Liu, Michaud and Tegmark 2023 (Omnigrok): on algorithmic data it is the representation that decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from landscape.experiment import Experiment
from landscape.models import Dense
from landscape.optimisers import AdamW
from landscape.tasks import MessySums
from landscape.training.record import Record
from landscape.training.run import Run
from predictions.evidence import Measurement
from predictions.liu2023_networks import CALIBRATION, LIU_2023, SEEDS, THEORY
from predictions.prediction import Control, Criterion, Curve, Expected, Gate, Prediction, Setting, Tier
from predictions.rules import Below, Exceeds


def decoders(seed: int, at: Setting) -> Mapping[str, Experiment]:
    """A decoder for each messiness of the places that symbols are given."""

    def run(messiness: float) -> Run:
        return Run(
            task=MessySums(symbols=at.symbols, messiness=messiness, draw=seed, order=at.order),
            model=at.model,
            optimiser=AdamW(lr=3e-3, weight_decay=0.0, beta2=0.999),
            n_train=at.n_train,
            steps=at.steps,
            seed=seed,
        )

    return {f"{messiness:g}": run(messiness) for messiness in at.messinesses}


def accuracies(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    for label, record in records.items():
        for split in ("train", "test"):
            yield Measurement(f"{split} accuracy", record.final("accuracy", split), at=float(label))
    tests = {float(label): record.final("accuracy", "test") for label, record in records.items()}
    yield Measurement("test accuracy on the line", tests[min(tests)])
    yield Measurement("test accuracy on the messiest places", tests[max(tests)])
    yield Measurement("lowest training accuracy", min(r.final("accuracy", "train") for r in records.values()))


representation_decides = Prediction(
    id="liu2023.representation_decides",
    claim="On algorithmic data, the representation makes the difference between chance and nearly perfect answers to "
    "new examples, at a training loss near zero in both.",
    source=LIU_2023,
    where="section 4, figures 6 and 7",
    theory=THEORY,
    runs=decoders,
    measure=accuracies,
    gates=(Gate(quantity="lowest training accuracy", above=0.6, controls=False),),
    criteria=(
        Criterion(
            quantity="test accuracy on the line",
            rule=Exceeds(0.7, centre="mean"),
            threshold_from="most of the examples held out, of which some have a sum that no other pair has",
            expected=Expected(0.88, 0.08, "0-9"),
        ),
        Criterion(
            quantity="test accuracy on the messiest places",
            rule=Below(0.25, centre="mean"),
            threshold_from="far below that, above chance, which is 1/19 or the share of the commonest sum, 1/11",
            expected=Expected(0.08, 0.092, "0-9"),
        ),
    ),
    controls=(
        Control(
            "the line in another order",
            {"order": "permuted", "messinesses": (0.0, 0.4)},
            "places as tidy as before, but such that equal sums do not fall together",
        ),
    ),
    curves=(
        Curve(
            quantities=("train accuracy", "test accuracy"),
            x="messiness of the representation",
            y="accuracy",
            title="From order to noise",
            figure="figure 6",
        ),
    ),
    tiers={
        "quick": Tier(
            SEEDS,
            {
                "symbols": 10,
                "model": Dense(widths=(100, 100), activation="tanh"),
                "n_train": 45,
                "steps": 1500,
                "messinesses": (0.0, 0.05, 0.1, 0.4),
                "order": "line",
            },
        )
    },
    calibration_seeds=CALIBRATION,
    notes="Places are given and stay; only the decoder learns. Where two sums fall on nearly the same place by chance "
    "they cannot be told apart, so that the messiest places leave training accuracies of 0.73 and more (calibration). "
    "The paper's counterpart on MNIST, where representations matter little, is not done here.",
)
