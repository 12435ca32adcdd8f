"""The LU mechanism: over the weight norm, the training loss falls to zero and stays there; the test loss has a minimum.

A student net learns fifty examples from a teacher of its kind. At each norm its training loss is minimised over
directions; train and test loss are shown where that ends. Beyond the critical norm every fit is perfect, and the
further out, the worse it generalises: there grokking begins.
"""

import torch
from torch import nn

from grokscape.landscape.measures.norm_profile.profile import norm_profile
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.problem import Problem
from grokscape.reports.gallery import save

torch.manual_seed(100)
teacher, student = (
    nn.Sequential(nn.Linear(5, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 5)) for _ in range(2)
)
train, test = torch.randn(2, 50, 5)
problem = Problem(student, nn.MSELoss(), train=(train, teacher(train)), test=(test, teacher(test)))

profile = norm_profile(
    problem,
    scales=[0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5, 4.0],
    seeds=range(3),
    steps=1800,
    optimiser=AdamW(lr=3e-3, weight_decay=0.0, beta2=0.999),
    stop_loss=1e-6,
)
save(profile.plot(), "norm_profile")
