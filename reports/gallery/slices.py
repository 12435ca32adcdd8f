"""A plane through the landscape of a small trained network, in two filter-normalised random directions.

The cross in the middle is the trained network. Each random direction was rescaled, neuron by neuron, to the size of the
network's own weights, so that offset 1 means a change as large as the weights themselves. The directions are stored in
the result: given back, they redraw the same picture.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.measures.paths.slices import plane_slice
from grokscape.landscape.problem import Problem
from grokscape.reports.gallery import save

torch.manual_seed(0)
inputs = torch.randn(400, 2)
labels = (inputs.prod(1) > 0).long()  # exclusive or of two signs
model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(300):
    optimiser.zero_grad()
    F.cross_entropy(model(inputs), labels).backward()
    optimiser.step()

problem = Problem(model, F.cross_entropy, train=(inputs, labels))
plane = plane_slice(problem, (0, 1), extent=1.5, points=31)

axes = plane.plot()
axes.set_title("Around a trained network, filter-normalised")
save(axes, "slices")
