"""The loss along a random direction, and on a random plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from grokscape.reports.model_page.instrument import Callback, Effort, Instrument
from grokscape.reports.model_page.summary import Quantity, Summary
from grokscape.reports.numbers import number

if TYPE_CHECKING:
    from grokscape.landscape.measures.paths.slices import Plane, Slice
    from grokscape.reports.model_page.subject import Subject


def _line(subject: Subject, effort: Effort, progress: Callback) -> Slice:
    from grokscape.landscape.measures.paths.slices import line_slice

    return line_slice(subject.problem, effort.seed, points=effort.choose(51, 21), progress=progress)


def _plane(subject: Subject, effort: Effort, progress: Callback) -> Plane:
    from grokscape.landscape.measures.paths.slices import plane_slice

    seeds = (effort.seed, effort.seed + 1)
    return plane_slice(subject.problem, seeds, points=effort.choose(31, 15), progress=progress)


def _summary_of_line(result: Slice) -> Summary:
    middle = int(np.abs(result.offsets).argmin())
    lowest = int(np.nanargmin(result.train_loss))
    here = result.train_loss[middle]
    where = (
        "lies here, at the middle"
        if lowest == middle
        else f"lies at offset {number(result.offsets[lowest], 3)}, at {number(result.train_loss[lowest])}"
    )
    ends = (result.train_loss[0], result.train_loss[-1])
    sentence = (
        f"The training loss is {number(here)} here and rises to {number(ends[0])} and {number(ends[1])} at the two "
        f"ends of the line; its lowest value on it {where}."
        if min(ends) > here
        else f"The training loss is {number(here)} here, {number(ends[0])} and {number(ends[1])} at the two ends of "
        f"the line; its lowest value on it {where}."
    )
    if not np.isnan(result.test_loss).all():
        best = int(np.nanargmin(result.test_loss))
        at = number(result.offsets[best], 3)
        sentence += f" The test loss is {number(result.test_loss[middle])} here and lowest at offset {at}."
    return Summary(
        sentence=sentence,
        quantities=(
            Quantity("loss here", here),
            Quantity("curvature along it", result.curvature[middle], result.curvature_error[middle]),
        ),
        formula="L(θ + s d) with a Gaussian direction d, each filter of it scaled to the norm of the model's own; "
        "curvature is the second difference in s",
        units="the loss's own; s counts lengths of d",
        error="a third of the change when the spacing is doubled, and rounding",
        source="Li et al. 2018, section 4",
        arxiv="1712.09913",
    )


def _summary_of_plane(result: Plane) -> Summary:
    middle = (int(np.abs(result.first).argmin()), int(np.abs(result.second).argmin()))
    finite = result.train_loss[np.isfinite(result.train_loss)]
    here = result.train_loss[middle]
    lower = float((finite < here).mean())
    return Summary(
        sentence=f"On a random plane of side {number(np.ptp(result.first))} the training loss ranges from "
        f"{number(finite.min())} to {number(finite.max())}; it is {number(here)} here, and lower than that on "
        f"{100 * lower:.3g} % of the plane.",
        quantities=(Quantity("loss here", here), Quantity("share of the plane that is lower", lower)),
        formula="L(θ + a d₁ + b d₂) with two Gaussian directions, each filter scaled to the norm of the model's own",
        units="the loss's own",
        error=f"none but rounding; the cosine between the directions is {number(result.cosine, 2)}",
        source="Li et al. 2018, section 4",
        arxiv="1712.09913",
    )


LINE = Instrument(
    name="line",
    title="Slice along a random direction",
    about="loss along a random direction",
    run=_line,
    summary=_summary_of_line,
    group="slices",
    place=30,
)
PLANE = Instrument(
    name="plane",
    title="Slice on a random plane",
    about="loss on a random plane",
    run=_plane,
    summary=_summary_of_plane,
    group="slices",
    place=31,
)
