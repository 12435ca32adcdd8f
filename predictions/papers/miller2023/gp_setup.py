"""Miller et al. 2023: Gaussian processes, how they are trained here, and what is measured of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grokscape.landscape import (
    Experiment,
    GaussianProcessRegression,
    LaplaceClassification,
    ParityPopulation,
    Record,
    Schedule,
    SignOfInput,
    VariationalClassification,
    complexity,
    error,
    grokking_gap,
    randomness,
)
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Exceeds,
    Measurement,
    Setting,
    Tier,
    by_step,
    in_order,
    judging,
    training_curve,
)

# -- Regression --------------------------------------------------------------------------------------------------------

#: The three starts of figure 5, as log lengthscale and log outputscale: low or high error, low or high complexity.
HIGH_ERROR_LOW_COMPLEXITY = (-6.0, -4.0)
LOW_ERROR_HIGH_COMPLEXITY = (-6.0, 4.0)
LOW_ERROR_LOW_COMPLEXITY = (0.0, 2.0)

COMPLEX, BAD, GOOD = "a close fit of high complexity", "a bad fit", "a close fit of low complexity"
STARTS = {BAD: HIGH_ERROR_LOW_COMPLEXITY, COMPLEX: LOW_ERROR_HIGH_COMPLEXITY, GOOD: LOW_ERROR_LOW_COMPLEXITY}

#: A tenth of the targets' variance, a squared error of about 0.05: with the noise that the runs assume, no process
#: comes much closer to noisy targets than half of it.
LEVEL = 0.1


def processes_from_many_starts(seed: int, at: Setting) -> Mapping[str, Experiment]:
    draw = randomness.generator(seed, "starts")
    return {
        f"{number}": GaussianProcessRegression(
            log_lengthscale=float(draw.uniform(*at.log_lengthscale)),
            log_outputscale=float(draw.uniform(*at.log_outputscale)),
            seed=seed,
            steps=at.steps,
            record=Schedule(every=2),
        )
        for number in range(at.number)
    }


SPREAD = {"log_lengthscale": (-7.0, 0.0), "log_outputscale": (1.5, 5.0), "number": 8, "steps": 250, "shuffled": False}

# -- Classification of a concealed parity ------------------------------------------------------------------------------

#: Twelve seeds that agree are enough for p < 0.001, whatever the distribution.
TWELVE = judging(12)
GPYTORCH = {"gpytorch": "pip install 'grokscape[gp]'"}

PARITY = ParityPopulation(relevant=3, spurious=17)
NOTHING_CONCEALED = ParityPopulation(relevant=3, spurious=0)
PAPER_PARITY = ParityPopulation(relevant=3, spurious=37)


def laplace(seed: int, at: Setting) -> Mapping[str, Experiment]:
    learner = LaplaceClassification(
        population=at.population, seed=seed, n_train=at.n_train, labels=at.labels, steps=at.steps
    )
    return {"learner": learner}


def variational(seed: int, at: Setting) -> Mapping[str, Experiment]:
    learner = VariationalClassification(
        population=at.population,
        seed=seed,
        n_train=at.n_train,
        parametrisation=at.parametrisation,
        divergence_weight=at.divergence_weight,
        train_kernel=at.train_kernel,
        steps=at.steps,
        record=Schedule(every=4),
    )
    return {"learner": learner}


def grokking(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    record = records["learner"]
    found = grokking_gap(record)
    test, charge = error(record, "test"), complexity(record)
    yield Measurement("test error at fitting", float(test[found.fit.step]))
    yield Measurement("test error at the end", float(test.iloc[-1]))
    yield from in_order("from fitting to generalising", found.fit, found.generalise)
    # Of what does not generalise, the last step stands for it; its test error says so.
    yield Measurement(
        "change of complexity from fitting to generalising",
        float(charge[found.generalise.step] - charge[found.fit.step]),
    )
    for split in ("train", "test"):
        yield from by_step(error(record, split), f"{split} error")
        yield from by_step(-record.series("loss", split), f"{split} log-likelihood")
    yield from by_step(charge, "complexity")


LAPLACE = {"population": PARITY, "n_train": 200, "labels": "true", "steps": 100}
LARGER = LAPLACE | {"population": PAPER_PARITY, "n_train": 500}
PAPER = LAPLACE | {"population": PAPER_PARITY, "n_train": 1000, "steps": 500}
LAPLACE_TIERS = {
    "quick": Tier(TWELVE, LAPLACE),
    "standard": Tier(TWELVE, LARGER),
    "paper": Tier(TWELVE, PAPER),
}
SHUFFLED = Control("shuffled labels", {"labels": "shuffled"}, "there is no rule, so nothing can generalise")
FEWER = "Quick has 17 spurious bits and 200 examples where the paper has 37 and 1000; of 37, 200 examples are too few. "

VARIATIONAL = {
    "population": PARITY,
    "n_train": 200,
    "parametrisation": "unwhitened",
    "divergence_weight": 1.0,
    "train_kernel": True,
    "steps": 80,
}
VARIATIONAL_TIERS = {
    "quick": Tier(TWELVE, VARIATIONAL),
    "standard": Tier(TWELVE, VARIATIONAL | {"population": PAPER_PARITY, "n_train": 500, "steps": 200}),
    "paper": Tier(TWELVE, VARIATIONAL | {"population": PAPER_PARITY, "n_train": 1000, "steps": 500}),
}


def changed(**changes: object) -> dict[str, Tier]:
    """Return the tiers of variational inference with some of the setting changed."""
    return {name: Tier(tier.seeds, dict(tier.setting) | changes) for name, tier in VARIATIONAL_TIERS.items()}


def delayed(spread_at_fitting: float, at_fitting: float, seeds: str) -> tuple[Criterion, ...]:
    """The test error is high where the training error is first low, and low at the end."""
    return (
        Criterion(
            quantity="test error at fitting",
            rule=Exceeds(0.2, centre="mean"),
            threshold_from="four times what counts as low; half is chance",
            calibrated=Calibrated(at_fitting, spread_at_fitting, seeds),
        ),
        Criterion(
            quantity="test error at the end",
            rule=Below(0.05),
            threshold_from="1 - 0.95, what the paper asks for",
            calibrated=Calibrated(0.0, 0.0, seeds),
        ),
    )


COURSES = (
    training_curve(
        "train error",
        "test error",
        y="share of labels wrong",
        title="A Gaussian process learns a concealed parity",
        figure="figure 3",
    ),
    training_curve(
        "train log-likelihood",
        "test log-likelihood",
        y="log-likelihood (nats per example)",
        title="Log-likelihood of a concealed parity",
        figure="figure 3",
    ),
    training_curve("complexity", y="complexity (nats per example)", title="Complexity along the way"),
)

# -- Classification of a number by its sign ----------------------------------------------------------------------------


def process(seed: int, at: Setting, *, mean: str = "learnt", steps: int | None = None) -> VariationalClassification:
    return VariationalClassification(
        population=SignOfInput(),
        seed=seed,
        n_train=20,
        n_test=1000,
        lengthscale=at.lengthscale,
        mean=mean,  # type: ignore[arg-type]
        divergence_weight=at.divergence_weight,
        steps=at.steps if steps is None else steps,
        record=Schedule(every=10),
    )


ZERO_ONE = {"lengthscale": 0.005, "divergence_weight": 1.0, "steps": 300}
