"""Power, Burda, Edwards, Babuschkin and Misra 2022: grokking itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grokscape.landscape import AdamW, BinaryOperation, Experiment, Perceptron, Record, Run
from grokscape.predictions import (
    Calibrated,
    Control,
    Criterion,
    Curve,
    Exceeds,
    Gate,
    Measurement,
    Precedes,
    Prediction,
    Setting,
    Source,
    Tier,
    by_step,
)

POWER_2022 = Source(
    key="power2022",
    title="Grokking: Generalization beyond overfitting on small algorithmic datasets",
    authors="Power, Burda, Edwards, Babuschkin, Misra",
    arxiv="2201.02177",
)

QUICK = {
    "task": BinaryOperation(operation="x+y", p=37),
    "model": Perceptron(width=128),
    "optimiser": AdamW(lr=1e-2, weight_decay=1.0),
    "fraction": 0.5,
    "steps": 3000,
    "labels": "true",
}


def train_from_scratch(seed: int, at: Setting) -> Mapping[str, Experiment]:
    run = Run(
        task=at.task,
        model=at.model,
        optimiser=at.optimiser,
        n_train=at.task.n_train(at.fraction),
        labels=at.labels,
        steps=at.steps,
        seed=seed,
    )
    return {"run": run}


def fit_and_generalisation(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    run = records["run"]
    fit = run.crossing("accuracy", "train", above=0.99)
    generalise = run.crossing("accuracy", "test", above=0.9)
    yield Measurement("delay from fitting to generalising", fit.step, at=0, censored=fit.censored)
    yield Measurement("delay from fitting to generalising", generalise.step, at=1, censored=generalise.censored)
    yield Measurement("final test accuracy", run.final("accuracy", "test"))
    yield Measurement("final accuracy on unmirrored test pairs", run.final("accuracy", "unmirrored"))
    yield Measurement("final training accuracy", run.final("accuracy", "train"))
    for split in ("train", "test"):
        yield from by_step(run.series("accuracy", split), f"{split} accuracy")


delayed_generalisation = Prediction(
    id="power2022.delayed_generalisation",
    claim="On modular addition, a network fits its training data early and generalises only long after.",
    source=POWER_2022,
    where="figure 1",
    theory="the phenomenon",
    runs=train_from_scratch,
    measure=fit_and_generalisation,
    gates=(Gate(quantity="final training accuracy", above=0.99),),
    criteria=(
        Criterion(
            quantity="final accuracy on unmirrored test pairs",
            rule=Exceeds(0.9),
            threshold_from="nine tenths of what can be reached; chance is 1/p",
            calibrated=Calibrated(0.954, 0.021, "0-9"),
        ),
        Criterion(
            quantity="delay from fitting to generalising",
            rule=Precedes(5.0),
            threshold_from="a factor that no reader would call simultaneous; calibration saw over 20",
            calibrated=Calibrated(27.5, 0.15, "0-9"),
        ),
    ),
    controls=(
        Control("random labels", {"labels": "random"}, "there is no rule to find, so nothing can generalise"),
        Control("too little data", {"fraction": 0.25}, "below the critical size the generalising circuit does not win"),
    ),
    curves=(
        Curve(
            quantities=("train accuracy", "test accuracy"),
            x="training step",
            y="accuracy",
            log_x=True,
            title="Accuracy during training",
        ),
    ),
    tiers={"quick": Tier(tuple(range(100, 110)), QUICK)},
    calibration_seeds=tuple(range(10)),
    notes="Times count from the first of three consecutive records beyond a level (99 % of training, 90 % of test "
    "examples); final values are medians over the last tenth of the steps.",
)
