"""Measures of neurons: how many the answers need, and how much each one matters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from grokscape.landscape.classification import label_logit
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.neurons import Neurons
from grokscape.landscape.measures.progress.context import Context, NotApplicable
from grokscape.landscape.measures.progress.spectra import gini, skewness
from grokscape.landscape.measures.progress.weights import incoming_norms
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.batches import part
from grokscape.landscape.problem.containers import each_tensor

#: Networks, or single examples with a network each, that are evaluated side by side.
CHUNK = 32
#: Training examples on which most sets of neurons differ from the whole network, so that the others are not needed.
SCREENED = 64


@torch.no_grad()
def effective_sparsity(problem: Problem, vector: Tensor, context: Context) -> float:
    """Return the smallest number k of neurons that alone predict what the whole network predicts.

    Neurons are ranked by the norm of their incoming tensors; the others' outgoing weights are set to zero. All training
    examples must get the same prediction (largest output; sign of a lone one). Lower is sparser (Merrill et al. 2023,
    arXiv:2303.11873, section 2.1; the authors' program compares accuracies instead).

    All k are tried from 1 on, because agreement need not grow with k. Cost: at most k + 1 evaluations; most sets are
    refused after 64 examples. Memory: 32 parameter vectors (P,).

    Raises
    ------
    InvalidInput
        If the tensors do not fit. `NotApplicable` if no neurons are given.
    """
    neurons, _ = _neurons(problem, context, "effective_sparsity")
    order = incoming_norms(problem, vector, neurons).argsort(descending=True, stable=True)
    batches = [inputs for inputs, _ in problem.batches["train"]]
    whole = [_predictions(problem, problem.outputs(vector, inputs)) for inputs in batches]
    if len(whole[0]) > SCREENED:
        problem.need_examples("effective_sparsity")
    few, expected = part(batches[0], slice(SCREENED)), whole[0][:SCREENED]
    for first in range(1, len(order), CHUNK):
        sizes = range(first, min(first + CHUNK, len(order)))
        gates = vector.new_zeros(len(sizes), len(order))
        for gate, size in zip(gates, sizes, strict=True):
            gate[order[:size]] = 1
        params = _gated(problem, vector, neurons, gates)
        each = torch.stack([_predictions(problem, outputs) for outputs in problem.outputs_of(params, few)])
        agree = (each == expected).flatten(1).all(1)
        for index in agree.nonzero().flatten().tolist():
            predicted = (_predictions(problem, problem.outputs(params[index], inputs)) for inputs in batches)
            if all(torch.equal(found, wanted) for found, wanted in zip(predicted, whole, strict=True)):
                return float(sizes[index])
    return float(len(order))


def saliency(problem: Problem, vector: Tensor, context: Context) -> dict[str, float]:
    """Return statistics over neurons of ``S_j = |sum_w w dL / dw|``, over each neuron's outgoing weights.

    To first order, what removing the neuron does to the training loss: it is the mean over examples of activation
    times gradient, ``|(1 / N) sum_i h_ij dL / dh_ij|`` (Mozer and Smolensky 1988; Molchanov et al. 2019,
    arXiv:1906.10771). Mean, median, 90 % quantile, Gini's coefficient and skewness (``saliency_...``).

    Cost: one gradient. It vanishes with the training loss; `attribution` does not.
    """
    neurons, _ = _neurons(problem, context, "saliency")
    _, gradients = problem.gradients(vector[None])
    products = neurons.weights(problem.layout, (vector * gradients[0]).double(), neurons.outgoing).sum(1)
    return _statistics("saliency", products.abs())


def attribution(problem: Problem, vector: Tensor, context: Context) -> dict[str, float]:
    """Return statistics over neurons of their mean absolute contribution to the label's logit.

    ``A_j = mean_i |h_ij d z_i / d h_ij|`` with z the label's logit less the mean over classes; in a last layer W that
    is ``|h_ij (W_jy - mean_c W_jc)|``. Pope (2022, "Hypothesis: gradient descent prefers general circuits") proposes
    that a neuron's saliency becomes more skewed in training; there, of the median over inputs.

    The examples are those that ``context.seed`` chooses: the statistics are exact for them, and have no sampling error
    for themselves.

    Activation times gradient is taken as the derivative to a gate on each neuron's outgoing weights; both are the same
    where these weights enter linearly and once.

    Cost: one gradient for each of the examples alone; memory, 32 parameter vectors (P,) and the graph.

    Raises
    ------
    InvalidInput
        If the tensors do not fit. `NotApplicable` if no neurons are given, or targets are not class indices.
    """
    neurons, count = _neurons(problem, context, "attribution")
    inputs, targets = context.sample(problem)
    if not isinstance(targets, Tensor) or targets.is_floating_point() or targets.ndim != 1:
        raise NotApplicable("attribution needs targets that are class indices, one for each example")
    total = torch.zeros(count, dtype=torch.float64, device=vector.device)
    for first in range(0, len(targets), CHUNK):
        labels = targets[first : first + CHUNK]
        some = each_tensor(lambda leaf, first=first: leaf[first : first + CHUNK, None], inputs)
        gates = torch.ones(len(labels), len(total)).to(vector).requires_grad_()
        outputs = problem.outputs_of(_gated(problem, vector, neurons, gates), some, own=True)
        if not isinstance(outputs, Tensor) or outputs.ndim != 3 or outputs.shape[-1] < 2:
            raise NotApplicable("attribution needs outputs (N, classes) of two classes or more")
        values = label_logit(outputs, labels[:, None].long()).sum()
        (gradient,) = torch.autograd.grad(values, gates)
        total += gradient.double().abs().sum(0)
    return _statistics("attribution", total / len(targets))


def _neurons(problem: Problem, context: Context, measure: str) -> tuple[Neurons, int]:
    """Return the neurons of a context that fit the network, and how many there are."""
    neurons: Neurons = context.need("neurons", measure)
    if not neurons.incoming or not neurons.outgoing:
        raise InvalidInput(
            f"neurons have incoming={list(neurons.incoming)} and outgoing={list(neurons.outgoing)}, but "
            f"{measure} needs both what feeds them and what they feed"
        )
    return neurons, neurons.count(problem.layout)


def _gated(problem: Problem, vector: Tensor, neurons: Neurons, gates: Tensor) -> Tensor:
    """Return one row for each vector of gates (count, neurons), the outgoing weights multiplied by them."""
    return vector * neurons.mask(problem.layout, gates, neurons.outgoing)


def _predictions(problem: Problem, outputs: Any) -> Tensor:
    """Return the class with the largest output, or the sign of a lone output."""
    if not isinstance(outputs, Tensor):
        raise NotApplicable(f"effective_sparsity needs outputs that are one tensor, found {type(outputs).__name__}")
    outputs = problem.classes_last(outputs)
    return outputs.argmax(-1) if outputs.ndim > 1 and outputs.shape[-1] > 1 else outputs > 0


def _statistics(name: str, values: Tensor) -> dict[str, float]:
    return {
        f"{name}_mean": float(values.mean()),
        f"{name}_median": float(values.quantile(0.5)),
        f"{name}_upper": float(values.quantile(0.9)),
        f"{name}_gini": float(gini(values)),
        f"{name}_skewness": float(skewness(values)),
    }
