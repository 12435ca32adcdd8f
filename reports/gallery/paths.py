"""Between two solutions of one task: a barrier on the straight line, almost none on a bent path.

Two networks learn the same data from different initial weights. On the straight line between their weights the loss
rises steeply; a Bezier curve with one trained control point goes around the barrier. The titles' two numbers bound each
barrier from below (largest rise sampled) and above (what the slopes and curvatures allow between samples).
"""

from __future__ import annotations

import torch
from matplotlib import pyplot as plt
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.measures.paths.bent import low_loss_path
from grokscape.landscape.measures.paths.straight import interpolate
from grokscape.landscape.problem import Problem
from grokscape.reports.gallery import save


def solution(seed: int) -> nn.Module:
    """Train a small network."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(300):
        optimiser.zero_grad()
        F.cross_entropy(model(inputs[:200]), labels[:200]).backward()
        optimiser.step()
    return model


torch.manual_seed(0)
inputs = torch.randn(400, 2)
labels = (inputs.prod(1) > 0).long()  # exclusive or of two signs
a, b = solution(1), solution(2)

problem = Problem(a, F.cross_entropy, train=(inputs[:200], labels[:200]), test=(inputs[200:], labels[200:]))
straight = interpolate(problem, a, b)
bent = low_loss_path(problem, a, b, steps=400)

figure, (left, right) = plt.subplots(ncols=2, figsize=(8, 3.6), sharey=True, layout="constrained")
straight.plot(left)
bent.plot(right)
left.set_title(f"straight: {left.get_title()}", fontsize="medium")
right.set_title(f"Bezier: {right.get_title()}", fontsize="medium")
save(right, "paths")
