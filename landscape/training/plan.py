"""What must be trained, in which order, and who together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from landscape.experiment import Experiment
from landscape.training.store import Store


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
        wanted: dict[str, Experiment] = {}

        def add(experiment: Experiment) -> None:
            if experiment.identity not in wanted:
                for parent in experiment.parents:
                    add(parent)
                wanted[experiment.identity] = experiment

        for experiment in experiments:
            add(experiment)
        missing, complaints = [], []
        for experiment in wanted.values():
            usable, complaint = store.usable(experiment)
            if complaint:
                complaints.append(complaint)
            if not usable:
                missing.append(experiment)
        return cls(wanted, missing, complaints)

    def batches(self, size: int) -> list[list[Experiment]]:
        """Return the missing experiments in batches that can be trained together, in the order of wish."""
        groups: dict[tuple[type, str, tuple[str, ...]], list[list[Experiment]]] = {}
        order: list[list[Experiment]] = []
        for experiment in self.missing:
            # Children of one generation wait for parents of one generation; mixing them would only make them wait.
            depth = _depth(experiment)
            key = (type(experiment), experiment.batch_key, (str(depth),))
            batches = groups.setdefault(key, [])
            if not batches or len(batches[-1]) >= (experiment.largest_batch or size):
                batches.append([])
                order.append(batches[-1])
            batches[-1].append(experiment)
        return order


def _depth(experiment: Experiment) -> int:
    return 1 + max((_depth(parent) for parent in experiment.parents), default=-1)
