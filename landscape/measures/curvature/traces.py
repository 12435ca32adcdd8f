"""The traces of curvature matrices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import torch
from scipy import stats

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.arguments import plain_arguments
from grokscape.landscape.measures.curvature.curvature import Curvature, Kind
from grokscape.landscape.measures.curvature.operator import Operator
from grokscape.landscape.measures.curvature.trace_estimators import (
    Draw,
    Estimate,
    Tick,
    draws,
    hutch_plus_plus,
    hutchinson,
    xtrace,
)
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.measures.several import Networks, of_networks
from grokscape.landscape.problem import Problem

Method = Literal["xtrace", "hutch++", "hutchinson", "exact"]

ESTIMATORS = {"xtrace": xtrace, "hutch++": hutch_plus_plus, "hutchinson": hutchinson}

#: The fewest matvecs from which every estimator can estimate its own error.
FEWEST = 6


@dataclass(frozen=True, kw_only=True)
class Trace(Result):
    """The traces of one or several networks' curvature matrices.

    Attributes
    ----------
    estimate : array, shape (networks,)
    standard_error : array, shape (networks,)
        0 if `exact`.
    degrees_of_freedom : array, shape (networks,)
        Of the standard error; infinite if `exact`.
    samples : array, shape (networks, n)
        Their mean over n is the estimate; the diagonal of the matrix, of which it is the sum, if `exact`.
    method : str
        The method used: "exact" also where the budget allowed it.
    exact : bool
        Whether the diagonal was computed, so that nothing is random.
    kind, split, budget, seed
        How it was measured.
    cost : Cost
        All networks together.
    """

    estimate: np.ndarray
    standard_error: np.ndarray
    degrees_of_freedom: np.ndarray
    samples: np.ndarray
    method: Method
    exact: bool
    kind: Kind
    split: str
    budget: int
    seed: int
    cost: Cost

    @property
    def converged(self) -> np.ndarray:
        """Whether the estimate is finite, shape (networks,): nothing is iterated."""
        return np.isfinite(self.estimate)

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the confidence interval, each of shape (networks,).

        Parameters
        ----------
        level : float
            Between 0 and 1. Intervals are for each network alone, and networks share their random probes.
        """
        if not 0 < level < 1:
            raise InvalidInput(f"level is {level}, expected a number between 0 and 1 such as 0.95")
        reach = stats.t.ppf(0.5 + level / 2, self.degrees_of_freedom) * self.standard_error
        return self.estimate - reach, self.estimate + reach

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each network, with its 95 % interval."""
        lower, upper = self.interval()
        return pd.DataFrame(
            {
                "network": np.arange(len(self.estimate)),
                "trace": self.estimate,
                "standard_error": self.standard_error,
                "lower": lower,
                "upper": upper,
                "method": self.method,
            }
        )


@plain_arguments
@of_networks("estimate", "standard_error", "degrees_of_freedom", "samples")
@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def trace(
    problem: Problem,
    *,
    method: Method = "xtrace",
    budget: int = 100,
    params: Networks | None = None,
    kind: Kind = "hessian",
    split: str = "train",
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Trace:
    """Measure the trace ``sum_i A_ii`` of the Hessian or Gauss-Newton matrix.

    Parameters
    ----------
    problem : Problem
    method : {"xtrace", "hutch++", "hutchinson", "exact"}
        XTrace (Epperly, Tropp and Webber 2024) has the least error as a rule. Hutch++ (Meyer et al. 2021) is simpler;
        Hutchinson (1989) needs no memory, and is the best choice for a matrix that is nearly diagonal. All are
        unbiased. See `grokscape.landscape.measures.curvature.trace_estimators` for their standard errors. "exact" sums
        the diagonal.
    budget : int
        Matrix-vector products (matvecs) for each network, at least 6. If it reaches P, the method is "exact".
    params : Tensor of shape (networks, P), or sequence of networks, optional
        Checkpoints of one architecture, measured side by side; by default the problem's own parameters. Modules and
        state dicts are measured with their own buffers and frozen parameters, one by one. A network whose curvature is
        not finite has NaN for every value.
    kind : {"hessian", "gauss_newton"}
    split : {"train", "test"}
    seed : int
        Draws the random probes, the same for every network.
    progress : callable, optional
        Receives the share of the matvecs that is done.

    Returns
    -------
    Trace
        Costs at most `budget` matvecs for each network, P if "exact". For each network XTrace holds up to 2.5
        ``budget * P`` numbers of eight bytes, Hutch++ up to 1.6 ``budget * P`` (measured); XTrace also works for about
        ``budget^4 / 8`` multiplications.

    Raises
    ------
    InvalidInput
        If the method is not known or the budget too small to estimate an error.

    Examples
    --------
    >>> from grokscape.landscape import trace
    >>> from grokscape.landscape.measures.examples import bowl  # L = (3 a^2 + b^2) / 2
    >>> found = trace(bowl())  # two matvecs suffice to sum the diagonal
    >>> print(found.estimate, found.method)
    [4.] exact
    """
    if method not in (*ESTIMATORS, "exact"):
        raise InvalidInput(f"method is {method!r}, expected 'xtrace', 'hutch++', 'hutchinson' or 'exact'")
    if budget < FEWEST and method != "exact":
        raise InvalidInput(
            f"budget is {budget}, expected at least {FEWEST} matvecs, from fewer the error cannot be estimated"
        )
    curvature = Curvature(problem, params, kind=kind, split=split)
    exact = method == "exact" or budget >= problem.size
    total = problem.size if exact else budget

    def tick() -> None:
        if progress is not None:
            progress(min(curvature.matvecs / (total * curvature.count), 1.0))

    estimator = _diagonal if exact else ESTIMATORS[method]
    found = estimator(curvature, draws(curvature, seed), total, tick)
    return Trace(
        estimate=found.value.cpu().numpy(),
        standard_error=found.standard_error.cpu().numpy(),
        degrees_of_freedom=found.degrees_of_freedom.cpu().numpy(),
        samples=found.samples.cpu().numpy(),
        method="exact" if exact else method,
        exact=exact,
        kind=kind,
        split=split,
        budget=budget,
        seed=seed,
        cost=curvature.cost,
    )


def _diagonal(operator: Operator, draw: Draw, budget: int, tick: Tick) -> Estimate:
    """Return the exact traces by P matvecs, keeping no matrix; nothing is drawn."""
    del draw, budget
    entries = []
    for index in range(operator.size):
        unit = torch.zeros(operator.count, operator.size, dtype=operator.dtype, device=operator.device)
        unit[:, index] = 1.0
        entries.append(operator.matvec(unit)[:, index].double())
        tick()
    diagonal = torch.stack(entries, 1)
    value = diagonal.sum(1)
    return Estimate(value, torch.zeros_like(value), torch.full_like(value, torch.inf), diagonal)
