"""Progress measures along the grokking of addition modulo 23.

Grey: test accuracy, which begins to rise when the training data have long been fitted. The restricted loss of the
logits' key frequencies falls from the start, and that of as many other frequencies, its null, stays near chance: this
is what shows a circuit. The excluded loss dips while the data are memorised, and rises again. The embedding's spectrum
sharpens all along; the tangent kernel moves mostly before the test accuracy does.
"""

import torch
from torch import nn

from grokscape.landscape.measures.progress import Context, Neurons, Space, Spectrum, progress
from grokscape.landscape.models import Perceptron
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.problem import Problem
from grokscape.landscape.tasks import BinaryOperation
from grokscape.reports.gallery import save

p = 23
task = BinaryOperation(operation="x+y", p=p)
model = Perceptron(width=64, embedding=32).build(task)
model.initialise(seed=0)
training = torch.rand(len(task.labels), generator=torch.Generator().manual_seed(0)) < 0.7
split = [(task.inputs[chosen], task.labels[chosen]) for chosen in (training, ~training)]
problem = Problem(model, nn.CrossEntropyLoss(), *split)

params = problem.start[None].clone()
rates, state = AdamW.rates([AdamW(lr=1e-2, weight_decay=1.0)], params), AdamW.initial_state(params)
checkpoints = {0: params[0].clone()}
for step in range(1, 1201):
    _, gradient = problem.gradients(params)
    AdamW.step(params, gradient, state, rates, torch.tensor(float(step)))
    if step % 60 == 0:
        checkpoints[step] = params[0].clone()

context = Context(
    spectrum=Spectrum("embedding", axis=0, size=p),
    space=Space(inputs=task.inputs, elements=task.labels, training=training),
    neurons=Neurons(incoming=("hidden", 2), outgoing=("output", 0)),
)
measures = ["performance", "circuit_losses", "fourier_spectrum", "neuron_sparsity", "weight_norm", "kernel_change"]
measured = progress(problem, checkpoints, measures=measures, context=context)
chosen = ["restricted_loss", "excluded_loss", "spectrum_gini", "neuron_gini", "weight_norm", "kernel_distance"]
save(measured.plot(quantities=chosen), "progress")
