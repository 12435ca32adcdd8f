"""The sharpest directions of a landscape while a network learns to add modulo 13.

The three largest eigenvalues of the Hessian at thirty checkpoints, all measured side by side, with their residuals as
bars (too short to be seen). A point that had not converged would be hollow.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from grokscape.landscape.measures.curvature.eigenvalues import top_eigenvalues
from grokscape.landscape.models import Perceptron
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.problem import Problem
from grokscape.landscape.tasks import BinaryOperation
from grokscape.reports.gallery import save

task = BinaryOperation(operation="x+y", p=13)
train = task.split(task.n_train(0.7), seed=0).train
network = Perceptron(width=32).build(task)
network.initialise(seed=0)
problem = Problem(network, F.cross_entropy, (task.inputs[train], task.labels[train]))

row, checkpoints = problem.start[None].clone(), []
optimiser = AdamW(lr=1e-2, weight_decay=1.0)
rates, state = AdamW.rates([optimiser], row), AdamW.initial_state(row)
for step in range(300):
    if step % 10 == 0:
        checkpoints.append(row[0].clone())
    _, gradient = problem.gradients(row)
    AdamW.step(row, gradient, state, rates, torch.tensor(step + 1.0))

eigenvalues = top_eigenvalues(problem, k=3, params=torch.stack(checkpoints), tolerance=1e-4)
axes = eigenvalues.plot()
axes.set(xlabel="checkpoint, every ten steps", title="Largest eigenvalues of the Hessian")
save(axes, "eigenvalues")
