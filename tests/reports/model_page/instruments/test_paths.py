"""What the page says about a barrier follows from its bounds."""

from __future__ import annotations

import dataclasses
import math

import pytest

from grokscape.landscape.measures.paths.straight import interpolate
from grokscape.reports.model_page.instruments.paths import STRAIGHT_PATH


@pytest.mark.parametrize(
    ("barrier", "bound", "words"),
    [
        (0.0, 0.001, "There is no barrier on the straight line: its height is at most 0.001."),
        (0.5, 0.6, "There is a barrier on the straight line: its height lies between 0.5 and 0.6."),
        (0.009, 0.011, "There is a barrier on the straight line: its height lies between 0.009 and 0.011."),
        (0.001, 0.02, "Whether there is a barrier on the straight line is not settled: its height lies between 0.001"),
        (0.0, math.inf, "is not settled: its height lies between 0 and ∞."),
    ],
)
def test_barriers(problem, barrier, bound, words):
    found = interpolate(problem, problem.start, -problem.start, points=5, refine=0)
    changed = dataclasses.replace(found, barrier=barrier, barrier_bound=bound, tolerance=0.01)
    assert words in STRAIGHT_PATH.summary(changed).sentence
