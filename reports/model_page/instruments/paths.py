"""Paths between two networks, and the barrier on them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from grokscape.reports.model_page.instrument import Callback, Effort, Instrument, Panel
from grokscape.reports.model_page.requirements import two_networks
from grokscape.reports.model_page.summary import Quantity, Summary, warn_unless
from grokscape.reports.numbers import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from grokscape.landscape.measures.paths.bent import LowLossPath
    from grokscape.landscape.measures.paths.straight import Path
    from grokscape.reports.model_page.subject import Subject


def _straight(subject: Subject, effort: Effort, progress: Callback) -> Path:
    from grokscape.landscape.measures.paths.straight import interpolate

    return interpolate(subject.problem, *subject.path_ends, points=effort.choose(51, 21), progress=progress)


def _bent(subject: Subject, effort: Effort, progress: Callback) -> LowLossPath:
    from grokscape.landscape.measures.paths.bent import low_loss_path

    steps = effort.choose(500, 100)
    return low_loss_path(subject.problem, *subject.path_ends, steps=steps, seed=effort.seed, progress=progress)


def _summary_of_straight(result: Path) -> Summary:
    return Summary(
        sentence=_barrier(result, "the straight line"),
        quantities=(Quantity("barrier", result.barrier, low=result.barrier, high=result.barrier_bound),),
        formula="max over t of f(t) − ((1 − t) f(0) + t f(1)) with f(t) = L(γ(t)), γ straight",
        units="the loss's own",
        error=_error(result),
        source="Frankle et al. 2020, section 2",
        arxiv="1912.05671",
        converged=bool(result.converged),
        warnings=_warnings(result),
    )


def _summary_of_bent(result: LowLossPath) -> Summary:
    longer = number(result.length / result.distance, 3)
    return Summary(
        sentence=_barrier(result, f"a bent path {longer} times as long as the straight line"),
        quantities=(Quantity("barrier", result.barrier, low=result.barrier, high=result.barrier_bound),),
        formula="max over t of f(t) − ((1 − t) f(0) + t f(1)) with f(t) = L(γ(t)), γ a Bézier curve whose inner point "
        "is trained",
        units="the loss's own",
        error=_error(result),
        source="Garipov et al. 2018",
        arxiv="1802.10026",
        converged=bool(result.converged and result.settled),
        warnings=(
            *_warnings(result),
            *warn_unless(result.settled, "The path had not come to rest: more steps may find a lower one."),
        ),
    )


def _barrier(result: Path, path: str) -> str:
    """Say whether there is a barrier, and how the loss changes from one network to the other."""
    bound = result.barrier_bound
    between = f"its height lies between {number(result.barrier)} and {number(bound)}"
    if bound <= result.tolerance:
        barrier = f"There is no barrier on {path}: its height is at most {number(bound, 3)}"
    elif result.barrier > min(result.tolerance, bound / 2):
        barrier = f"There is a barrier on {path}: {between}"
    else:
        barrier = f"Whether there is a barrier on {path} is not settled: {between}"
    rise = f"rises by {number(result.largest_rise, 3)} at most" if result.largest_rise > 0 else "never rises"
    return f"{barrier}. From the first network to the second the training loss {rise}."


def _error(result: Path) -> str:
    bound = (
        "a bound on the curvature that was given" if result.rigorous else "the curvature at those points, an estimate"
    )
    return f"measured at the points sampled from below; from above by {bound}"


def _warnings(result: Path) -> tuple[str, ...]:
    return warn_unless(result.converged, "The bounds on the barrier lie further apart than was asked for.")


def _panels(result: Path) -> Sequence[Panel]:
    return (partial(_draw, result),)


def _draw(result: Path, axes: Axes) -> Axes:
    """Draw the loss on the path, with the bounds on the barrier as the page writes numbers."""
    drawn = result.plot(axes)
    drawn.set_title(f"Barrier between {number(result.barrier, 3)} and {number(result.barrier_bound, 3)}")
    return drawn


STRAIGHT_PATH = Instrument(
    name="straight-path",
    title="Straight path to the second network",
    about="loss on the straight line to a second network",
    run=_straight,
    summary=_summary_of_straight,
    requires=(two_networks,),
    panels=_panels,
    group="paths",
    place=40,
)
LOW_LOSS_PATH = Instrument(
    name="low-loss-path",
    title="Path of low loss to the second network",
    about="a bent path of low loss to it",
    run=_bent,
    summary=_summary_of_bent,
    requires=(two_networks,),
    panels=_panels,
    group="paths",
    place=41,
)
