"""The reduced loss landscape: train and test loss over the weight norm, minimised over everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from landscape.errors import InvalidInput
from landscape.initialisation import Initialise, fresh
from landscape.measures.norm_shape import CriticalNorm, Shape, classify, critical_norm
from landscape.measures.on_sphere import PUBLISHED, Minima, minimise_at_norm
from landscape.measures.result import Cost, Result
from landscape.measures.sphere import Sphere
from landscape.optimisers import Optimiser
from landscape.problem import Problem
from landscape.randomness import permutation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

When = Literal["end", "best"]
Split = Literal["train", "test"]

#: Multiples of the initial norm, as published.
SCALES = tuple(10.0 ** np.linspace(-1, 1, 11))


@dataclass(frozen=True, kw_only=True)
class NormProfile(Result):
    """Train and test loss at every weight norm, where the training loss is least.

    Attributes
    ----------
    sizes : array of int, shape (sizes,)
        Numbers of training examples.
    scales : array, shape (scales,)
        Multiples of each seed's initial norm; or, if `absolute`, the norms themselves.
    seeds : array of int, shape (seeds,)
    absolute : bool
    norms : array, shape (scales, seeds)
        Of the counted parameters.
    initial_norms : array, shape (seeds,)
        Before rescaling.
    end, best : dict of (split, quantity) to array, shape (sizes, scales, seeds)
        "loss" and "accuracy" on "train" and "test". `end`: of the parameters where the minimisation ended. `best`: the
        smallest loss and largest accuracy over all records, each by itself; its test values are chosen by looking at
        the test data (early stopping by an oracle), and belong to no one point.
    converged, diverged : array of bool, shape (sizes, scales, seeds)
        Whether the training loss ended at most at the floor or changed by at most the tolerance over the last fifth of
        the steps; whether it left the finite numbers.
    steps : array of int, shape (sizes, scales, seeds)
    change : array, shape (sizes, scales, seeds)
        That relative change.
    residual : array, shape (sizes, scales, seeds)
        Fall of the training loss per radian along the sphere that is left at the end; 0 at an exact minimum.
    floor, tolerance : float
    cost : Cost
    """

    sizes: np.ndarray
    scales: np.ndarray
    seeds: np.ndarray
    absolute: bool
    norms: np.ndarray
    initial_norms: np.ndarray
    end: dict[tuple[str, str], np.ndarray]
    best: dict[tuple[str, str], np.ndarray]
    converged: np.ndarray
    diverged: np.ndarray
    steps: np.ndarray
    change: np.ndarray
    residual: np.ndarray
    floor: float
    tolerance: float
    cost: Cost

    def losses(self, split: Split, *, when: When = "end", size: int | None = None) -> np.ndarray:
        """Return the losses of one size (by default the largest), shape (scales, seeds)."""
        return self._of(when)[split, "loss"][self._place(size)]

    def shape(
        self,
        split: Split,
        *,
        when: When = "end",
        size: int | None = None,
        rise: float = 2.0,
        confidence: float = 0.95,
    ) -> Shape:
        """Say whether a loss curve is an "L", a "U", "flat" or "neither", and how surely.

        Parameters
        ----------
        split : {"train", "test"}
        when : {"end", "best"}
        size : int, optional
            Number of training examples; by default the largest.
        rise, confidence : float
            See `landscape.measures.norm_shape.classify`, which decides. Norms at which a seed did not converge are left
            out and named.
        """
        losses, place = self.losses(split, when=when, size=size), self._place(size)
        options = {"floor": self.floor, "rise": rise, "confidence": confidence}
        return classify(self.scales, losses, self.converged[place], **options)

    def critical_norm(
        self,
        *,
        unit: Literal["scale", "norm"] = "scale",
        when: When = "end",
        size: int | None = None,
        confidence: float = 0.95,
    ) -> CriticalNorm:
        """Return where the test loss is least, of each seed and over seeds.

        Parameters
        ----------
        unit : {"scale", "norm"}
            In multiples of each seed's initial norm, or as the norm itself.
        when, size, confidence
            As for `shape`.
        """
        losses, place = self.losses("test", when=when, size=size), self._place(size)
        norms = self.norms / self.initial_norms if unit == "scale" else self.norms
        options = {"floor": self.floor, "confidence": confidence}
        return critical_norm(norms, losses, self.converged[place], **options)

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each size, norm, seed, split and moment ("end" or "best")."""
        shape = self.converged.shape
        size, scale, seed = np.meshgrid(self.sizes, self.scales, self.seeds, indexing="ij")
        common = {"size": size, "scale": scale / self.initial_norms if self.absolute else scale, "seed": seed}
        common["norm"] = np.broadcast_to(self.norms, shape)
        fate = {name: getattr(self, name) for name in ("converged", "diverged", "steps", "change", "residual")}
        tables = []
        for split in ("train", "test"):
            for when in ("end", "best"):
                values = self._of(when)
                measured = {name: values[split, name] for name in ("loss", "accuracy")}
                columns = {name: array.reshape(-1) for name, array in (common | measured | fate).items()}
                tables.append(pd.DataFrame(columns | {"split": split, "when": when}))
        first = ["size", "scale", "norm", "seed", "split", "when"]
        frame = pd.concat(tables, ignore_index=True)
        return frame[first + [name for name in frame.columns if name not in first]]

    def plot(self, ax: Axes | None = None, *, size: int | None = None, best: bool = False) -> Axes:
        """Draw train and test loss over the norm (of one size; best-seen values dashed, on request)."""
        from landscape.drawing.norm_profile import draw

        return draw(self, ax, size=size, best=best)

    def _of(self, when: str) -> dict[tuple[str, str], np.ndarray]:
        if when not in ("end", "best"):
            raise InvalidInput(f"when is {when!r}, expected 'end' or 'best'")
        return self.end if when == "end" else self.best

    def _place(self, size: int | None) -> int:
        if size is None:
            return int(self.sizes.argmax())
        if size not in self.sizes:
            raise InvalidInput(f"size is {size}, expected one of those measured: {', '.join(map(str, self.sizes))}")
        return int(np.flatnonzero(self.sizes == size)[0])


