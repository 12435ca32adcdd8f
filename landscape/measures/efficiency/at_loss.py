"""The norm that a given training loss needs: of the network as it is, and of the best one at each norm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.fits.two_curves import norm_needed
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.efficiency.degree import networks
from grokscape.landscape.measures.efficiency.scale_at_loss import scale_at_loss
from grokscape.landscape.measures.norm_profile.on_sphere import minimise_at_norm
from grokscape.landscape.measures.norm_profile.sphere import Sphere
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.measures.several import with_gaps
from grokscape.landscape.optimisers import AdamW, Optimiser
from grokscape.landscape.problem import Problem

#: Without decay, which would pull against the norm; a large eps, so that vanishing gradients do not become noise.
AT_NORM = AdamW(lr=1e-2, weight_decay=0.0, beta2=0.98, eps=1e-6)


@dataclass(frozen=True, kw_only=True)
class NormAtLoss(Result):
    """The norm at which the training loss is a given level.

    Attributes
    ----------
    level : float
        The training loss.
    norm, loss : array, shape (networks,)
        Of the networks as they are.
    rescaled : array, shape (networks,)
        Norm of the network multiplied by the smallest factor that brings its loss down to the level: its direction is
        kept. NaN where no factor does, as when an example is misclassified.
    optimised : array, shape (networks,)
        Norm at which the smallest loss found over directions is the level, interpolated along `curve_loss`; 0 if the
        smallest norm tried suffices, infinity if none does, NaN if no norms were given.
    curve_norm : array, shape (norms,)
    curve_loss : array, shape (networks, norms)
        Training loss at the end of the optimisation at each norm, started from the network's direction.
    converged : array of bool, shape (networks, norms)
        Whether that optimisation had come to rest.
    cost : Cost
    """

    level: float
    norm: np.ndarray
    loss: np.ndarray
    rescaled: np.ndarray
    optimised: np.ndarray
    curve_norm: np.ndarray
    curve_loss: np.ndarray
    converged: np.ndarray
    cost: Cost

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each network."""
        names = ("norm", "loss", "rescaled", "optimised")
        columns = {name: getattr(self, name) for name in names}
        return pd.DataFrame({"network": np.arange(len(self.norm)), "level": self.level} | columns)


@plain_arguments
@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def norm_at_loss(
    problem: Problem,
    loss: float,
    *,
    params: Tensor | None = None,
    norms: Sequence[float] | np.ndarray | None = None,
    steps: int = 2000,
    optimiser: Optimiser = AT_NORM,
    included: str | Sequence[str] | None = None,
    progress: Callable[[float], None] | None = None,
) -> NormAtLoss:
    """Find the norm that a training loss needs, with directions kept and, if `norms` are given, re-optimised.

    Rescaling: the smallest c with ``L(c theta) = loss``, found by bisection on log c between 1e-4 and 1e4; the norm
    c |theta| is what Varma et al. 2023 (arXiv:2309.02390, section 3) call P, at unit loss scale. Re-optimising:
    ``L*(R) = min over |theta| = R of L`` at every norm R, all at once, then interpolation of its first crossing of the
    level (`grokscape.landscape.fits.two_curves.norm_needed`); nothing is extrapolated.

    Parameters
    ----------
    problem : Problem
    loss : float
        Training loss, positive and below that of the network scaled to nothing.
    params : Tensor, shape (networks, P), optional
        By default the network that the problem starts from. A network whose weights are not finite has NaN for every
        value.
    norms : sequence of float, optional
        At least two ascending norms at which directions are re-optimised. By default none are.
    steps : int
        Of the optimiser at each norm.
    optimiser : Optimiser
    included : str or sequence of str, optional
        Glob patterns of the tensors whose norm counts, and which are scaled; by default all. In re-optimising the
        others are free.
    progress : callable, optional
        Called with the share done.

    Returns
    -------
    NormAtLoss
        At a cost of about a hundred evaluations, and `steps` gradients for each norm, of each network.

    Raises
    ------
    InvalidInput
        If the level is out of range, no norm was found because no factor reaches it and no norms were given, or an
        option does not fit.

    Examples
    --------
    >>> from grokscape.landscape import norm_at_loss
    >>> from grokscape.landscape.measures.examples import classifier  # at a scale c the loss is log(1 + exp(-c))
    >>> print(norm_at_loss(classifier(), 0.1).rescaled.round(3))  # c = -log(exp(0.1) - 1), times the root of 2
    [3.185]
    """
    params = networks(problem, params)
    good = torch.isfinite(params).all(1)
    if not good.all():
        some = norm_at_loss(
            problem,
            loss,
            params=params[good],
            norms=norms,
            steps=steps,
            optimiser=optimiser,
            included=included,
            progress=progress,
        )
        arrays = ("norm", "loss", "rescaled", "optimised", "curve_loss", "converged")
        return with_gaps(some, good.cpu().numpy(), *arrays)
    sphere = Sphere(problem, included)
    norm = sphere.norm(params).squeeze(1).double().cpu()

    def loss_at(scales: Tensor) -> Tensor:
        factor = scales.to(params)[:, None]
        return problem.evaluate(torch.where(sphere.included, params * factor, params))["loss"]

    scales, evaluations = scale_at_loss(loss_at, loss, len(params))
    if norms is None and scales.isnan().all():
        raise InvalidInput(
            f"a training loss of {loss} is not reached by any of the networks at any scale, for rescaling corrects "
            "nothing that they get wrong; choose a higher loss, train them longer, or pass norms= to optimise at each"
        )
    grid = np.array([]) if norms is None else ascending("norms", norms)
    curve, converged = np.empty((len(params), len(grid))), np.empty((len(params), len(grid)), dtype=bool)
    cost = Cost(evaluations=evaluations + len(params))
    if len(grid):
        ends = minimise_at_norm(
            problem,
            params.repeat_interleave(len(grid), 0),
            np.tile(grid, len(params)),
            steps=steps,
            optimiser=optimiser,
            included=included,
            zero_loss=loss / 100,
            progress=progress,
        )
        curve = ends.end["train", "loss"].reshape(len(params), -1)
        converged = ends.converged.reshape(curve.shape)
        cost += ends.cost
    return NormAtLoss(
        level=loss,
        norm=norm.numpy(),
        loss=problem.evaluate(params)["loss"].numpy(),
        rescaled=(scales * norm).numpy(),
        optimised=np.array([norm_needed(grid, line, loss) for line in curve]),
        curve_norm=grid,
        curve_loss=curve,
        converged=converged,
        cost=cost,
    )


def ascending(field: str, values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return at least two ascending positive numbers as an array, or refuse."""
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or len(array) < 2 or not (array > 0).all() or not (np.diff(array) > 0).all():
        raise InvalidInput(f"{field} are {array.tolist()}, expected at least two ascending positive numbers")
    return array
