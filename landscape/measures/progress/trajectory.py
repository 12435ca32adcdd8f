"""Progress measures along the checkpoints of a training."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.progress.circuit_losses import logit_frequencies
from grokscape.landscape.measures.progress.context import Context, Estimate, MeasureFunction, NotApplicable
from grokscape.landscape.measures.progress.kernel import tangent_kernel
from grokscape.landscape.measures.progress.registry import MEASURES, Measure
from grokscape.landscape.measures.result import Cost, Result
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.networks import Network, network_of, step_number


@dataclass(frozen=True, kw_only=True)
class Progress(Result):
    """Progress measures of every checkpoint.

    Nothing is iterated until it converges, so there is no flag for that.

    Attributes
    ----------
    steps : ndarray of int, shape (checkpoints,)
    values : dict of str to ndarray, shape (checkpoints,)
        By quantity.
    standard_errors : dict of str to ndarray, shape (checkpoints,)
        Of the quantities that are means over random draws; all others are exact for the data used.
    draws : dict of str to ndarray, shape (checkpoints, draws)
        Of the same quantities.
    quantities : dict of str to tuple of str
        Measure -> the quantities it gives; the first one stands for it in pictures.
    left_out : dict of str to str
        Measure -> what it misses.
    frequencies : tuple of int or None
        The key frequencies, frozen along the trajectory.
    seed : int
    cost : Cost
    """

    steps: np.ndarray
    values: dict[str, np.ndarray]
    standard_errors: dict[str, np.ndarray]
    draws: dict[str, np.ndarray]
    quantities: dict[str, tuple[str, ...]]
    left_out: dict[str, str]
    frequencies: tuple[int, ...] | None
    seed: int
    cost: Cost

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each checkpoint and quantity: step, measure, quantity, value, standard_error.

        The standard error is 0 where the value is exact.
        """
        exact = np.zeros(len(self.steps))
        parts = [
            pd.DataFrame(
                {
                    "step": self.steps,
                    "measure": measure,
                    "quantity": quantity,
                    "value": self.values[quantity],
                    "standard_error": self.standard_errors.get(quantity, exact),
                }
            )
            for measure, names in self.quantities.items()
            for quantity in names
        ]
        return pd.concat(parts, ignore_index=True)


@torch.inference_mode(False)  # gradients are needed, whatever the caller's mode
def progress(
    problem: Problem,
    checkpoints: Mapping[int, Network],
    *,
    measures: Iterable[str | MeasureFunction] | None = None,
    context: Context | None = None,
    progress: Callable[[float], None] | None = None,
) -> Progress:
    """Apply progress measures to the checkpoints of a training.

    Parameters
    ----------
    problem : Problem
    checkpoints : mapping of int to network
        Step -> a vector (P,), a module, or its tensors by name (``state_dict()``), in any order. Modules and state
        dicts are measured with their own buffers and frozen parameters, vectors with the problem's. A checkpoint whose
        weights are not finite has NaN for every quantity, and has no part in what the context is filled up with.
    measures : iterable of str or callable, optional
        Names in `MEASURES`, or functions ``f(problem, vector, context)`` of one's own. By default all that the context
        allows; the result says which were left out, and why.
    context : Context, optional
        Filled up where something follows from the checkpoints: `start` from step 0, `frequencies` from the last
        one.
    progress : callable, optional
        Called with the share done, between 0 and 1.

    Raises
    ------
    InvalidInput
        If there are no checkpoints or all are not finite, a step is no whole number, one does not fit the model, a
        measure is unknown, what the context has does not fit, or a measure that was asked for by name
        misses something (`NotApplicable`).

    Notes
    -----
    The measures' own documentation gives the cost of each. One checkpoint of the one-layer transformer on addition
    modulo 113 (227,000 weights, one core of a processor) took 9 s for the tangent kernel, below 1 s for effective
    sparsity and for the circuit losses, and at most 0.2 s for each of the others. Memory, beside one evaluation: at
    most some 32 parameter vectors (P,) and their graph (there, 0.25 GB in all). Checkpoints are gone through one by
    one.

    Examples
    --------
    >>> from grokscape.landscape import progress
    >>> from grokscape.landscape.measures.examples import classifier
    >>> problem = classifier()
    >>> found = progress(problem, {0: problem.start / 2, 10: problem.start}, measures=["weight_norm"])
    >>> print(found.steps, found.values["weight_norm"].round(4))
    [ 0 10] [0.7071 1.4142]
    """
    networks = _networks(problem, checkpoints)
    finite = {step: found for step, found in networks.items() if bool(torch.isfinite(found[1]).all())}
    if not finite:
        raise InvalidInput(
            f"checkpoint {next(iter(networks))} holds NaN or infinite weights, and so do all others; give some from "
            "before the training diverged"
        )
    chosen = _chosen(measures)
    context, cost = _filled(problem, finite, context or Context(), chosen)
    asked, left_out = measures is not None, {}
    quantities: dict[str, tuple[str, ...]] = {}
    values: dict[str, np.ndarray] = {}
    estimates: dict[str, list[Estimate]] = {}
    for number, measure in enumerate(chosen):
        found: dict[int, Mapping[str, float | Estimate]] = {}
        try:
            for step, (own, vector) in finite.items():
                one = measure.function(own, vector, context)
                found[step] = dict(one) if isinstance(one, Mapping) else {measure.name: one}
                _same_quantities(measure.name, quantities, tuple(found[step]))
                first = next(iter(found[step].values()))
                cost += measure.cost(own, context, first.value if isinstance(first, Estimate) else float(first))
                if progress is not None and len(found) < len(finite):
                    progress((number + len(found) / len(finite)) / len(chosen))
        except NotApplicable as reason:
            if asked:
                raise
            quantities.pop(measure.name, None)
            left_out[measure.name] = str(reason)
        else:
            for quantity in quantities[measure.name]:
                column = [found[step][quantity] if step in found else np.nan for step in networks]
                values[quantity] = np.array([v.value if isinstance(v, Estimate) else float(v) for v in column])
                if known := [value for value in column if isinstance(value, Estimate)]:
                    nothing = Estimate(np.nan, np.nan, np.full_like(known[0].draws, np.nan))
                    estimates[quantity] = [value if isinstance(value, Estimate) else nothing for value in column]
        if progress is not None:
            progress((number + 1) / len(chosen))
    return Progress(
        steps=np.array(list(networks)),
        values=values,
        standard_errors={q: np.array([e.standard_error for e in found]) for q, found in estimates.items()},
        draws={q: np.stack([e.draws for e in found]) for q, found in estimates.items()},
        quantities=quantities,
        left_out=left_out,
        frequencies=None if context.frequencies is None else tuple(int(k) for k in context.frequencies),
        seed=context.seed,
        cost=cost,
    )