def norm_profile(
    problem: Problem,
    scales: Sequence[float] | np.ndarray = SCALES,
    *,
    norms: Sequence[float] | np.ndarray | None = None,
    seeds: Sequence[int] = range(4),
    steps: int = 5000,
    optimiser: Optimiser = PUBLISHED,
    tangential: bool = True,
    start: Tensor | None = None,
    initialise: Initialise | None = None,
    counted: str | Sequence[str] | None = None,
    fixed: str | Sequence[str] | None = None,
    sizes: Sequence[int] | None = None,
    record: int | None = None,
    tolerance: float = 0.2,
    floor: float = 1e-5,
    leave: float = 1e-8,
    progress: Callable[[float], None] | None = None,
) -> NormProfile:
    """Measure the reduced loss landscape of Omnigrok (Liu, Michaud and Tegmark 2023, arXiv:2210.01117).

    ``theta*(w) = argmin L_train(theta) subject to |theta| = w``; measured are train and test loss of ``theta*(w)``. The
    "LU mechanism" says: an L for the training loss and a U for the test loss, whose bottom is the critical norm.

    All norms and seeds are trained as one ensemble, by `landscape.measures.on_sphere.minimise_at_norm`.

    Parameters
    ----------
    problem : Problem
        With test data.
    scales : sequence of float
        Increasing multiples of each seed's initial norm.
    norms : sequence of float, optional
        Increasing norms, in place of multiples.
    seeds : sequence of int
        Each draws a fresh initialisation, and its subsets of examples.
    steps : int
    optimiser : Optimiser
        By default Adam at 1e-3, without weight decay.
    tangential : bool
        Minimise along the sphere. False is the published recipe, which at small norms stops short of the minimum and so
        shows the left side higher than it is (see `minimise_at_norm`).
    start : Tensor, shape (seeds, P), optional
        Where each seed starts, before rescaling, in place of a fresh initialisation.
    initialise : callable, optional
        ``initialise(seed)``, a fresh module, where a module's own ``reset_parameters`` will not do.
    counted : str or sequence of str, optional
        Glob patterns: the tensors that make up the norm and are rescaled; the others train freely. By default all that
        are not `fixed`.
    fixed : str or sequence of str, optional
        Glob patterns: tensors held constant, such as a given representation. They keep the values of the problem's own
        model (or of `start`), not of a fresh initialisation.
    sizes : sequence of int, optional
        Numbers of training examples, a second axis. Each seed has its own random order of the examples and takes the
        first so many of it, so that its larger sets hold its smaller ones. By default all examples.
    record, tolerance, floor, leave, progress
        See `minimise_at_norm`; `floor` is in units of the loss, and also clips the losses whose shape is judged.

    Returns
    -------
    NormProfile

    Raises
    ------
    InvalidInput
        If there are no test data or no seeds, a norm is not positive or they do not increase, a size exceeds the data,
        or a pattern matches nothing.

    Notes
    -----
    Costs at most ``sizes * scales * seeds * steps`` gradients; networks whose training loss reaches `leave` leave.
    """
    problem.need_test("norm_profile")
    grid = _grid("scales" if norms is None else "norms", scales if norms is None else norms)
    numbers = _seeds(seeds)
    total = problem.count["train"]
    counts = [total] if sizes is None else list(sizes)
    for size in counts:
        if not 1 <= size <= total:
            raise InvalidInput(f"sizes hold {size}, expected numbers from 1 to the {total} training examples")
    if not counts:
        raise InvalidInput("sizes are empty, expected at least one number of training examples")
    sphere = Sphere(problem, counted, fixed)
    rows = _starts(problem, sphere, numbers, start, initialise)
    initial = sphere.norm(rows).squeeze(1).double().cpu().numpy()
    radii = grid[:, None] * initial if norms is None else np.broadcast_to(grid[:, None], (len(grid), len(numbers)))
    found: list[Minima] = []
    for place, size in enumerate(counts):
        found.append(
            minimise_at_norm(
                problem,
                rows.repeat(len(grid), 1),
                radii.reshape(-1),
                steps=steps,
                optimiser=optimiser,
                tangential=tangential,
                counted=counted,
                fixed=fixed,
                examples=None if size == total else _subsets(total, size, numbers).repeat(len(grid), 1),
                record=record,
                tolerance=tolerance,
                floor=floor,
                leave=leave,
                progress=None if progress is None else _part(progress, counts, place),
            )
        )

    def cube(arrays: list[np.ndarray]) -> np.ndarray:
        return np.stack([array.reshape(radii.shape) for array in arrays])

    return NormProfile(
        sizes=np.array(counts),
        scales=grid,
        seeds=np.array(numbers),
        absolute=norms is not None,
        norms=np.array(radii),
        initial_norms=initial,
        end={key: cube([one.end[key] for one in found]) for key in found[0].end},
        best={key: cube([one.best[key] for one in found]) for key in found[0].best},
        converged=cube([one.converged for one in found]),
        diverged=cube([one.diverged for one in found]),
        steps=cube([one.steps for one in found]),
        change=cube([one.change for one in found]),
        residual=cube([one.residual for one in found]),
        floor=floor,
        tolerance=tolerance,
        cost=sum((one.cost for one in found), Cost()),
    )


