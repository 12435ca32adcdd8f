"""What a learner leaves behind when it is trained by itself."""

from __future__ import annotations

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records.record import Record


class Alone:
    """Surroundings that want nothing; `shares` is what was reported to them."""

    device, compile = "cpu", False

    def __init__(self):
        self.shares = []

    def report(self, done):
        self.shares.append(done)


def trained(experiment: Experiment) -> Record:
    """Train one experiment and return its record."""
    session = Alone()
    ((member, outcome),) = type(experiment).train([experiment], session)
    assert member is experiment
    assert session.shares == sorted(session.shares)
    assert session.shares[-1] <= 1
    return Record(experiment, outcome.trajectory, outcome.info, outcome.weights.__getitem__)
