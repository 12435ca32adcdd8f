"""The training loss minimised at a fixed weight norm: many starts and norms side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.norm_profile.descent import (
    MEASURED,
    Descent,
    Gradient,
    networks_per_batch,
    without_denormals,
)
from grokscape.landscape.measures.norm_profile.sphere import Sphere
from grokscape.landscape.measures.result import Cost
from grokscape.landscape.optimisers import AdamW, Optimiser
from grokscape.landscape.problem import Problem

#: The optimiser as published: Adam with PyTorch's own constants, without decay.
PUBLISHED = AdamW(lr=1e-3, weight_decay=0.0, beta2=0.999)


@dataclass(frozen=True, kw_only=True)
class Minima:
    """Where minimising at a fixed norm ended, one entry for each network.

    Attributes
    ----------
    params : Tensor, shape (networks, P)
        The parameters at the end.
    norms : array, shape (networks,)
        The norm of the included parameters.
    end, best : dict of (split, quantity) to array, shape (networks,)
        Loss and accuracy on "train" and "test". `end` holds those of `params`; `best`, the smallest loss and the
        largest accuracy of every record, each by itself, so that they belong to no one point. NaN where there is none.
    steps : array of int, shape (networks,)
        Taken until the network stopped: at the last step, at a loss of `stop_loss`, or on leaving the finite numbers.
    change : array, shape (networks,)
        Relative change of the training loss over the last fifth of the steps: its second half against its first.
    residual : array, shape (networks,)
        Length of the gradient along the sphere times its radius (of parameters not included, of their whole gradient):
        by how much the training loss still falls per radian. 0 at an exact minimum.
    converged : array of bool, shape (networks,)
        The training loss is finite, and at most `zero_loss` or changing by less than the tolerance.
    diverged : array of bool, shape (networks,)
        The training loss or a parameter is not finite.
    cost : Cost
        Steps of networks that are done, but not yet dropped, are counted; the four gradients of each network that go
        into a plan (see `grokscape.landscape.graph_capture.capture.captured`) are not.
    """

    params: Tensor
    norms: np.ndarray
    end: dict[tuple[str, str], np.ndarray]
    best: dict[tuple[str, str], np.ndarray]
    steps: np.ndarray
    change: np.ndarray
    residual: np.ndarray
    converged: np.ndarray
    diverged: np.ndarray
    cost: Cost


@plain_arguments
@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def minimise_at_norm(
    problem: Problem,
    params: Tensor,
    norms: Sequence[float] | np.ndarray | Tensor,
    *,
    steps: int = 5000,
    optimiser: Optimiser = PUBLISHED,
    tangential: bool = True,
    included: str | Sequence[str] | None = None,
    frozen: str | Sequence[str] | None = None,
    examples: Tensor | None = None,
    record_every: int | None = None,
    tolerance: float = 0.05,
    zero_loss: float = 1e-8,
    stop_loss: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Minima:
    """Minimise the training loss over directions at a fixed norm, from several starts at once.

    A step of the optimiser along the gradient on the whole data, after which the included parameters are rescaled onto
    their sphere; the optimiser's moments are left alone. No network influences another.

    Parameters
    ----------
    problem : Problem
    params : Tensor, shape (networks, P)
        The starts, at any norm but zero.
    norms : shape (networks,)
        The norm at which each is held.
    steps : int
    optimiser : Optimiser
    tangential : bool
        Take only the part of the gradient along the sphere, so that the optimiser comes to rest at a minimum on it.
        False is the recipe of Omnigrok (Liu, Michaud and Tegmark 2023, arXiv:2210.01117): Adam rescales the radial part
        coordinate by coordinate, so that where the loss still falls outwards, at small norms, it comes to rest
        elsewhere, at a higher loss (see `residual`).
    included : str or sequence of str, optional
        Glob patterns of the tensors that make up the norm and are rescaled. By default, all that are not `frozen`; the
        others train freely.
    frozen : str or sequence of str, optional
        Glob patterns of tensors held constant at the start's values.
    examples : Tensor of int64, shape (networks, n), optional
        Each network's own training examples, of one shape along the first axis. By default all networks have all.
    record_every : int, optional
        Steps between looks at the test data, at the best seen, and at who is done. By default a fiftieth of all.
    tolerance : float
        A relative change of the training loss over the last fifth of the steps that counts as none. A loss that still
        falls as ``t^-a`` changes by ``a / 10``, however long the run.
    zero_loss : float
        A training loss that counts as zero, in units of the loss.
    stop_loss : float, optional
        A network whose training loss is at most this (at a record) stops; by default `zero_loss`. That also keeps Adam,
        whose steps stay long where gradients vanish, from walking away from a perfect fit.
    progress : callable, optional
        Called with the share done.

    Returns
    -------
    Minima

    Raises
    ------
    InvalidInput
        If a norm is not positive, a pattern matches nothing, or a shape or number does not fit.

    Notes
    -----
    Costs `steps` gradients of each network and, at every record, an evaluation on both splits.
    """
    stop_loss = zero_loss if stop_loss is None else stop_loss
    if not isinstance(params, Tensor):
        raise InvalidInput(f"params are {type(params).__name__}, expected a tensor (networks, {problem.size})")
    params = params.detach().to(problem.start).clone()
    norms = norms if isinstance(norms, Tensor) else torch.tensor(np.array(norms, dtype=float))
    radius = norms.detach().to(problem.start).reshape(-1)
    _check(problem, params, radius, steps, record_every, tolerance, zero_loss, stop_loss, examples)
    sphere = Sphere(problem, included, frozen)
    if not sphere.norm(params).all():
        raise InvalidInput("a start's included parameters are all zero, so they have no direction; start elsewhere")
    params = sphere.onto(params, radius[:, None])
    every = record_every or max(1, steps // 50)
    pieces = torch.arange(len(params)).chunk(math.ceil(len(params) / networks_per_batch(problem)))
    done: list[Descent] = []
    plans: dict[int, Gradient] = {}
    with without_denormals():
        for index in pieces:
            piece = Descent(
                problem,
                sphere,
                optimiser,
                params[index],
                radius[index],
                tangential=tangential,
                stop_loss=stop_loss,
                plans=plans,
            )
            own = None if examples is None else examples[index]
            for step in piece.run(steps, every, own):
                if progress is not None:
                    progress((int(index[0]) + len(index) * step / steps) / len(params))
            done.append(piece)
    return _collected(done, tolerance, zero_loss)


def _collected(done: list[Descent], tolerance: float, zero_loss: float) -> Minima:
    """Join the pieces and judge convergence."""
    params = torch.cat([piece.params for piece in done])
    end, best = (
        {key: np.concatenate([getattr(piece, kind)[key] for piece in done]) for key in MEASURED}
        for kind in ("end", "best")
    )
    steps, change, residual = (
        np.concatenate([getattr(piece, name) for piece in done]) for name in ("steps", "change", "residual")
    )
    loss = end["train", "loss"]
    finite = np.isfinite(loss) & torch.isfinite(params).all(1).cpu().numpy()
    return Minima(
        params=params,
        norms=torch.cat([piece.radius for piece in done]).double().cpu().numpy(),
        end=end,
        best=best,
        steps=steps,
        change=change,
        residual=residual,
        converged=finite & ((loss <= zero_loss) | (np.abs(change) <= tolerance)),
        diverged=~finite,
        cost=Cost(
            gradients=sum(piece.gradients for piece in done), evaluations=sum(piece.evaluations for piece in done)
        ),
    )


def _check(
    problem: Problem,
    params: Tensor,
    radius: Tensor,
    steps: int,
    record_every: int | None,
    tolerance: float,
    zero_loss: float,
    stop_loss: float,
    examples: Tensor | None,
) -> None:
    if params.ndim != 2 or params.shape[1] != problem.size or not len(params):
        raise InvalidInput(f"params have shape {tuple(params.shape)}, expected (networks, {problem.size})")
    if len(radius) != len(params):
        raise InvalidInput(f"norms are {len(radius)}, expected one for each of the {len(params)} networks")
    if not (torch.isfinite(radius) & (radius > 0)).all():
        worst = float(radius[~(radius > 0) | ~torch.isfinite(radius)][0])
        raise InvalidInput(f"norms hold {worst:g}, expected finite positive numbers")
    if not torch.isfinite(params).all():
        raise InvalidInput("params hold NaN or infinite weights; start from finite ones")
    for name, value, least in (("steps", steps, 1), ("record_every", 1 if record_every is None else record_every, 1)):
        if value < least:
            raise InvalidInput(f"{name} is {value}, expected at least {least}")
    for name, bound in (("tolerance", tolerance), ("zero_loss", zero_loss), ("stop_loss", stop_loss)):
        if not bound >= 0:
            raise InvalidInput(f"{name} is {bound}, expected a number that is not negative")
    total = problem.count["train"]
    if examples is not None and examples.numel() and int(examples.max()) >= total:
        raise InvalidInput(
            f"examples hold {int(examples.max())}, expected indices below {total}, the training examples"
        )
    if examples is not None and (not examples.numel() or examples.ndim != 2 or len(examples) != len(params)):
        raise InvalidInput(f"examples have shape {tuple(examples.shape)}, expected ({len(params)}, n)")
