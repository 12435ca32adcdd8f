"""Liu et al. 2022: in which phase a training ends, and what its training set leaves to the embedding."""

from __future__ import annotations

import math

import pytest

from grokscape.predictions.papers.liu2022.effective_theory import predicted_accuracy
from grokscape.predictions.papers.liu2022.setup import Phase, lag, nullity, phase
from grokscape.predictions.terms import Setting
from tests.predictions.made_up.toys import trained

#: When a run of each phase fits and generalises.
TIMES = {
    Phase.COMPREHENSION: (500, 900),
    Phase.GROKKING: (500, 3000),
    Phase.MEMORISATION: (500, math.inf),
    Phase.CONFUSION: (math.inf, math.inf),
}


@pytest.mark.parametrize("kind", Phase)
def test_each_phase_is_told(kind):
    fits, generalises = TIMES[kind]
    assert phase(trained(None, fits=fits, generalises=generalises)) is kind


def test_generalising_before_fitting_is_no_grokking():
    early = trained(None, fits=5000, generalises=500)
    assert phase(early) is Phase.COMPREHENSION
    assert lag(early) < 0
    # What generalises and never fits is confused, as the paper's table has it.
    assert phase(trained(None, fits=math.inf, generalises=500)) is Phase.CONFUSION
    assert lag(trained(None, fits=500, generalises=math.inf)) is None


def test_nullity_is_that_of_the_runs_own_training_set():
    at = Setting(predicted_accuracy.tiers["quick"].setting)
    few, many = (predicted_accuracy.runs(3, at)[label] for label in ("12", "50"))
    assert nullity(few) > 2
    assert nullity(many) == 2
    assert not math.isnan(nullity(few))
