"""How much norm memorising needs, and how much the rule.

Perceptrons with quadratic neurons learn to add modulo 17, held at one weight norm after the other. Left: their training
loss there, for random labels (memorising; one line for each number of examples) and for the true ones (generalising).
Right: the norm needed for a loss of 0.02. Memorising needs the more norm the more examples there are, the rule does
not; where the two cross, weight decay changes sides.
"""

from __future__ import annotations

import numpy as np
from torch import nn

from grokscape.landscape.measures.efficiency.frontier import efficiency_frontier
from grokscape.landscape.models import Perceptron
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.problem import Problem
from grokscape.landscape.tasks import BinaryOperation
from grokscape.reports.gallery import save

task = BinaryOperation(operation="x+y", p=17)
split = task.split(task.n_train(0.9), seed=0)
network = Perceptron(width=48, activation="quadratic").build(task)
network.initialise(seed=0)
problem = Problem(
    network,
    nn.functional.cross_entropy,
    train=(task.inputs[split.train], task.labels[split.train]),
    test=(task.inputs[split.test], task.labels[split.test]),
)
frontier = efficiency_frontier(
    problem,
    sizes=[60, 120, 250],
    norms=np.geomspace(11, 26, 5),
    level=0.02,
    seeds=range(3),
    steps=450,
    optimiser=AdamW(lr=0.03, weight_decay=0.0, beta2=0.98),
    gate=0.75,
)
save(frontier.plot(), "efficiency")
