"""What in the grokking of Gaussian processes comes from parametrisation, divergence and prior mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grokscape.landscape import Crossing, Experiment, Record, complexity, error, grokking_gap
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Exceeds,
    Measurement,
    Precedes,
    Setting,
    Tier,
    by_step,
    calibration,
    in_order,
    judging,
    training_curve,
)
from grokscape.predictions.papers.grokscape2026 import claim
from grokscape.predictions.papers.miller2023 import THEORY as COMPLEXITY
from grokscape.predictions.papers.miller2023.gp_setup import (
    COURSES,
    FEWER,
    GPYTORCH,
    LAPLACE_TIERS,
    NOTHING_CONCEALED,
    SHUFFLED,
    TWELVE,
    ZERO_ONE,
    changed,
    delayed,
    grokking,
    laplace,
    process,
    variational,
)

# -- The divergence term -----------------------------------------------------------------------------------------------

whitened_parity = claim(
    id="grokscape2026.whitened_parity_needs_no_divergence",
    claim="Whitened, a variational Gaussian process classifier groks on a concealed parity without the divergence from "
    "the prior in its objective, as long as its kernel is trained.",
    where="against Miller et al. 2023, appendix L",
    theory=COMPLEXITY,
    runs=variational,
    measure=grokking,
    criteria=delayed(0.022, 0.49, "0-11"),
    controls=(
        Control("kernel kept", {"train_kernel": False}, "what generalises are lengths that tell bits apart"),
        Control(
            "unwhitened",
            {"parametrisation": "unwhitened"},
            "there the fit does not depend on the kernel, so that nothing trains it",
        ),
    ),
    curves=COURSES,
    tiers=changed(divergence_weight=0.0, parametrisation="whitened"),
    disputes=("miller2023.parity_without_divergence_in_any_parametrisation",),
    calibration_seeds=calibration(20),
    needs=GPYTORCH,
    notes=FEWER
    + "Whitened, the latent values are the kernel's root times what is trained: a kernel by which labels are "
    "easier to fit lowers the loss, whatever its complexity. Complexity, measured all the same, grows throughout.",
)

# -- Complexity on the way ---------------------------------------------------------------------------------------------


def complexity_during_training(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    yield from grokking(records, at)
    record = records["learner"]
    found, charge = grokking_gap(record), complexity(record)
    peak = charge.index.to_numpy()[int(charge.to_numpy().argmax())]
    yield from in_order("from generalising to the largest complexity", found.generalise, Crossing(float(peak), False))
    yield Measurement("largest complexity by that at the start", float(charge.max() / charge.iloc[0]))


classification_complexity_rises = claim(
    id="grokscape2026.classification_complexity_rises",
    claim="Where a Gaussian process classifier generalises on a concealed parity, its complexity has its rise yet to "
    "come: it grows beyond that of the start before it falls.",
    where="against Miller et al. 2023, section 3",
    theory=COMPLEXITY,
    runs=laplace,
    measure=complexity_during_training,
    criteria=(
        Criterion(
            quantity="largest complexity by that at the start",
            rule=Exceeds(1.2, centre="mean"),
            threshold_from="a fifth more: clearly beyond",
            calibrated=Calibrated(1.46, 0.004, "0-11"),
        ),
        Criterion(
            quantity="from generalising to the largest complexity",
            rule=Precedes(1.5),
            threshold_from="half as long again as generalising took",
            calibrated=Calibrated(2.6, 0.08, "0-11"),
        ),
    ),
    controls=(
        SHUFFLED,
        Control(
            "nothing concealed",
            {"population": NOTHING_CONCEALED, "steps": 60},
            "there is nothing to find, and the labels are explained from the start",
        ),
    ),
    curves=COURSES[2:],
    tiers=LAPLACE_TIERS,
    disputes=("miller2023.classification_complexity_falls",),
    calibration_seeds=calibration(20),
    notes=FEWER + "Until it generalises, complexity falls a little, as it does with shuffled labels; then the latent "
    "function grows with the labels that the kernel has come to explain, and the prior charges for it. The prior is "
    "trained along with all else, so that its charge for one and the same function changes too.",
)

# -- The constant mean -------------------------------------------------------------------------------------------------


def processes_with_two_means(seed: int, at: Setting) -> Mapping[str, Experiment]:
    return {
        "learnt mean": process(seed, at),
        "zero mean": process(seed, at, mean="zero", steps=100),
    }


def largest_error_once_fitted(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    for label, record in records.items():
        test = error(record, "test").loc[:100]
        after = test.loc[grokking_gap(record).fit.step :]
        worst = float(after.max()) if len(after) else float(test.max())
        yield Measurement(f"largest test error once fitted, {label}", worst)
        yield from by_step(error(record, "test"), f"test error, {label}")


mean_delays_accuracy = claim(
    id="grokscape2026.learnt_mean_delays_accuracy",
    claim="That a Gaussian process which classifies numbers by their sign is late to have test labels right is the "
    "doing of the constant mean it learns; with a zero mean it has them right as soon as it fits.",
    where="against Miller et al. 2023, figure 2",
    theory=COMPLEXITY,
    runs=processes_with_two_means,
    measure=largest_error_once_fitted,
    criteria=(
        Criterion(
            quantity="largest test error once fitted, learnt mean",
            rule=Exceeds(0.15, centre="mean"),
            threshold_from="three times what counts as low",
            calibrated=Calibrated(0.39, 0.032, "0-9"),
        ),
        Criterion(
            quantity="largest test error once fitted, zero mean",
            rule=Below(0.1, centre="mean"),
            threshold_from="twice what counts as low: with twenty examples the border is known to a twentieth or so",
            calibrated=Calibrated(0.017, 0.016, "0-9"),
        ),
    ),
    controls=(
        Control(
            "long length",
            {"lengthscale": 0.2, "steps": 100},
            "where every test input has neighbours the mean of the prior does not matter",
        ),
    ),
    curves=(
        training_curve(
            "test error, learnt mean",
            "test error, zero mean",
            y="share of test labels wrong",
            title="The constant mean and the delay",
        ),
    ),
    tiers={"quick": Tier(judging(10), ZERO_ONE), "standard": Tier(TWELVE, ZERO_ONE | {"steps": 600})},
    disputes=("miller2023.zero_one_classification",),
    calibration_seeds=calibration(20),
    needs=GPYTORCH,
    notes="Far from training inputs, in units of a very short length, the latent mean is the prior's, and its sign "
    "that of whichever label is the more frequent among twenty. The delay of the likelihood is another matter: it is "
    "there with either mean.",
)
