"""The table that a training fills."""

from __future__ import annotations

import numpy as np

from grokscape.landscape.learners.training_log import TrainingLog


def test_a_log_is_a_tidy_table_with_its_last_weights() -> None:
    log = TrainingLog()
    log.note(0, {("train", "loss"): 2.0, ("", "complexity"): np.float64(1.0)})
    log.note(3, {("train", "loss"): 1.0})
    outcome = log.outcome(3, {"w": np.array(1.0)})
    assert outcome.trajectory.to_numpy().tolist() == [
        [0, "train", "loss", 2.0],
        [0, "", "complexity", 1.0],
        [3, "train", "loss", 1.0],
    ]
    assert outcome.info["last_step"] == 3
    assert outcome.weights[3]["w"] == 1.0
