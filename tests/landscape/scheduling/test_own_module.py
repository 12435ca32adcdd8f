"""Descriptions of one's own inside a built-in one: workers must learn of every class, not only of the outermost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

OWN_TASK = """
import functools
from dataclasses import dataclass

import torch

from grokscape.landscape.tasks import TokenTask


@dataclass(frozen=True, kw_only=True)
class Swap(TokenTask, kind="test_swap_task"):
    n_tokens = 4
    n_classes = 4

    @functools.cached_property
    def inputs(self):
        return torch.cartesian_prod(torch.arange(4), torch.arange(4))

    @functools.cached_property
    def labels(self):
        return self.inputs[:, 1]
"""

PROGRAM = """
from grokscape.landscape import Perceptron, Run, Store, local_executor, train_all
from my_swap import Swap

if __name__ == "__main__":
    run = Run(task=Swap(), model=Perceptron(width=4), n_train=8, steps=3, seed=0)
    store = Store("store")
    with local_executor(1) as executor:
        events = [event for event in train_all([run], store, executor) if event.experiment]
    assert [event.error for event in events] == [""], events
    print(store.read(run).experiment.task)
"""


def test_a_task_of_ones_own_reaches_the_workers(tmp_path: Path) -> None:
    (tmp_path / "my_swap.py").write_text(OWN_TASK)
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Swap()" in done.stdout
