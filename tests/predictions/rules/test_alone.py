"""The decision rules run where there is neither torch nor pandas nor anything that draws: a promise, kept here."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "pandas", "pyarrow", "matplotlib", "seaborn", "rich", "jinja2", "landscape"}:
            raise ImportError(f"{name} is not installed here")

sys.meta_path.insert(0, Absent())
from grokscape.predictions.rules import Exceeds, Sample, holm, operating
assert Exceeds(0.0).decide(Sample.of([1.0, 2, 3, 4, 5, 6])).outcome == "corroborated"
assert operating(Exceeds(0.0), seeds=8, effect=2.0, spread=0.1, trials=10).power == 1.0
assert holm([0.01]) == [0.01]
try:
    import torch
except ImportError:
    print("decided without torch")
"""


def test_rules_need_only_numpy_and_scipy():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "decided without torch", done.stderr
