"""Whether a loss depends on what is drawn at random, or on digits that the model drops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem.generators import extremes, generators, put_back, state
from grokscape.landscape.problem.gradient_check import few_examples
from grokscape.landscape.problem.operations import Watched, seeded

if TYPE_CHECKING:
    from grokscape.landscape.problem import Problem

#: Evaluations of a model that draws; of one that draws outside of torch, where no numbers can be put in place of those
#: drawn, there are more.
SEEDS, SEEDS_OUTSIDE = 6, 30


@torch.no_grad()
def need_no_chance(problem: Problem) -> None:
    """Refuse a loss that is random, however seldom, and one that is computed with fewer digits than its parameters.

    Raises
    ------
    InvalidInput
        If so.
    """
    found = generators(problem)
    with put_back(found):
        _need_no_chance(problem, found)


def _need_no_chance(problem: Problem, found: dict[str, Any]) -> None:
    inputs, targets = few_examples(problem)

    def loss() -> float:
        return float(problem.batch_loss(problem.start, inputs, targets))

    values, watched, drawing = [], [Watched(0.0), Watched(1.0)], set()
    for seed, watch in enumerate(watched):
        with seeded(seed, problem.device):
            before = {name: repr(state(generator)) for name, generator in found.items()}
            with watch:
                values.append(loss())
            drawing |= {name for name, generator in found.items() if repr(state(generator)) != before[name]}
    few_digits = {dtype for watch in watched for dtype in watch.dtypes if torch.finfo(dtype).bits < 32}
    if few_digits:
        raise InvalidInput(
            f"the model or the loss computes in {', '.join(sorted(map(str, few_digits)))} internally, in which "
            "curvature and small steps are lost; turn off autocast and casts, for the time of the measurement"
        )
    if drawing or any(watch.drawn for watch in watched):
        for seed in range(2, 2 + (SEEDS_OUTSIDE if drawing else SEEDS)):
            with seeded(seed, problem.device):
                values.append(loss())
    for name in sorted(drawing):
        values += [loss() for _ in extremes(found[name])]
    low, high = min(values), max(values)
    if high - low > 100 * torch.finfo(problem.dtype).eps * max(abs(low), abs(high)):
        source = f", from {', '.join(sorted(drawing))}" if drawing else ""
        raise InvalidInput(
            f"the loss at the same weights and data is between {low:.6g} and {high:.6g}, by what is drawn at random"
            f"{source} (stochastic depth, layer drop, functional dropout, noise); expected one value, so set its rate "
            "to 0, or measure in evaluation mode"
        )
