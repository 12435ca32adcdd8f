"""Levi et al. 2023: which students are trained, and when their losses come down."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.theory import marchenko_pastur as mp
from grokscape.predictions.papers.levi2023.losses import loss_curves
from grokscape.predictions.papers.levi2023.setup import reached, reaches
from grokscape.predictions.terms import Setting


def test_with_a_fixed_ratio_the_size_changes():
    at = Setting(loss_curves.tiers["quick"].setting | {"fixed_ratio": 0.5})
    runs = loss_curves.runs(0, at).values()
    assert {run.ratio for run in runs} == {0.5}
    assert [run.inputs for run in runs] == [round(at.inputs * ratio) for ratio in at.ratios]


def test_when_a_loss_is_expected():
    step = reached(0.5, 1e-3)
    assert mp.losses(np.array([0.01 * step]), 0.5)[1][0] == pytest.approx(1e-3, rel=0.02)


def test_when_a_loss_reaches_a_level():
    loss = pd.Series([1.0, 1e-2, 1e-4], index=[0, 10, 30])
    assert reaches(loss, 1e-3) == pytest.approx(20)
    assert reaches(loss, 1.0) == 0
    with pytest.raises(ValueError, match="never reaches"):
        reaches(loss, 1e-5)
