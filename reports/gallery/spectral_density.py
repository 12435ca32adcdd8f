"""The eigenvalues of a Hessian before and after training: a few leave the bulk by far.

One curve for each network, with the 95 % interval that eight random probes allow; one eigenvalue alone is a peak.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.measures.curvature.density import spectral_density
from grokscape.landscape.problem import Problem
from grokscape.reports.gallery import save

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 5)).double()
inputs = torch.randn(256, 10).double()
labels = (inputs[:, :5] * inputs[:, 5:]).argmax(1)
problem = Problem(model, F.cross_entropy, (inputs, labels))

row = problem.start[None].clone()
for _ in range(500):
    row -= 0.3 * problem.gradients(row)[1]

before_and_after = torch.cat([problem.start[None], row])
density = spectral_density(problem, params=before_and_after, steps=50, width=0.06)
axes = density.plot()
axes.legend(axes.get_lines(), ["before training", "after training"], frameon=False)
save(axes, "spectral_density")
