"""The measures by name, each with its formula in words and where it comes from."""
# ruff: noqa: ARG005  # one signature for all costs

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from grokscape.landscape.measures.progress.circuit_losses import circuit_losses
from grokscape.landscape.measures.progress.context import Context, MeasureFunction
from grokscape.landscape.measures.progress.kernel import kernel_change, outputs_each
from grokscape.landscape.measures.progress.neurons import attribution, effective_sparsity, saliency
from grokscape.landscape.measures.progress.outputs import logit_scale, performance
from grokscape.landscape.measures.progress.weights import (
    distance_from_start,
    fourier_spectrum,
    last_layer_norm,
    neuron_sparsity,
    weight_norm,
    weight_sparsity,
)
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.problem import Problem


def _free(problem: Problem, context: Context, value: float) -> Cost:  # noqa: ARG001
    return Cost()


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A progress measure.

    Attributes
    ----------
    name : str
    function : callable
        ``function(problem, vector, context)``, a number, or several by name.
    formula : str
        In words.
    source : str
    cost : callable
        ``cost(problem, context, value)`` of one network, in which value is the first number that it returned; an upper
        bound where work can end early. Work on fewer examples than the training set counts by its share, rounded up.
    """

    name: str
    function: MeasureFunction
    formula: str
    source: str
    cost: Callable[[Problem, Context, float], Cost] = _free


def _share(examples: float, problem: Problem) -> int:
    return math.ceil(examples / problem.count["train"])


_ALL = [
    Measure(
        name="performance",
        function=performance,
        formula="mean loss and accuracy, on training and test data",
        source="Power et al. 2022, arXiv:2201.02177",
        cost=lambda problem, context, value: Cost(evaluations=len(problem.batches)),
    ),
    Measure(
        name="weight_norm",
        function=weight_norm,
        formula="root of the sum of all squared weights",
        source="Nanda et al. 2023, arXiv:2301.05217; Liu et al. 2023, arXiv:2210.01117",
    ),
    Measure(
        name="last_layer_norm",
        function=last_layer_norm,
        formula="root of the sum of the last layer's squared weights",
        source="Thilak et al. 2022, arXiv:2206.04817",
    ),
    Measure(
        name="logit_scale",
        function=logit_scale,
        formula="root mean square of the training logits, centred over classes",
        source="Prieto et al. 2025, arXiv:2501.04697",
        cost=lambda problem, context, value: Cost(evaluations=1),
    ),
    Measure(
        name="fourier_spectrum",
        function=fourier_spectrum,
        formula="Gini coefficient and inverse participation ratio of the weights' spectrum along the tokens",
        source="Nanda et al. 2023, arXiv:2301.05217; Gromov 2023, arXiv:2301.02679; Doshi et al., arXiv:2310.13061",
    ),
    Measure(
        name="circuit_losses",
        function=circuit_losses,
        formula="loss with only, and without, the key frequencies of the logits; the former with other frequencies",
        source="Nanda et al. 2023, arXiv:2301.05217",
        cost=lambda problem, context, value: Cost(
            evaluations=_share(len(context.space.elements), problem) if context.space else 0
        ),
    ),
    Measure(
        name="weight_sparsity",
        function=weight_sparsity,
        formula="Hoyer's sparsity, participation number, ratio of the 1-norm to the 2-norm, and entropy of the weights",
        source="Hoyer 2004; Lyu et al. 2023, arXiv:2311.18817; Golechha 2024, arXiv:2405.12755",
    ),
    Measure(
        name="neuron_sparsity",
        function=neuron_sparsity,
        formula="participation number, Hoyer's sparsity and Gini coefficient of the neurons' incoming norms",
        source="Hoyer 2004; Merrill et al. 2023, arXiv:2303.11873",
    ),
    Measure(
        name="effective_sparsity",
        function=effective_sparsity,
        formula="fewest neurons, by incoming norm, that alone predict what the whole network predicts",
        source="Merrill et al. 2023, arXiv:2303.11873, section 2.1",
        cost=lambda problem, context, value: Cost(evaluations=int(value) + 1),
    ),
    Measure(
        name="saliency",
        function=saliency,
        formula="statistics over neurons of |sum of weight times gradient| over their outgoing weights",
        source="Mozer and Smolensky 1988; Molchanov et al. 2019, arXiv:1906.10771",
        cost=lambda problem, context, value: Cost(gradients=1),
    ),
    Measure(
        name="attribution",
        function=attribution,
        formula="statistics over neurons of the mean |activation times gradient of the label's centred logit|",
        source="Pope 2022, Hypothesis: gradient descent prefers general circuits",
        cost=lambda problem, context, value: Cost(gradients=_share(context.examples_of(problem), problem)),
    ),
    Measure(
        name="distance_from_start",
        function=distance_from_start,
        formula="distance from the initial weights, also relative to theirs, and the cosine with them",
        source="Kumar et al. 2023, arXiv:2310.06110; Lyu et al. 2023, arXiv:2311.18817",
    ),
    Measure(
        name="kernel_change",
        function=kernel_change,
        formula="one less the cosine between the tangent kernel and the initial one; its norm; its cosine with labels",
        source="Fort et al. 2020, arXiv:2010.15110; Kumar et al. 2023, arXiv:2310.06110",
        cost=lambda problem, context, value: Cost(
            gradients=_share(context.examples_of(problem) * outputs_each(problem), problem)
        ),
    ),
]

#: Name -> measure, in the order in which results list them.
MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}
