"""The field's measures of sharpness, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.curvature.curvature import Curvature
from grokscape.landscape.measures.curvature.eigenvalues import measured, top_eigenvalues
from grokscape.landscape.measures.curvature.lanczos import start_vectors
from grokscape.landscape.measures.curvature.operator import Rescaled
from grokscape.landscape.measures.curvature.restarted import largest
from grokscape.landscape.measures.curvature.traces import trace
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.measures.several import Networks, of_networks
from grokscape.landscape.measures.sharpness.worst_case import Rise, ascend_in_ball, ascend_in_box, step_in_ball
from grokscape.landscape.problem import Problem

#: Every form; see `sharpness`.
FORMS = (
    "lambda_max",
    "trace",
    "keskar",
    "sam_step",
    "sam",
    "adaptive_step",
    "adaptive",
    "adaptive_lambda_max",
    "norm_normalised",
)

#: Forms that are the highest loss found, so that the true value may be larger.
LOWER_BOUNDS = ("keskar", "sam_step", "sam", "adaptive_step", "adaptive")


@dataclass(frozen=True, kw_only=True)
class Sharpness(Result):
    """Several forms of sharpness of one or several networks.

    Attributes
    ----------
    forms : tuple of str
    value : array, shape (forms, networks)
    error : array, shape (forms, networks)
        Standard error of the trace; residual of an eigenvalue; of a lower bound, how much more a linear loss would
        rise, and the rounding of the losses' difference. Each in the units of its value.
    converged : array of bool, shape (forms, networks)
        Whether the error is within the tolerance, and no more than a tenth of a rise may be rounding; for the trace,
        which is an average, always if it is finite.
    lower_bound : array of bool, shape (forms,)
        Whether the true value may be larger, even where the ascent has converged: to a local maximum.
    costs : tuple of Cost, one for each form
        All networks together. What two forms share is counted at the first of them.
    split, seed
        How it was measured.
    cost : Cost
        All forms together.
    """

    forms: tuple[str, ...]
    value: np.ndarray
    error: np.ndarray
    converged: np.ndarray
    lower_bound: np.ndarray
    costs: tuple[Cost, ...]
    split: str
    seed: int
    cost: Cost

    def of(self, form: str) -> np.ndarray:
        """Return the values of one form, shape (networks,)."""
        if form not in self.forms:
            raise InvalidInput(f"form is {form!r}, expected one of those measured: {', '.join(self.forms)}")
        return self.value[self.forms.index(form)]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each form and network; costs are a network's share."""
        networks = self.value.shape[1]
        return pd.DataFrame(
            {
                "form": np.repeat(self.forms, networks),
                "network": np.tile(np.arange(networks), len(self.forms)),
                "value": self.value.ravel(),
                "error": self.error.ravel(),
                "converged": self.converged.ravel(),
                "lower_bound": np.repeat(self.lower_bound, networks),
                "gradients": np.repeat([cost.gradients / networks for cost in self.costs], networks),
                "matvecs": np.repeat([cost.matvecs / networks for cost in self.costs], networks),
            }
        )


