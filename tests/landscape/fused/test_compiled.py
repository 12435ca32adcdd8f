"""Catches compiled code that computes other bits in the process that compiles it than in those that load it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import hashlib
from grokscape.landscape.learners import (EmbeddingDecoder)
from grokscape.landscape.models import Perceptron
from grokscape.landscape.tasks import BinaryOperation
from grokscape.landscape.training.run import Run
from tests.landscape.helpers import train_alone

run = Run(task=BinaryOperation(p=7), model=Perceptron(width=16), n_train=25, seed=0, steps=20)
for experiment in (run, EmbeddingDecoder(seed=0, widths=(64, 64), steps=20)):
    outcome = train_alone(experiment)
    bits = outcome.trajectory["value"].to_numpy().tobytes()
    bits += b"".join(array.tobytes() for array in outcome.weights[20].values())
    print(outcome.info["arithmetic"], hashlib.sha256(bits).hexdigest())
"""


def test_what_was_compiled_and_what_is_loaded_give_the_same_bits(tmp_path: Path) -> None:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM]
    compiling, loading = (
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout for _ in range(2)
    )
    assert all(line.startswith("compiled") for line in compiling.splitlines())
    assert loading == compiling
