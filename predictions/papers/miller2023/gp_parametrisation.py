"""Miller et al. 2023, appendix L: whether grokking needs the divergence term, which hangs on the parametrisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grokscape.landscape import Record, error
from grokscape.predictions import Below, Calibrated, Control, Criterion, Exceeds, Gate, Measurement, Setting
from grokscape.predictions.papers.miller2023 import claim
from grokscape.predictions.papers.miller2023.gp_setup import COURSES, GPYTORCH, changed, grokking, variational


def grokking_and_gradient_by_the_kernel(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    record = records["learner"]
    yield from grokking(records, at)
    yield Measurement("training error at the end", float(error(record, "train").iloc[-1]))
    yield Measurement("largest gradient by the kernel", float(record.series("kernel gradient").max()))


no_parity_without_divergence = claim(
    id="miller2023.no_parity_without_divergence",
    claim="Without the divergence from the prior in its objective, a variational Gaussian process classifier that is "
    "parametrised as in the paper never generalises.",
    where="appendix L",
    runs=variational,
    measure=grokking_and_gradient_by_the_kernel,
    gates=(Gate(quantity="training error at the end", below=0.05),),
    criteria=(
        Criterion(
            quantity="test error at the end",
            rule=Exceeds(0.25, centre="mean"),
            threshold_from="half of chance",
            calibrated=Calibrated(0.41, 0.027, "0-11"),
        ),
        Criterion(
            quantity="largest gradient by the kernel",
            rule=Below(1e-12),
            threshold_from="nothing: what is fitted are latent values at the training inputs, and no kernel is in them",
            calibrated=Calibrated(0.0, 0.0, "0-11"),
        ),
    ),
    controls=(
        Control("divergence term", {"divergence_weight": 1.0}, "the term is what trains the kernel"),
        Control(
            "whitened",
            {"parametrisation": "whitened"},
            "in the usual parametrisation the fit trains the kernel too",
        ),
    ),
    curves=COURSES[:1],
    tiers=changed(divergence_weight=0.0),
    needs=GPYTORCH,
    notes="What the paper takes for a need of complexity is an identity of this parametrisation: the gradient by the "
    "kernel is exactly zero, the lengths stay where they are, and the test error is that of the kernel at the start. "
    "The claim about the whitened parametrisation says what remains of it. The paper trains for 100,000 steps; as "
    "nothing but latent values can move, fewer do.",
)

parity_whitened_without_divergence = claim(
    id="miller2023.parity_without_divergence_in_any_parametrisation",
    claim="Without the divergence from the prior in its objective, a variational Gaussian process classifier never "
    "generalises, however its posterior is parametrised: not in the usual, whitened way either.",
    where="appendix L",
    kind="extension",
    runs=variational,
    measure=grokking_and_gradient_by_the_kernel,
    criteria=(
        Criterion(
            quantity="test error at the end",
            rule=Exceeds(0.25),
            threshold_from="half of chance",
            calibrated=Calibrated(0.0, 0.0, "0-11"),
        ),
    ),
    controls=(
        Control("divergence term, unwhitened", {"divergence_weight": 1.0, "parametrisation": "unwhitened"}, "it groks"),
    ),
    curves=COURSES[:1],
    tiers=changed(divergence_weight=0.0, parametrisation="whitened"),
    needs=GPYTORCH,
    notes="The paper's sentence, that there is no grokking without the term, names no parametrisation; this is it, "
    "read generally. In calibration, whitened, the classifier groks without the term as it does with it.",
)
