"""Claims about critical sizes find them with few runs: a search says which sizes to train, first and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.fits.critical import CriticalSize, critical_size, next_size, size_grid
from grokscape.landscape.records.record import Record
from grokscape.predictions.terms import Setting


def first_sizes_of(at: Setting, _: Any) -> Sequence[float]:
    """Return the setting's ``first_sizes``, the same for every curve."""
    return at.first_sizes


@dataclass(frozen=True, kw_only=True)
class SizeSearch:
    """Accuracy against data size, tried where it says most about the critical size.

    A claim writes ``search = SizeSearch(run=retrained)`` and then
    ``runs=search.first_runs, refine=search.more_runs, rounds=search.most``. With several curves a seed, such as weight
    decays, ``SizeSearch(run=retrained, curves="weight_decays")``: the setting's ``weight_decays`` lists them, and
    ``run`` gets one. Labels are ``"137"``, or ``"0.5/137"``.

    Attributes
    ----------
    run : callable
        ``run(seed, at, n_train)``, or ``run(seed, at, n_train, curve)`` with `curves`.
    curves : str
        The setting that lists the curves; "" for a single one.
    name : callable
        What labels call a curve.
    first_sizes : callable
        ``first_sizes(at, curve)`` returns fractions of the task, at least two, that enclose the critical size; by
        default the setting's ``first_sizes``.
    ratio : float
        Of neighbouring sizes in the grid that is searched.
    most : int
        Sizes tried besides the first, for each curve: after so many `more_runs` asks for no more. An arm that is
        content with fewer sets ``most`` in its setting.
    """

    run: Callable[..., Experiment]
    curves: str = ""
    name: Callable[[Any], str] = "{:g}".format
    first_sizes: Callable[[Setting, Any], Sequence[float]] = first_sizes_of
    ratio: float = 1.04
    most: int = 4

    def first_runs(self, seed: int, at: Setting) -> Mapping[str, Experiment]:
        """Return the runs to begin with."""
        return {
            self._label(curve, n): self._run(seed, at, n, curve)
            for curve in self._curves(at)
            for n in self.begin(at, curve)
        }

    def more_runs(self, seed: int, at: Setting, records: Mapping[str, Record]) -> Mapping[str, Experiment]:
        """Return for each curve the run of the size to try next, if there is one: bisection, guided by the fit."""
        wanted = {}
        for curve in self._curves(at):
            tried = self.tried(records, curve)
            if len(tried) < len(self.begin(at, curve)) + at.get("most", self.most):
                n = next_size(*_columns(tried), self.grid(at, curve), chance=1 / at.task.n_classes)
                if n is not None:
                    wanted[self._label(curve, n)] = self._run(seed, at, n, curve)
        return wanted

    def critical_size(self, records: Mapping[str, Record], at: Setting, curve: Any = None) -> CriticalSize:
        """Return where a curve reaches half of all test examples."""
        return critical_size(*_columns(self.tried(records, curve)), chance=1 / at.task.n_classes)

    def tried(self, records: Mapping[str, Record], curve: Any = None) -> dict[int, float]:
        """Return a curve: size -> final test accuracy, sizes ascending."""
        parts = (label.rpartition("/") for label in records)
        sizes = sorted(int(size) for name, _, size in parts if name == self._name(curve))
        return {n: records[self._label(curve, n)].final("accuracy", "test") for n in sizes}

    def begin(self, at: Setting, curve: Any = None) -> list[int]:
        """Return the sizes of a curve that are tried first, whatever they show."""
        return sorted({at.task.n_train(fraction) for fraction in self.first_sizes(at, curve)})

    def grid(self, at: Setting, curve: Any = None) -> tuple[int, ...]:
        """Return the sizes of a curve that may be tried: those between the first."""
        first = self.begin(at, curve)
        return size_grid(first[0], first[-1], self.ratio)

    def runs_saved(self, records: Mapping[str, Record], at: Setting) -> int:
        """Return how many runs more it would have been to try the whole grid of every curve."""
        return sum(len(self.grid(at, curve)) - len(self.tried(records, curve)) for curve in self._curves(at))

    def _curves(self, at: Setting) -> Sequence[Any]:
        return at[self.curves] if self.curves else (None,)

    def _run(self, seed: int, at: Setting, n_train: int, curve: Any) -> Experiment:
        return self.run(seed, at, n_train, curve) if self.curves else self.run(seed, at, n_train)

    def _name(self, curve: Any) -> str:
        return self.name(curve) if self.curves else ""

    def _label(self, curve: Any, n_train: int) -> str:
        return f"{self._name(curve)}/{n_train}" if self.curves else f"{n_train}"


def _columns(tried: Mapping[int, float]) -> tuple[list[int], list[float]]:
    return list(tried), list(tried.values())
