"""Sharpness that means nothing, and sharpness that may: one function, its layers rescaled.

Multiplying the first layer of a ReLU network by c and the second by 1 / c changes no output (Dinh et al. 2017). Most
forms of sharpness change by orders of magnitude all the same; the adaptive ones do not.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.measures.sharpness.forms import sharpness
from grokscape.landscape.problem import Problem
from grokscape.reports.gallery import save

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)).double()
inputs = torch.randn(128, 8).double()
problem = Problem(model, F.cross_entropy, (inputs, inputs[:, :3].argmax(1)))

row = problem.start[None].clone()
for _ in range(300):
    row -= 0.3 * problem.gradients(row)[1]

rescaled = []
for c in (1.0, 2.0, 4.0, 8.0):
    weights = problem.layout.tensors(row[0].clone())
    factors = {"0.weight": c, "0.bias": c, "2.weight": 1 / c, "2.bias": 1.0}
    rescaled.append(problem.layout.row({name: factors[name] * weight for name, weight in weights.items()}))

axes = sharpness(problem, params=torch.stack(rescaled)).plot()
axes.set_xticks(range(4), ["1", "2", "4", "8"])
axes.set(xlabel="c, the factor of the first layer", ylabel="sharpness, relative to c = 1")
save(axes, "sharpness")
