"""Miller et al. 2023: the logarithm of a gap."""

from __future__ import annotations

import math

import pytest

from grokscape.landscape.fits.crossing import Crossing
from grokscape.landscape.grokking import GrokkingGap
from grokscape.predictions.papers.miller2023.concealment_setup import log_gap


def test_gaps_that_are_none_count_as_one_step() -> None:
    def gap(fit: float, generalise: float) -> GrokkingGap:
        return GrokkingGap(Crossing(fit, False), Crossing(generalise, False))

    assert log_gap(gap(100, 100)) == 0.0
    assert log_gap(gap(100, 80)) == 0.0
    assert log_gap(gap(100, 150)) == pytest.approx(math.log(50))
