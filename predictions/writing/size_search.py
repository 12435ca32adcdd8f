"""Claims about critical data sizes find them with few runs: `Adaptive` says which sizes to train, first and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.fits.critical import CriticalSize, critical_size, next_size, size_grid
from grokscape.landscape.records.record import Record
from grokscape.predictions.prediction import Setting


@dataclass(frozen=True)
class Adaptive:
    """Accuracy against data size, tried where it tells most about the critical size.

    A claim writes ``sizes = Adaptive(retraining_run_of)`` and then ``runs=sizes.first, refine=sizes.refine,
    rounds=sizes.most``. With several curves a seed, such as weight decays, ``Adaptive(run, over="weight_decays")``:
    ``at.weight_decays`` lists them, and ``run(seed, at, n_train, weight_decay)`` gets one.

    Its setting has ``first_sizes`` (fractions of the task, at least two, that enclose the critical size) and
    ``grid_ratio`` (between neighbouring sizes of the grid that is searched). Labels are ``"137"``, or ``"0.5/137"``.

    Attributes
    ----------
    run : callable
        ``run(seed, at, n_train)``, or ``run(seed, at, n_train, value)`` with `over`.
    over : str
        The setting that lists the curves; "" for a single one.
    most : int
        Sizes tried besides the first, for each curve: after so many `refine` asks for no more.
    """

    run: Callable[..., Experiment]
    over: str = ""
    most: int = 4

    def first(self, seed: int, at: Setting) -> Mapping[str, Experiment]:
        """Return the runs to begin with."""
        return {
            f"{prefix}{n}": self.run(seed, at, n, *value)
            for prefix, value in self._curves(at).items()
            for n in self._first_sizes(at)
        }

    def refine(self, seed: int, at: Setting, records: Mapping[str, Record]) -> Mapping[str, Experiment]:
        """Return for each curve the run of the size to try next, if there is one."""
        wanted = {}
        for prefix, value in self._curves(at).items():
            tried = self.tried(records, prefix)
            if len(tried) < len(self._first_sizes(at)) + self.most:
                n = next_size(*_columns(tried), self.grid(at), chance=1 / at.task.n_classes)
                if n is not None:
                    wanted[f"{prefix}{n}"] = self.run(seed, at, n, *value)
        return wanted

    def critical_size(self, records: Mapping[str, Record], at: Setting, prefix: str = "") -> CriticalSize:
        """Return where the curve with a label prefix (such as ``"0.5/"``) reaches half of all test examples."""
        return critical_size(*_columns(self.tried(records, prefix)), chance=1 / at.task.n_classes)

    def tried(self, records: Mapping[str, Record], prefix: str = "") -> dict[int, float]:
        """Return a curve: size -> final test accuracy, sizes ascending."""
        sizes = sorted(int(label.removeprefix(prefix)) for label in records if label.rpartition("/")[0] == prefix[:-1])
        return {n: records[f"{prefix}{n}"].final("accuracy", "test") for n in sizes}

    def grid(self, at: Setting) -> tuple[int, ...]:
        """Return the sizes that may be tried: those between the first."""
        first = self._first_sizes(at)
        return size_grid(first[0], first[-1], at.grid_ratio)

    def runs_saved(self, records: Mapping[str, Record], at: Setting) -> int:
        """Return how many runs more it would have been to try the whole grid."""
        return len(self._curves(at)) * len(self.grid(at)) - len(records)

    def _first_sizes(self, at: Setting) -> list[int]:
        return sorted({at.task.n_train(fraction) for fraction in at.first_sizes})

    def _curves(self, at: Setting) -> dict[str, tuple[Any, ...]]:
        """Label prefix -> what `run` gets besides."""
        return {f"{value:g}/": (value,) for value in at[self.over]} if self.over else {"": ()}


def refine_critical_size(
    run: Callable[..., Experiment], *, over: str = "", most: int = 4
) -> Callable[[int, Setting, Mapping[str, Record]], Mapping[str, Experiment]]:
    """Return the `refine` of a claim about a critical size; see `Adaptive`."""
    return Adaptive(run, over, most).refine


def _columns(tried: Mapping[int, float]) -> tuple[list[int], list[float]]:
    return list(tried), list(tried.values())
