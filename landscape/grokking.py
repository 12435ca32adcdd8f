"""Error, complexity and the grokking gap: one definition for every learner, network or not.

A learner groks when its training error becomes low long before its test error does (Miller et al. 2023,
arXiv:2310.17247, section 2): neither a sudden jump nor perfect accuracy is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.fits.crossing import Crossing, first_crossing
from grokscape.landscape.records.record import Record
from grokscape.landscape.training.run import Run


@dataclass(frozen=True)
class GrokkingGap:
    """When a learner fits and when it generalises.

    Attributes
    ----------
    fit, generalise : Crossing
        From where the training error, and the test error, is low for good.
    """

    fit: Crossing
    generalise: Crossing

    @property
    def steps(self) -> float:
        """``generalise - fit``; a lower bound of it if only the former is censored, meaningless if the latter is."""
        return self.generalise.step - self.fit.step

    @property
    def censored(self) -> bool:
        """Whether one of the two never happened."""
        return self.fit.censored or self.generalise.censored


def error(record: Record, split: str) -> pd.Series:
    """Return a learner's error by step, between 0 (no error) and about 1 (that of predicting the mean).

    For classes, the share of labels that are wrong; for numbers, the mean squared error as a share of the variance of
    that split's targets. Learners record it as "error"; of networks it is ``1 - accuracy``.

    Parameters
    ----------
    record : Record
    split : {"train", "test"}

    Raises
    ------
    NotMeasured
        If the record has neither.
    """
    try:
        return record.series("error", split)
    except InvalidInput:  # NotMeasured, unless nothing that is loaded records errors
        return 1 - record.series("accuracy", split)


def complexity(record: Record) -> pd.Series:
    """Return a learner's complexity by step, in nats per training example, up to a constant of the learner's own.

    It is the cost of the learner's state under its prior: a negative log density of weights, a divergence from the
    prior, half a log determinant. Learners that are no networks record it as "complexity" and say in their
    descriptions which it is. For networks it is ``|theta|^2 / (2 n)``, the weights' negative log density under
    N(0, 1) (Miller et al. 2023, appendices B.1 and C).

    The unit is one for all, the zero is not: a log determinant can be negative, a divergence cannot; priors that are
    trained move the zero along the way. Changes within one learner can be compared with changes within another, levels
    across learners cannot.

    Raises
    ------
    NotMeasured
        If the learner has no complexity.
    """
    if isinstance(record.experiment, Run):
        return record.series("weight_norm") ** 2 / (2 * record.experiment.n_train)
    return record.series("complexity")


def grokking_gap(record: Record, level: float = 0.05) -> GrokkingGap:
    """Return when the training error, and when the test error, is at most `level` for good (see `first_crossing`).

    Parameters
    ----------
    record : Record
    level : float
        1 - 0.95 by default, the accuracy that Miller et al. ask for.

    Raises
    ------
    NotMeasured
        If there is no error of either kind.
    """
    crossings = []
    for split in ("train", "test"):
        series = error(record, split)
        crossings.append(first_crossing(series.index.to_numpy(), series.to_numpy(), below=level))
    return GrokkingGap(*crossings)
