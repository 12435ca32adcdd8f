"""Miller et al. 2023: from low error at high complexity to low error at low complexity, whatever learns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from grokscape.landscape import (
    BayesianNetwork,
    Experiment,
    GaussianProcessRegression,
    LaplaceClassification,
    Record,
    SampledParity,
    complexity,
    error,
    grokking_gap,
)
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Exceeds,
    Measurement,
    PhasePortrait,
    Setting,
    Tier,
    Trajectory,
    by_step,
    judging,
)
from grokscape.predictions.papers.miller2023 import claim
from grokscape.predictions.papers.miller2023.bayesian_setup import BUDGET, GENERALISED
from grokscape.predictions.papers.miller2023.concealment_setup import NETWORK, concealed
from grokscape.predictions.papers.miller2023.linear_setup import PAPER as LINES
from grokscape.predictions.papers.miller2023.linear_setup import regression
from grokscape.predictions.papers.power2022.setup import QUICK, train_from_scratch

LINEAR, PROCESS, CLASSIFIER, BAYESIAN = (
    "linear regression",
    "Gaussian process regression",
    "Gaussian process classification",
    "Bayesian network",
)
CONCEALED, MODULAR = "network, concealed sums", "network, modular sums"
#: Errors that count as low. A line learnt from two examples often errs near 0, and the sine has noise.
LEVEL = {LINEAR: 0.1, PROCESS: 0.1, CLASSIFIER: 0.05, BAYESIAN: 0.05, CONCEALED: 0.05, MODULAR: 0.05}


def learners(seed: int, at: Setting) -> Mapping[str, Experiment]:
    """The same trainings as in the claims about each learner alone."""
    makers: dict[str, Callable[[], Experiment]] = {
        LINEAR: lambda: regression(seed, Setting({**LINES, "penalty": at.penalty})),
        PROCESS: lambda: GaussianProcessRegression(
            log_lengthscale=-6.0, log_outputscale=4.0, seed=seed, complexity_weight=float(at.penalty)
        ),
        CLASSIFIER: lambda: LaplaceClassification(seed=seed, labels="true" if at.labels == "true" else "shuffled"),
        BAYESIAN: lambda: BayesianNetwork(
            task=SampledParity(bits=30),
            seed=seed,
            start_scale=0.5,
            kl_weight=float(at.penalty),
            epochs=at.epochs,
            stop=GENERALISED,
        ),
        CONCEALED: lambda: concealed(seed, Setting(NETWORK), "x+y", 30, labels=at.labels),
        MODULAR: lambda: train_from_scratch(seed, Setting({**QUICK, "labels": at.labels}))["run"],
    }
    return {name: makers[name]() for name in at.learners}


def complexity_shed_and_errors(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    """Every learner's trajectory in the plane of error and complexity, and what it loses of the latter in the gap."""
    ends = [float(error(record, "test").iloc[-1]) for name, record in records.items() if name in at.judged]
    yield Measurement("largest test error at the end", max(ends))
    for name, record in records.items():
        gap, penalised = grokking_gap(record, LEVEL[name]), complexity(record)
        if name == PROCESS:
            # What the data tell about the function, log|I + K / noise| / (2 n): at no kernel it is 0, as others are.
            penalised = penalised - math.log(record.experiment.noise) / 2  # type: ignore[attr-defined]
        shed = penalised[gap.fit.step] - penalised[gap.generalise.step]
        yield Measurement(f"complexity shed from fitting to generalising, {name}", float(shed))
        yield Measurement(f"test error at fitting, {name}", float(error(record, "test")[gap.fit.step]))
        yield Measurement(f"steps to fit, {name}", gap.fit.step, censored=gap.fit.censored)
        yield Measurement(f"steps to generalise, {name}", gap.generalise.step, censored=gap.generalise.censored)
        yield from by_step(error(record, "test"), f"test error, {name}")
        yield from by_step(error(record, "train"), f"training error, {name}")
        yield from by_step(penalised, f"complexity, {name}")


def portraits(names: Iterable[str]) -> tuple[PhasePortrait, ...]:
    return tuple(
        PhasePortrait(
            trajectories=tuple(
                Trajectory(
                    name=name,
                    x=f"{split} error, {name}",
                    y=f"complexity, {name}",
                    marks=(("fits", f"steps to fit, {name}"), ("generalises", f"steps to generalise, {name}")),
                )
                for name in names
            ),
            x=f"{split} error",
            y="complexity, nats per training example",
            title=f"{split} error and complexity of all learners",
            log_y=True,
        )
        for split in ("test", "training")
    )