@plain_arguments
@of_networks("value", "error", "converged", axis=1)
@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def sharpness(
    problem: Problem,
    *,
    forms: Sequence[str] = FORMS,
    params: Networks | None = None,
    split: str = "train",
    seed: int = 0,
    radius: float = 0.05,
    adaptive_radius: float = 0.5,
    box: float = 1e-3,
    subspace: int | None = None,
    budget: int = 100,
    iterations: int = 100,
    tolerance: float = 1e-5,
    progress: Callable[[float], None] | None = None,
) -> Sharpness:
    """Measure sharpness in the forms that the field uses.

    With the Hessian H at theta and ``T = diag |theta|``:

    - ``lambda_max``: the largest (algebraic) eigenvalue of H.
    - ``trace``: the trace of H, by XTrace.
    - ``keskar``: ``100 (max_y L(theta + A y) - L) / (1 + L)`` over ``|y_i| <= box (|(A^+ theta)_i| + 1)``, A the
      identity or a random subspace (Keskar et al. 2017, metric 2.1).
    - ``sam``: ``max L(theta + e) - L`` over ``|e| <= radius``; ``sam_step``: at ``e = radius g / |g|``, the first-order
      solution (Foret et al. 2021, equation 2).
    - ``adaptive``: the same over ``|T^-1 e| <= adaptive_radius``; ``adaptive_step``: at its first-order solution (Kwon
      et al. 2021). ``adaptive_lambda_max``: the largest eigenvalue of ``T H T``.
    - ``norm_normalised``: ``lambda_max |theta|^2``.

    A ReLU network whose layers are multiplied by c and 1 / c is the same function, and the adaptive forms do not
    change; all others do (Dinh et al. 2017). ``norm_normalised`` does not change with the length of theta where the
    loss does not.

    Parameters
    ----------
    problem : Problem
    forms : sequence of str
        Some of the above.
    params : Tensor of shape (networks, P), or sequence of networks, optional
        By default the problem's own parameters. Modules and state dicts are measured with their own buffers and frozen
        parameters, one by one. A network whose loss is not finite has NaN for every form.
    split : {"train", "test"}
    seed : int
        Draws starts, probes and the random subspace, the same for every network.
    radius, adaptive_radius, box : float
        Sizes of the neighbourhoods.
    subspace : int, optional
        Dimension of a random subspace for ``keskar``; by default the full space.
    budget : int
        Matvecs for the trace.
    iterations : int
        Most steps of each ascent.
    tolerance : float
        Of an ascent: on what a linear loss would still gain, as a share of the rise. Near a maximum the rise itself
        may lack more, by the ratio of curvature to its differences.
    progress : callable, optional
        Receives the share of the forms that is done.

    Returns
    -------
    Sharpness
        Costs up to about ``2 iterations`` gradients for each ascent, and some hundred matvecs for each eigenvalue.

    Raises
    ------
    InvalidInput
        If a form is not known, or a number not positive.

    Examples
    --------
    >>> from grokscape.landscape import sharpness
    >>> from grokscape.landscape.measures.examples import bowl  # L = (3 a^2 + b^2) / 2, at a = 1 and b = 2
    >>> found = sharpness(bowl(), forms=("lambda_max", "trace", "sam_step"), radius=0.1)
    >>> print(found.to_frame()[["form", "value"]].round(3).to_string(index=False))
          form  value
    lambda_max  3.000
         trace  4.000
      sam_step  0.372
    """
    unknown = [form for form in forms if form not in FORMS]
    if unknown or not forms:
        raise InvalidInput(f"forms hold {unknown[0] if unknown else 'nothing'!r}, expected some of {', '.join(FORMS)}")
    numbers = {"radius": radius, "adaptive_radius": adaptive_radius, "box": box, "iterations": iterations}
    for name, number in (numbers | {"tolerance": tolerance, "subspace": 1 if subspace is None else subspace}).items():
        if not 0 < number < np.inf:
            raise InvalidInput(f"{name} is {number}, expected a positive number")
    if split not in ("train", "test"):
        raise InvalidInput(f"split is {split!r}, expected 'train' or 'test'")
    matrix = Curvature(problem, params, split=split)
    networks, eps = matrix.params, torch.finfo(problem.dtype).eps
    one, magnitude = torch.ones_like(networks), networks.abs()
    top: list[Measured] = []

    def lambda_max() -> Measured:
        if not top:
            found = top_eigenvalues(problem, 1, params=networks, split=split, seed=seed)
            top.append((found.values[:, 0], found.residuals[:, 0], found.converged[:, 0], found.cost))
            return top[0]
        return *top[0][:3], Cost()

    def averaged() -> Measured:
        found = trace(problem, params=networks, split=split, budget=budget, seed=seed)
        return found.estimate, found.standard_error, np.isfinite(found.estimate), found.cost

    def rise(found: Rise, factor: np.ndarray | float = 1.0) -> Measured:
        error = factor * (found.gap + found.rounding(eps))
        return factor * found.value, error, found.converged(tolerance, eps), found.cost

    def keskar() -> Measured:
        found = ascend_in_box(problem, networks, box, split, subspace=subspace, iterations=iterations, seed=seed)
        return rise(found, 100 / (1 + found.loss))

    def norm_normalised() -> Measured:
        value, residual, converged, cost = lambda_max()
        factor = networks.double().square().sum(1).cpu().numpy()
        return factor * value, factor * residual, converged, cost

    def in_ball(scale: Tensor, size: float) -> Measured:
        options = {"iterations": iterations, "tolerance": tolerance, "seed": seed}
        return rise(ascend_in_ball(problem, networks, scale, size, split, **options))  # type: ignore[arg-type]

    measure: dict[str, Callable[[], Measured]] = {
        "lambda_max": lambda_max,
        "trace": averaged,
        "keskar": keskar,
        "sam_step": lambda: rise(step_in_ball(problem, networks, one, radius, split)),
        "sam": lambda: in_ball(one, radius),
        "adaptive_step": lambda: rise(step_in_ball(problem, networks, magnitude, adaptive_radius, split)),
        "adaptive": lambda: in_ball(magnitude, adaptive_radius),
        "adaptive_lambda_max": lambda: _adaptive_lambda_max(matrix, seed),
        "norm_normalised": norm_normalised,
    }
    found = []
    for number, form in enumerate(forms):
        found.append(measure[form]())
        if progress is not None:
            progress((number + 1) / len(forms))
    value, error, converged = (np.stack(parts) for parts in list(zip(*found, strict=True))[:3])
    costs = tuple(each[3] for each in found)
    return Sharpness(
        forms=tuple(forms),
        value=value,
        error=error,
        converged=converged,
        lower_bound=np.array([form in LOWER_BOUNDS for form in forms]),
        costs=costs,
        split=split,
        seed=seed,
        cost=sum(costs, Cost()),
    )


#: Value, error, converged, each (networks,), and the cost of all networks.
Measured = tuple[np.ndarray, np.ndarray, np.ndarray, Cost]


def _adaptive_lambda_max(matrix: Curvature, seed: int, tolerance: float = 1e-6) -> Measured:
    rescaled = Rescaled(matrix, matrix.params.abs())
    ritz = largest(rescaled, start_vectors(rescaled, seed), 1, tolerance=tolerance, max_matvecs=2000)
    value, _, residual, converged = measured(rescaled, ritz, tolerance)
    return value[:, 0], residual[:, 0], converged[:, 0], Cost(matvecs=ritz.matvecs + matrix.count)
