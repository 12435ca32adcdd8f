"""What the tests of ``grokscape measure`` measure: tiny models, in files of their own."""

from __future__ import annotations

from tests.reports.claims_page.test_page import Page

TINY = """
import torch
from torch import nn

def data():
    inputs = torch.randn(40, 2)
    return inputs, (inputs[:, 0] * inputs[:, 1] > 0).long()

def make():
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))
    first = {name: value.clone() for name, value in model.state_dict().items()}
    train = data()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(40):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(train[0]), train[1]).backward()
        optimiser.step()
    return {"model": model, "loss": nn.functional.cross_entropy, "train": train, "test": data(),
            "checkpoints": {0: first, 40: model.state_dict()}}

def without_test():
    return tuple(make()[key] for key in ("model", "loss", "train"))
"""

#: A model of which no second derivative can be had, and a slow loss.
AWKWARD = """
import time
import torch
from torch import nn

class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, slope):
        if torch.is_grad_enabled():
            raise RuntimeError("no second derivative here")
        return 2 * slope

class Stiff(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2)

    def forward(self, inputs):
        return Once.apply(self.inner(inputs))

def stiff():
    pair = torch.randn(8, 2), torch.randint(2, (8,))
    return Stiff(), nn.functional.cross_entropy, pair, pair

def slow():
    def loss(outputs, targets):
        time.sleep(0.1)
        return nn.functional.cross_entropy(outputs, targets)
    return nn.Linear(2, 2), loss, (torch.randn(8, 2), torch.randint(2, (8,)))
"""


def section(html: str, name: str) -> str:
    """Return what the page says of an instrument."""
    return html.split(f'<article id="{name}"')[1].split("</article>")[0]


def text(html: str) -> str:
    """Return the words of a page, without its markup."""
    return " ".join(Page(html).text.split())