def less_complex(name: str, *, effect: float, spread: float) -> Criterion:
    return Criterion(
        quantity=f"complexity shed from fitting to generalising, {name}",
        rule=Exceeds(0.0, centre="mean"),
        threshold_from="0 is a complexity that stays; which unit it is counted in does not matter",
        calibrated=Calibrated(effect, spread, "0-9"),
    )


def generalises_in_the_end(*, effect: float, spread: float) -> Criterion:
    return Criterion(
        quantity="largest test error at the end",
        rule=Below(0.2, centre="mean"),
        threshold_from="a fifth of what knowing nothing errs, or two fifths where labels are two",
        calibrated=Calibrated(effect, spread, "0-9"),
    )


BEYOND = (LINEAR, PROCESS, CLASSIFIER, BAYESIAN)
NETWORKS = (CONCEALED, MODULAR)
SETTING: Mapping[str, Any] = {
    "learners": (*BEYOND, *NETWORKS),
    "judged": BEYOND,
    "penalty": True,
    "labels": "true",
    "epochs": BUDGET[0.5],
}

parsimony = claim(
    id="miller2023.parsimony",
    claim="Linear regression, Gaussian process regression, Laplace's Gaussian process classifier and a Bayesian "
    "network go from low error at high complexity to low error at low complexity: between fitting and generalising "
    "they shed it.",
    where="section 3, mechanism 1; figures 5 and 6",
    kind="extension",
    runs=learners,
    measure=complexity_shed_and_errors,
    criteria=(
        less_complex(LINEAR, effect=0.72, spread=0.047),
        less_complex(PROCESS, effect=1.49, spread=0.097),
        less_complex(CLASSIFIER, effect=0.0174, spread=0.0018),
        less_complex(BAYESIAN, effect=5.5, spread=1.33),
        generalises_in_the_end(effect=0.106, spread=0.027),
    ),
    controls=(
        Control(
            "nothing to be gained",
            {"learners": BEYOND, "penalty": False, "labels": "random", "epochs": 60},
            "where complexity costs nothing, or (the classifier) labels have no rule, low error stays at the training "
            "examples",
        ),
    ),
    portraits=portraits((*BEYOND, *NETWORKS)),
    tiers={"quick": Tier(judging(10), SETTING), "standard": Tier(judging(20), SETTING)},
    notes="Error, complexity and gap have one definition for all learners, and one unit, nats per training example; "
    "low is an error of 0.05, and of 0.1 in the two regressions. Changes can be compared between learners, levels "
    "cannot: the linear model and the networks are penalised for their weights, the classifier for a latent function, "
    "the Bayesian network for weights and for how exactly they are known (which is nearly all of it at the start, by "
    "the choice of a narrow posterior), and the regression for what its data tell, log|I + K / noise| / (2 n), which "
    "is the log determinant of the paper up to a constant. Averages of the linear model that never reach an error of "
    "0.1 are taken at their end. The classifier loses little: its complexity falls a little until it generalises, and "
    "rises only then (grokscape2026.classification_complexity_rises); with shuffled labels it loses more by the end, "
    "so that its control fails by its test error alone. Trained by variational inference, a classifier gains "
    "complexity instead (miller2023.classification_complexity_falls). The networks are drawn for comparison; what they "
    "shed is another claim. "
    "The paper infers by variation where Laplace's approximation stands here, measures each learner in its own "
    "units, and warns that complexities along training need not be comparable; that all four shed complexity in "
    "one unit is more than it says.",
)

parsimony_of_networks = claim(
    id="miller2023.parsimony_of_networks",
    claim="Networks, too, shed complexity between fitting and generalising, counted by the norm of their weights.",
    where="section 3, mechanism 1, with the complexity that appendices B.1 and C have for networks",
    kind="extension",
    runs=learners,
    measure=complexity_shed_and_errors,
    criteria=(
        less_complex(CONCEALED, effect=-0.02, spread=0.0044),
        less_complex(MODULAR, effect=-2.62, spread=0.059),
        generalises_in_the_end(effect=0.045, spread=0.015),
    ),
    controls=(Control("random labels", {"labels": "random"}, "there is no rule to go to"),),
    tiers={
        "quick": Tier(judging(10), {**SETTING, "learners": NETWORKS, "judged": NETWORKS}),
        "standard": Tier(judging(20), {**SETTING, "learners": NETWORKS, "judged": NETWORKS}),
    },
    notes="The norm of the network that conceals its rule rises a little between fitting and generalising (by 0.02 "
    "nats an example in calibration, see miller2023.norm_rises), and under the usual weight decay that of modular "
    "addition by 2.6, as in notsawo2025.norm_rises_under_decay. Either generalising costs more than memorising so few "
    "examples, or the norm is the wrong measure of it. "
    "The paper does not say that the norms of its networks fall between fitting and generalising.",
)
