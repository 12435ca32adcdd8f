"""Train and test loss over the weight norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from grokscape.reports.model_page.instrument import Callback, Effort, Instrument
from grokscape.reports.model_page.requirements import fresh_models, test_data
from grokscape.reports.model_page.summary import Quantity, Summary, warn_unless
from grokscape.reports.numbers import count

if TYPE_CHECKING:
    from grokscape.landscape.measures.norm_profile.result import NormProfile
    from grokscape.reports.model_page.subject import Subject


def _run(subject: Subject, effort: Effort, progress: Callback) -> NormProfile:
    from grokscape.landscape.measures.norm_profile.profile import norm_profile
    from grokscape.landscape.optimisers import AdamW

    options: dict[str, Any] = {}
    if effort.quick:  # fewer norms, and larger steps than those published
        options = {"scales": 10.0 ** np.linspace(-1, 1, 7), "steps": 1000}
        options["optimiser"] = AdamW(lr=1e-2, weight_decay=0.0, beta2=0.999)
    return norm_profile(
        subject.problem,
        seeds=range(effort.seed, effort.seed + 4),
        initialise=subject.initialise,
        progress=progress,
        **options,
    )


def _summary(result: NormProfile) -> Summary:
    train, test, critical = result.shape("train"), result.shape("test"), result.critical_norm()
    seeds = len(result.seeds)
    kept = int(result.converged[-1].sum())
    where = Quantity("critical norm / initial", critical.estimate, low=critical.low, high=critical.high)
    if np.isfinite(critical.estimate):
        minimum = f"; its minimum lies at {where.text} times the initial norm"
    else:
        inside = int(np.isfinite(critical.seeds).sum())
        minimum = f"; in {inside} of {seeds} seeds its minimum lies inside the norms measured"
    agree = f"; {round(test.agreement * seeds)} of {seeds} seeds agree" if test.kind != "neither" else ""
    return Summary(
        sentence=f"The training loss {_shape(train.kind)}. The test loss {_shape(test.kind)}{minimum}{agree}.",
        quantities=(
            Quantity("shape of training and test loss", np.nan, word=f"{train.kind}, {test.kind}"),
            where,
        ),
        formula="L_train and L_test of θ*(w) = argmin L_train(θ) subject to |θ| = w, by Adam on the sphere; L: falls, "
        "then is flat; U: rises on both sides of its minimum, by a factor of 2 or more",
        units="the loss's own; norms in multiples of each seed's initial norm",
        error=f"95 % t interval over {count(seeds, 'seed')} (initialisations) of the parabola's vertex",
        source="Liu, Michaud and Tegmark 2023 (Omnigrok)",
        arxiv="2210.01117",
        converged=bool(result.converged.all()),
        warnings=(
            *warn_unless(
                kept == seeds * len(result.scales),
                f"{kept} of {seeds * len(result.scales)} networks came to rest; the others are crosses in the figure, "
                "and take no part in shape or minimum.",
            ),
            *warn_unless(train.kind != "neither", f"Training loss: {train.reason}."),
            *warn_unless(test.kind != "neither", f"Test loss: {test.reason}."),
        ),
    )


def _shape(kind: str) -> str:
    return {"L": "has an L", "U": "has a U", "flat": "is flat"}.get(kind, "has neither an L nor a U that is certain")


NORM_PROFILE = Instrument(
    name="norm-profile",
    title="Loss over the weight norm",
    about="train and test loss over the weight norm: is there an L and a U?",
    run=_run,
    summary=_summary,
    requires=(test_data, fresh_models),
    place=0,
)
