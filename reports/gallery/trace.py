"""How fast the estimators of a Hessian's trace converge: error against the products that they may use.

Each point is the root mean square over 12 seeds. Hutchinson's error falls as one over the root of the budget; XTrace
and Hutch++ spend products to learn the large eigenvalues and sample only the rest, which pays from some 40 products on.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib import pyplot as plt
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.measures.curvature.traces import trace
from grokscape.landscape.problem import Problem
from grokscape.reports.gallery import save


def trained_network() -> Problem:
    """Return a small classifier of 227 parameters after 300 steps of gradient descent."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 11)).double()
    inputs, labels = torch.randn(64, 6).double(), torch.randint(11, (64,))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(300):
        optimiser.zero_grad()
        F.cross_entropy(model(inputs), labels).backward()
        optimiser.step()
    return Problem(model, F.cross_entropy, (inputs, labels))


problem = trained_network()
exact = trace(problem, method="exact").estimate[0]
measured = [
    {"method": method, "budget": budget, "error": trace(problem, method=method, budget=budget, seed=seed).estimate[0]}
    for method in ("hutchinson", "hutch++", "xtrace")
    for budget in (12, 24, 48, 96)
    for seed in range(12)
]
errors = pd.DataFrame(measured).assign(error=lambda frame: (frame["error"] / exact - 1) ** 2)
table = np.sqrt(errors.groupby(["method", "budget"], sort=False)["error"].mean()).reset_index()

_, axes = plt.subplots(layout="constrained")
sns.lineplot(table, x="budget", y="error", hue="method", marker="o", ax=axes)
axes.set(xscale="log", yscale="log", xlabel="products with the Hessian", ylabel="relative error of the trace")
sns.despine()
save(axes, "trace")
