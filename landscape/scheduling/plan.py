"""What must be trained, in which order, and who together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.printable import short
from grokscape.landscape.records.store import Store


def ancestry(experiments: Iterable[Experiment]) -> dict[str, Experiment]:
    """Return experiments with all that they start from, by identity; parents come before their children.

    Raises
    ------
    InvalidInput
        If one starts from itself, directly or through others.
    """
    found: dict[str, Experiment] = {}
    above: set[str] = set()

    def add(experiment: Experiment) -> None:
        if experiment.identity in above:
            raise InvalidInput(f"{short(experiment)} starts from itself; its parents must be other experiments")
        if experiment.identity not in found:
            above.add(experiment.identity)
            for parent in experiment.parents:
                add(parent)
            above.discard(experiment.identity)
            found[experiment.identity] = experiment

    for experiment in experiments:
        add(experiment)
    return found


@dataclass(frozen=True)
class Plan:
    """What must be trained, in which order.

    Attributes
    ----------
    wanted : dict
        Identity -> experiment, parents included, in the order of wish.
    missing : list of Experiment
        Those that the store does not have.
    complaints : list of str
        Damaged records that were set aside while planning.
    """

    wanted: dict[str, Experiment]
    missing: list[Experiment]
    complaints: list[str]

    @classmethod
    def of(cls, experiments: Iterable[Experiment], store: Store) -> Plan:
        """Collect experiments and their ancestors, and look up what the store has."""
        wanted = ancestry(experiments)
        missing, complaints = [], []
        for experiment in wanted.values():
            usable, complaint = store.usable(experiment)
            if complaint:
                complaints.append(complaint)
            if not usable:
                missing.append(experiment)
        return cls(wanted, missing, complaints)

    def batches(self, size: int) -> list[list[Experiment]]:
        """Return the missing experiments in batches that can be trained together, in the order of wish.

        Batches of one kind differ by one experiment at most, so that no small remainder is left.
        """
        groups: dict[tuple[type, str, int], list[Experiment]] = {}
        for experiment in self.missing:
            # Children of one generation wait for parents of one generation; mixing them would only make them wait.
            groups.setdefault((type(experiment), experiment.batch_key, depth(experiment)), []).append(experiment)
        batches = []
        for group in groups.values():
            parts = math.ceil(len(group) / (group[0].largest_batch or size))
            edges = [round(part * len(group) / parts) for part in range(parts + 1)]
            batches += [group[start:end] for start, end in itertools.pairwise(edges)]
        return batches


def depth(experiment: Experiment) -> int:
    """Return in which generation an experiment is: 0 if it starts from no other."""
    return 1 + max((depth(parent) for parent in experiment.parents), default=-1)
