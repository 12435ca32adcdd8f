"""The estimate of memory against what a process of its own took."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grokscape.landscape.models import Model, Perceptron, Transformer
from grokscape.landscape.tasks import BinaryOperation
from grokscape.landscape.training.run import Run

#: Trains an ensemble of eight in a process that has trained a tiny one before, and prints by how much its peak grew.
SCRIPT = """
import re
from grokscape.landscape.models import Perceptron, Transformer
from grokscape.landscape.tasks import BinaryOperation
from grokscape.landscape.training.run import Run
from grokscape.landscape.training.trainer import train_ensemble

class Alone:
    device, compile = "cpu", False
    def snapshot(self, run): return None
    def wants_snapshot(self): return False
    def report(self, done): pass
    def note(self, sentence): pass

def status(key):
    return 1024 * int(re.search(key + r":\\s+(\\d+)", open("/proc/self/status").read()).group(1))

def train(**fields):
    list(train_ensemble([Run(seed=seed, **fields) for seed in range(8)], Alone()))

train(task=BinaryOperation(p=5), n_train=10, steps=4)
before = status("VmRSS")
train(task=BinaryOperation(p={p}), model={model!r}, n_train={n_train}, steps=4)
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
@pytest.mark.parametrize(
    ("p", "model", "n_train"),
    [(61, Perceptron(width=128), 1500), (53, Transformer(width=64, hidden=256), 1400)],
    ids=["perceptron", "transformer"],
)
def test_the_estimate_is_within_a_factor_of_three(p: int, model: Model, n_train: int) -> None:
    script = SCRIPT.format(p=p, model=model, n_train=n_train)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    run = Run(task=BinaryOperation(p=p), model=model, n_train=n_train, seed=0, steps=4)
    assert 1 / 3 < run.memory(8) / int(done.stdout) < 3


def test_more_runs_and_more_data_take_more() -> None:
    run = Run(n_train=500, seed=0, steps=9)
    assert run.memory(16) > 1.5 * run.memory(8)
    assert Run(task=BinaryOperation(p=59), n_train=500, seed=0, steps=9).memory(8) > run.memory(8)
