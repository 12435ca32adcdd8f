"""The reduced loss landscape: train and test loss over the weight norm, minimised over everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.initialisation import Initialise, fresh_networks
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.norm_profile.descent import Data
from grokscape.landscape.measures.norm_profile.on_sphere import PUBLISHED, Minima, minimise_at_norm
from grokscape.landscape.measures.norm_profile.result import NormProfile
from grokscape.landscape.measures.norm_profile.sphere import Sphere
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.optimisers import Optimiser
from grokscape.landscape.problem import Problem
from grokscape.landscape.randomness import permutation

#: Multiples of the initial norm, as published.
SCALES = tuple(10.0 ** np.linspace(-1, 1, 11))


@plain_arguments
@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
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
    included: str | Sequence[str] | None = None,
    frozen: str | Sequence[str] | None = None,
    sizes: Sequence[int] | None = None,
    record_every: int | None = None,
    tolerance: float = 0.05,
    zero_loss: float = 1e-5,
    stop_loss: float = 1e-8,
    progress: Callable[[float], None] | None = None,
) -> NormProfile:
    """Measure the reduced loss landscape of Omnigrok (Liu, Michaud and Tegmark 2023, arXiv:2210.01117).

    ``theta*(w) = argmin L_train(theta) subject to |theta| = w``; measured are train and test loss of ``theta*(w)``. The
    "LU mechanism" says: an L for the training loss and a U for the test loss, whose bottom is the critical norm.

    All norms and seeds are trained as one ensemble, by
    `grokscape.landscape.measures.norm_profile.on_sphere.minimise_at_norm`.

    Parameters
    ----------
    problem : Problem
        With test data.
    scales : sequence of float
        Increasing multiples of each seed's initial norm.
    norms : sequence of float, optional
        Increasing norms, in place of multiples.
    seeds : sequence of int
        Each draws a fresh initialisation, and its subsets of examples. All share the problem's division into training
        and test data, so intervals over seeds hold given that division; for the spread over divisions, measure a
        problem for each.
    steps : int
    optimiser : Optimiser
        By default Adam at 1e-3, without weight decay.
    tangential : bool
        Minimise along the sphere. False is the published recipe, which at small norms stops short of the minimum and so
        shows the left side higher than it is (see `minimise_at_norm`).
    start : Tensor, shape (seeds, P), optional
        Where each seed starts, before rescaling, in place of a fresh initialisation.
    initialise : callable, optional
        ``initialise(seed)``, a fresh module, where a module's own ``reset_parameters`` will not do. Fresh networks are
        trained with the buffers that they start with, in which all seeds must agree; statistics of batch normalisation
        stay as they start, so make the problem with ``training_mode=True`` for batch statistics.
    included : str or sequence of str, optional
        Glob patterns: the tensors that make up the norm and are rescaled; the others train freely. By default all that
        are not `frozen`.
    frozen : str or sequence of str, optional
        Glob patterns: tensors held constant, such as a given representation. They keep the values of the problem's own
        model (or of `start`), not of a fresh initialisation.
    sizes : sequence of int, optional
        Numbers of training examples, a second axis. Each seed has its own random order of the examples and takes the
        first so many of it, so that its larger sets hold its smaller ones. By default all examples. Needs examples of
        one shape along the first axis, which the model does not compare.
    record_every, tolerance, zero_loss, stop_loss, progress
        See `minimise_at_norm`; `zero_loss` is in units of the loss, and also clips the losses whose shape is judged.

    Returns
    -------
    NormProfile

    Raises
    ------
    InvalidInput
        If there are no test data or no seeds, a norm is not positive or they do not increase, a size exceeds the data,
        the loss ignores all examples that a seed has of a size, or a pattern matches nothing.

    Notes
    -----
    Costs at most ``sizes * scales * seeds * steps`` gradients; networks whose training loss reaches `stop_loss` stop.

    Examples
    --------
    >>> from grokscape.landscape import AdamW, norm_profile
    >>> from grokscape.landscape.measures.examples import regression  # L = |w - w*|^2 / 2, with |w*| = 2
    >>> fast = AdamW(lr=0.1, weight_decay=0.0)
    >>> found = norm_profile(regression(), norms=[1.0, 2.0, 4.0], seeds=[0], steps=200, optimiser=fast)
    >>> print(found.losses("train").round(3)[:, 0])  # (norm - 2)^2 / 2
    [0.5 0.  2. ]
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
    sphere = Sphere(problem, included, frozen)
    problem, params = _starts(problem, sphere, numbers, start, initialise)
    for size in counts:  # a choice that cannot be used is refused before the first is trained on
        if size < total:
            Data(problem, _subsets(total, size, numbers))
    initial = sphere.norm(params).squeeze(1).double().cpu().numpy()
    radii = grid[:, None] * (initial if norms is None else np.ones(len(numbers)))
    found: list[Minima] = []
    for place, size in enumerate(counts):
        found.append(
            minimise_at_norm(
                problem,
                params.repeat(len(grid), 1),
                radii.reshape(-1),
                steps=steps,
                optimiser=optimiser,
                tangential=tangential,
                included=included,
                frozen=frozen,
                examples=None if size == total else _subsets(total, size, numbers).repeat(len(grid), 1),
                record_every=record_every,
                tolerance=tolerance,
                zero_loss=zero_loss,
                stop_loss=stop_loss,
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
        norms=radii,
        initial_norms=initial,
        end={key: cube([one.end[key] for one in found]) for key in found[0].end},
        best={key: cube([one.best[key] for one in found]) for key in found[0].best},
        converged=cube([one.converged for one in found]),
        diverged=cube([one.diverged for one in found]),
        steps=cube([one.steps for one in found]),
        change=cube([one.change for one in found]),
        residual=cube([one.residual for one in found]),
        zero_loss=zero_loss,
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
) -> tuple[Problem, Tensor]:
    """Return where each seed starts, shape (seeds, P), and the problem with the buffers to start with."""
    if start is None:
        own, params = fresh_networks(problem, seeds, initialise)
        return own, torch.where(sphere.constant, problem.start, params)
    if initialise is not None:
        raise InvalidInput("both start and initialise are given, which contradict each other; leave one out")
    if not isinstance(start, Tensor) or tuple(start.shape) != (len(seeds), problem.size):
        if not isinstance(start, Tensor):
            raise InvalidInput(f"start is {start!r:.60}, expected a tensor ({len(seeds)}, {problem.size})")
        raise InvalidInput(
            f"start has shape {tuple(start.shape)}, expected ({len(seeds)}, {problem.size}): parameters for every seed"
        )
    return problem, start.detach().to(problem.start)


def _subsets(total: int, size: int, seeds: list[int]) -> Tensor:
    orders = [permutation(total, seed, "norm profile examples")[:size] for seed in seeds]
    return torch.from_numpy(np.stack(orders))


def _part(progress: Callable[[float], None], sizes: list[int], place: int) -> Callable[[float], None]:
    """Return a progress callback for one size: a gradient costs about as much as it has examples."""
    before, own, total = sum(sizes[:place]), sizes[place], sum(sizes)
    return lambda share: progress((before + share * own) / total)
