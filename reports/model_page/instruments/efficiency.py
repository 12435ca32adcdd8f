"""What a weight norm buys: the degree of homogeneity, the margin per norm, and the norm that a loss needs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from grokscape.reports.model_page.instrument import Callback, Effort, Instrument, Panel
from grokscape.reports.model_page.requirements import classification, fresh_models, output_tensor
from grokscape.reports.model_page.summary import Quantity, Summary, warn_unless
from grokscape.reports.numbers import capital, listed, number, share

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from grokscape.landscape.measures.efficiency.degree import Homogeneity
    from grokscape.landscape.measures.efficiency.frontier_result import EfficiencyFrontier
    from grokscape.landscape.measures.efficiency.per_norm import Efficiency
    from grokscape.reports.model_page.subject import Subject


# -- Homogeneity -------------------------------------------------------------------------------------------------------


def _homogeneity(subject: Subject, _effort: Effort, _progress: Callback) -> Homogeneity:
    from grokscape.landscape.measures.efficiency.degree import homogeneity

    return homogeneity(subject.problem)


def _summary_of_homogeneity(result: Homogeneity) -> Summary:
    degree, spread, residual = result.degree[0], result.spread[0], result.residual[0]
    worst = max(residual, result.scaling_residual[0])
    if result.homogeneous[0]:
        sentence = (
            f"The model is homogeneous of degree {number(degree, 3)}: doubling its weights multiplies its outputs by "
            f"{number(2**degree, 3)}."
        )
    else:
        why = f" Without {listed(result.breaking)} it would be." if result.breaking else ""
        sentence = (
            f"The model is not homogeneous: its outputs depart from the nearest degree, {number(degree, 3)}, by "
            f"{100 * worst:.2g} %.{why}"
        )
    return Summary(
        sentence=sentence,
        quantities=(Quantity("κ", degree, spread), Quantity("relative departure", worst)),
        formula="J θ = κ z, by least squares over all outputs z with Jacobian J; checked by z(cθ) = c^κ z(θ) for "
        f"c = {number(result.factor)}",
        units="none",
        error="the standard deviation over examples of their own degrees",
        source="Euler's theorem on homogeneous functions",
        warnings=warn_unless(result.homogeneous[0], "Margin per norm^κ depends on the scale of the weights here."),
    )


# -- Margin per norm ---------------------------------------------------------------------------------------------------


def _margin(subject: Subject, _effort: Effort, _progress: Callback) -> Efficiency:
    from grokscape.landscape.measures.efficiency.per_norm import efficiency

    return efficiency(subject.problem)


def _summary_of_margin(result: Efficiency) -> Summary:
    value, error, margins = result.value[0], result.standard_error[0], result.margin[0]
    wrong = int((margins <= 0).sum())
    fitted = (
        "every training example is right" if not wrong else f"{wrong} of {len(margins)} training examples are wrong"
    )
    return Summary(
        sentence=f"With norm {number(result.norm[0])} the model buys a mean margin of {number(float(margins.mean()))}, "
        f"that is {number(value)} per norm^κ with κ = {number(result.kappa, 3)}; {fitted}.",
        quantities=(Quantity("mean margin / norm^κ", value, error), Quantity("norm", result.norm[0])),
        formula="mean over training examples of z_label − max(other z), divided by |θ|^κ",
        units="of the logits, per unit of norm to the power κ",
        error="the standard error over examples, norm and κ held fixed",
        source="Varma et al. 2023, section 5; Lyu and Li 2020 for the normalised margin",
        arxiv="2309.02390",
        warnings=warn_unless(
            result.homogeneous[0], "The model is not homogeneous, so this value depends on the scale of its weights."
        ),
    )


def _panels_of_margin(result: Efficiency) -> Sequence[Panel]:
    return (partial(_draw_margins, result),)


def _draw_margins(result: Efficiency, axes: Axes) -> Axes:
    """Draw how the examples' margins are spread."""
    import seaborn as sns

    from grokscape.reports.figures.canvas import SERIES, SOFT

    sns.histplot(x=result.margin[0], ax=axes, color=SERIES[0], edgecolor="white", linewidth=0.5)
    axes.axvline(0, color=SOFT, linewidth=0.8)
    axes.axvline(result.margin[0].mean(), color=SERIES[1], label="mean")
    axes.legend()
    axes.set(xlabel="margin, z_label − max(other z)", ylabel="examples", title="Margins of the examples")
    return axes


def _table_of_margin(result: Efficiency) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({"example": np.arange(result.margin.shape[1]), "margin": result.margin[0]})


# -- The norm that memorising and generalising need --------------------------------------------------------------------


def _frontier(subject: Subject, effort: Effort, progress: Callback) -> EfficiencyFrontier:
    """Hold memorising and generalising networks at norms around the present one, on a quarter of the data and more."""
    import torch

    from grokscape.landscape.initialisation import fresh
    from grokscape.landscape.measures.efficiency.frontier import efficiency_frontier

    problem = subject.problem
    norm = float(problem.start.norm())
    start = fresh(problem, effort.seed, subject.initialise)
    losses = problem.evaluate(torch.stack((problem.start, start)))["loss"]
    n = problem.count["train"]
    shares = (0.25, 0.5, 1.0) if effort.quick else (0.125, 0.25, 0.5, 1.0)
    return efficiency_frontier(
        problem,
        sorted({max(2, round(n * share)) for share in shares}),
        np.geomspace(norm / 4, norm * 2, effort.choose(8, 5)),
        level=max(2 * float(losses[0]), float(losses[1]) / 20),
        seeds=range(effort.seed, effort.seed + effort.choose(6, 2)),
        steps=effort.choose(1000, 300),
        initialise=subject.initialise,
        progress=progress,
    )


def _summary_of_frontier(result: EfficiencyFrontier) -> Summary:
    crossing = result.crossing
    resting = result.converged.mean()
    passed = int(result.generalises.any(1).sum())
    return Summary(
        sentence=f"{capital(crossing.sentence())}. In {passed} of {len(result.seeds)} seeds a network generalises "
        f"({result.gate_split} accuracy of {share(result.gate)} or more) at some norm.",
        quantities=(Quantity("critical data size", crossing.estimate, low=crossing.lower, high=crossing.upper),),
        formula=f"D* at which both need the same norm for a training loss of {number(result.level)}: fresh networks on "
        "D random labels, and networks on the true labels",
        units="training examples",
        error=f"{share(crossing.coverage)} interval over seeds"
        if crossing.method != "none"
        else "too few seeds with a crossing in range for an interval",
        source="Varma et al. 2023, section 4",
        arxiv="2309.02390",
        converged=bool(resting == 1.0),
        warnings=warn_unless(resting == 1.0, f"{share(1 - resting)} of the memorising networks had not come to rest."),
    )


HOMOGENEITY = Instrument(
    name="homogeneity",
    title="Homogeneity",
    about="degree of homogeneity κ of the model",
    run=_homogeneity,
    summary=_summary_of_homogeneity,
    requires=(output_tensor,),
    group="efficiency",
    place=20,
)
MARGIN = Instrument(
    name="margin",
    title="Efficiency: margin per norm",
    about="margin per norm^κ",
    run=_margin,
    summary=_summary_of_margin,
    requires=(classification,),
    panels=_panels_of_margin,
    table=_table_of_margin,
    group="efficiency",
    place=21,
)
FRONTIER = Instrument(
    name="frontier",
    title="Efficiency frontier",
    about="norm that memorising and generalising need, by data size",
    run=_frontier,
    summary=_summary_of_frontier,
    requires=(classification, fresh_models),
    group="efficiency",
    on_request=True,
    place=22,
)
