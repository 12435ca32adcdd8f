"""Miller et al. 2023: Gaussian process classification of a parity that is concealed among bits beside the point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grokscape.landscape import Experiment, LaplaceClassification, ParityPopulation, Record, grokking_gap
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Curve,
    Exceeds,
    Measurement,
    Monotone,
    Setting,
    Tier,
    by_step,
    training_curve,
)
from grokscape.predictions.papers.miller2023 import claim
from grokscape.predictions.papers.miller2023.gp_setup import (
    COURSES,
    FEWER,
    GPYTORCH,
    LAPLACE_TIERS,
    NOTHING_CONCEALED,
    SHUFFLED,
    TWELVE,
    VARIATIONAL_TIERS,
    delayed,
    grokking,
    laplace,
    variational,
)


def longest_relevant_and_shortest_spurious_length(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    record = records["learner"]
    relevant, dimensions = at.population.relevant, at.population.dimensions
    lengths = [record.series(f"lengthscale {k}") for k in range(1, dimensions + 1)]
    relative = [length / length.iloc[0] for length in lengths]
    longest = max(relative[:relevant], key=lambda length: length.iloc[-1])
    shortest = min(relative[relevant:], key=lambda length: length.iloc[-1])
    yield Measurement("longest relevant length by its start", float(longest.iloc[-1]))
    yield Measurement("shortest spurious length by its start", float(shortest.iloc[-1]))
    yield from by_step(longest, "longest relevant length")
    yield from by_step(shortest, "shortest spurious length")


parity_laplace = claim(
    id="miller2023.parity_laplace",
    claim="A Gaussian process classifier groks on a parity of three bits concealed among others, whatever the "
    "inference: here in Laplace's approximation.",
    where="section 2.1.2, figure 3",
    kind="extension",
    runs=laplace,
    measure=grokking,
    criteria=delayed(spread_at_fitting=0.026, at_fitting=0.41, seeds="0-11"),
    controls=(
        SHUFFLED,
        Control(
            "nothing concealed",
            {"population": NOTHING_CONCEALED, "steps": 60},
            "with relevant bits alone, whoever fits has seen every input",
        ),
    ),
    curves=COURSES,
    tiers=LAPLACE_TIERS,
    notes=FEWER + "The paper infers by variation; here the mean of the prior is zero and the likelihood logistic. The "
    "training error is low from the start, when every length is 0.69: a classifier that knows nothing but its "
    "neighbours. The text has spurious numbers from a normal distribution, the code bits; bits they are here. With "
    "normal ones learning is slower, and of three calibration seeds one had not generalised in 150 steps.",
)

lengthscales = claim(
    id="miller2023.lengthscales",
    claim="As a Gaussian process learns a concealed parity, the lengths of the relevant dimensions fall and those of "
    "the spurious ones rise.",
    where="appendix J.1, figure A.12",
    runs=laplace,
    measure=longest_relevant_and_shortest_spurious_length,
    criteria=(
        Criterion(
            quantity="longest relevant length by its start",
            rule=Below(0.75, centre="mean"),
            threshold_from="shorter by a quarter, three times as clear as a change of a tenth",
            calibrated=Calibrated(0.37, 0.002, "0-11"),
        ),
        Criterion(
            quantity="shortest spurious length by its start",
            rule=Exceeds(1.5, centre="mean"),
            threshold_from="half as long again",
            calibrated=Calibrated(3.4, 0.26, "0-11"),
        ),
    ),
    controls=(SHUFFLED,),
    curves=(
        training_curve(
            "longest relevant length",
            "shortest spurious length",
            y="length by its start",
            title="Lengths of relevant and spurious dimensions",
            log_y=True,
            figure="figure A.12",
        ),
    ),
    tiers=LAPLACE_TIERS,
    notes=FEWER + "Of each kind the dimension that does it least is measured.",
)

# -- How much is concealed ---------------------------------------------------------------------------------------------


def classifiers_by_spurious_bits(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {
        f"{spurious}": LaplaceClassification(
            population=ParityPopulation(spurious=spurious, filler=at.filler if spurious else "bits"),
            seed=seed,
            n_train=at.n_train,
            steps=at.steps,
        )
        for spurious in at.spurious
    }


def steps_until_generalising(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    for label, record in records.items():
        found = grokking_gap(record)
        yield Measurement("steps until generalising", found.generalise.step, float(label), found.generalise.censored)


DOSES = {"spurious": (0, 4, 12, 37), "filler": "bits", "n_train": 200, "steps": 60}

spurious_dimensions = claim(
    id="miller2023.spurious_dimensions_delay_processes",
    claim="The more spurious dimensions conceal a parity, the later a Gaussian process generalises.",
    where="section 2.2",
    kind="extension",
    runs=classifiers_by_spurious_bits,
    measure=steps_until_generalising,
    criteria=(
        Criterion(
            quantity="steps until generalising",
            rule=Monotone("rising", least=0.85),
            threshold_from="a nearly perfect order",
            calibrated=Calibrated(8.0, 2.5, "0-11"),
        ),
    ),
    controls=(
        Control(
            "constant dimensions",
            {"filler": "constant", "spurious": (0, 12, 37)},
            "dimensions that never differ conceal nothing",
        ),
    ),
    curves=(
        Curve(
            quantities=("steps until generalising",),
            x="spurious dimensions",
            y="step",
            title="Concealment delays Gaussian processes",
        ),
    ),
    tiers={
        "quick": Tier(TWELVE, DOSES),
        "standard": Tier(TWELVE, DOSES | {"spurious": (0, 2, 4, 7, 12, 20, 37), "steps": 100}),
    },
    notes="The paper conceals modular arithmetic from networks and measures the delay there; here the same is asked of "
    "a learner that is no network. Training error is low from the start, so the step of generalising is the delay.",
)

# -- By variation, as in the paper -------------------------------------------------------------------------------------

parity_variational = claim(
    id="miller2023.parity_variational",
    claim="A Gaussian process classifier, trained by variational inference, groks on a parity of three bits concealed "
    "among others.",
    where="section 2.1.2, figure 3",
    runs=variational,
    measure=grokking,
    criteria=delayed(spread_at_fitting=0.027, at_fitting=0.41, seeds="0-11"),
    controls=(
        Control(
            "no divergence term",
            {"divergence_weight": 0.0},
            "parametrised as in the paper, the kernel learns by this term alone",
        ),
    ),
    curves=COURSES,
    tiers=VARIATIONAL_TIERS,
    needs=GPYTORCH,
    notes=FEWER + "Everything is in double precision; the sign of the latent mean decides a label, because "
    "probabilities near one half round to it.",
)

classification_complexity_falls = claim(
    id="miller2023.classification_complexity_falls",
    claim="From where it fits a concealed parity to where it generalises, a Gaussian process classifier, trained by "
    "variational inference, loses complexity.",
    where="section 3",
    kind="extension",
    runs=variational,
    measure=grokking,
    criteria=(
        Criterion(
            quantity="change of complexity from fitting to generalising",
            rule=Below(-0.005, centre="mean"),
            threshold_from="a fall that can be told from none: a twentieth of the largest complexity",
            calibrated=Calibrated(0.108, 0.0032, "0-11"),
        ),
    ),
    controls=(Control("no divergence term", {"divergence_weight": 0.0}, "the term is what calls for less complexity"),),
    curves=COURSES[2:],
    tiers=VARIATIONAL_TIERS,
    needs=GPYTORCH,
    notes="The paper states the mechanism for all its learners, shows it for regression and Bayesian networks, and "
    "warns that complexities cannot be compared during training where priors are trained. In calibration the posterior "
    "starts at the prior, at no complexity, and its divergence grows until the classifier generalises, and falls only "
    "then. In Laplace's approximation complexity does fall in between, by 0.017 nats of 0.142, but with shuffled "
    "labels, where nothing generalises, by 0.038. "
    "What the paper itself holds not to be comparable is not held against it.",
)