def _chosen(measures: Iterable[str | MeasureFunction] | None) -> list[Measure]:
    """Return the measures asked for, functions of one's own among them."""
    if measures is None:
        return list(MEASURES.values())
    chosen: list[Measure] = []
    for wanted in [measures] if isinstance(measures, str) else measures:
        if callable(wanted):
            name = getattr(wanted, "__name__", repr(wanted))
            known = MEASURES.get(name)
            same = known is not None and known.function is wanted
            chosen.append(known if known and same else Measure(name=name, function=wanted, formula="", source=""))
        elif wanted in MEASURES:
            chosen.append(MEASURES[wanted])
        else:
            raise InvalidInput(f"measures hold {wanted!r}, expected some of {', '.join(MEASURES)}, or functions")
    if not chosen:
        raise InvalidInput("measures are empty, expected at least one; leave them out to have all")
    return chosen


def _networks(problem: Problem, checkpoints: Mapping[int, Network]) -> dict[int, tuple[Problem, Tensor]]:
    """Return every checkpoint's own problem and vector, by ascending step."""
    if not isinstance(checkpoints, Mapping) or not checkpoints:
        raise InvalidInput(
            f"checkpoints are {checkpoints!r:.60}, expected a mapping of steps to weights, not empty, such as "
            "{0: first, 100: second}"
        )
    given = {step_number(key): network for key, network in checkpoints.items()}
    if len(given) < len(checkpoints):
        raise InvalidInput("checkpoints hold a step twice, expected one network for each")
    return {step: network_of(problem, given[step], f"checkpoint {step}", finite=False) for step in sorted(given)}


def _filled(
    problem: Problem, networks: Mapping[int, tuple[Problem, Tensor]], context: Context, chosen: list[Measure]
) -> tuple[Context, Cost]:
    """Return the context with what follows from the checkpoints, and what that cost."""
    names, cost, unknown = {measure.name for measure in chosen}, Cost(), float("nan")
    start = networks.get(0) if context.start is None else network_of(problem, context.start, "start")
    if start is not None:
        context = dataclasses.replace(context, start=start[1])
    # A measure that is not available reports that itself, where it is left out or refused.
    if context.frequencies is None and context.space is not None and "circuit_losses" in names:
        with contextlib.suppress(NotApplicable):
            frequencies = logit_frequencies(*networks[max(networks)], context.space)
            context = dataclasses.replace(context, frequencies=frequencies)
            cost += MEASURES["circuit_losses"].cost(problem, context, unknown)
    if context.start_kernel is None and start is not None and "kernel_change" in names:
        with contextlib.suppress(NotApplicable):
            inputs, _ = context.sample(problem)
            context = dataclasses.replace(context, start_kernel=tangent_kernel(*start, inputs))
            cost += MEASURES["kernel_change"].cost(problem, context, unknown)
    return context, cost


def _same_quantities(measure: str, quantities: dict[str, tuple[str, ...]], found: tuple[str, ...]) -> None:
    """Note what a measure gives, and refuse names that it changes or that another measure uses."""
    if measure not in quantities:
        taken = {name for names in quantities.values() for name in names}
        if both := sorted(taken & set(found)):
            raise InvalidInput(f"{measure} gives the quantity {both[0]!r}, which another measure gives; rename it")
        quantities[measure] = found
    elif quantities[measure] != found:
        raise InvalidInput(f"{measure} gives {found} after {quantities[measure]}, expected the same at each checkpoint")