def _grid(name: str, values: Sequence[float] | np.ndarray) -> np.ndarray:
    grid = np.asarray(values, dtype=float)
    if grid.ndim != 1 or not grid.size:
        raise InvalidInput(f"{name} have shape {grid.shape}, expected a list of at least one positive number")
    if bad := [value for value in grid if not (np.isfinite(value) and value > 0)]:
        raise InvalidInput(f"{name} hold {bad[0]:g}, expected finite positive numbers")
    if (np.diff(grid) <= 0).any():
        raise InvalidInput(f"{name} do not increase; sort them and drop doubles")
    return grid


def _seeds(seeds: Sequence[int]) -> list[int]:
    numbers = [int(seed) for seed in seeds]
    if not numbers:
        raise InvalidInput("seeds are empty, expected at least one; for intervals, at least four")
    if len(set(numbers)) < len(numbers):
        raise InvalidInput(f"seeds {numbers} repeat one, which would count the same training twice; drop doubles")
    return numbers


def _starts(
    problem: Problem, sphere: Sphere, seeds: list[int], start: Tensor | None, initialise: Initialise | None
) -> Tensor:
    """Return where each seed starts, shape (seeds, P)."""
    if start is None:
        rows = torch.stack([fresh(problem, seed, initialise) for seed in seeds])
        return torch.where(sphere.constant, problem.start, rows)
    if initialise is not None:
        raise InvalidInput("both start and initialise are given, which say two things; leave one out")
    if tuple(start.shape) != (len(seeds), problem.size):
        raise InvalidInput(
            f"start has shape {tuple(start.shape)}, expected ({len(seeds)}, {problem.size}): parameters for every seed"
        )
    return start.detach().to(problem.start)


def _subsets(total: int, size: int, seeds: list[int]) -> Tensor:
    orders = [permutation(total, seed, "norm profile examples")[:size] for seed in seeds]
    return torch.from_numpy(np.stack(orders))


def _part(progress: Callable[[float], None], sizes: list[int], place: int) -> Callable[[float], None]:
    """Return a progress callback for one size: a gradient costs about as much as it has examples."""
    before, own, total = sum(sizes[:place]), sizes[place], sum(sizes)
    return lambda share: progress((before + share * own) / total)
