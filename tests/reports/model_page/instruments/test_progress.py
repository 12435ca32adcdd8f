"""What the page says about progress measures follows from their numbers."""

from __future__ import annotations

import torch

from grokscape.landscape.measures.progress import progress
from grokscape.reports.model_page.instruments.progress import PROGRESS


def sentence(problem, checkpoints):
    return PROGRESS.summary(progress(problem, checkpoints, measures=["weight_norm"])).sentence


def test_checkpoints_that_are_not_finite_are_named(problem):
    lost = torch.full_like(problem.start, torch.nan)
    found = sentence(problem, {0: problem.start, 5: lost, 9: problem.start})
    assert "Nothing could be measured at step 5, where weights are not finite." in found
    assert "finite" not in sentence(problem, {0: problem.start, 9: problem.start})
    many = {step: problem.start if step in (0, 9) else lost for step in range(10)}
    assert "at steps 1, 2, 3, 4, 5 and 3 others, where" in sentence(problem, many)


def test_what_changes_is_said(problem):
    found = sentence(problem, {0: problem.start, 9: 2 * problem.start})
    norm = float(problem.start.norm())
    assert (
        f"From step 0 to step 9, over 2 checkpoints, the weight norm goes from {norm:.3g} to {2 * norm:.3g}." == found
    )
