"""Progress measures along the checkpoints of a training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from grokscape.reports.model_page.instrument import Callback, Effort, Instrument, Panel
from grokscape.reports.model_page.requirements import checkpoints
from grokscape.reports.model_page.summary import Quantity, Summary, warn_unless
from grokscape.reports.numbers import capital, count, listed, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from grokscape.landscape.measures.progress import Progress
    from grokscape.reports.model_page.subject import Subject

#: What the sentence follows, and how it is called there.
_FOLLOWED = {"weight_norm": "the weight norm", "test_loss": "the test loss", "test_accuracy": "test accuracy"}
#: The main numbers.
_MAIN = ("test_accuracy", "weight_norm", "restricted_loss", "kernel_distance")


def _run(subject: Subject, effort: Effort, progress: Callback) -> Progress:
    from grokscape.landscape.measures.progress import Context
    from grokscape.landscape.measures.progress import progress as progress_measures

    context = subject.context or Context(seed=effort.seed, examples=effort.choose(64, 16))
    return progress_measures(subject.problem, dict(subject.checkpoints), context=context, progress=progress)


def _summary(result: Progress) -> Summary:
    from grokscape.landscape.measures.progress import MEASURES

    steps, values = result.steps, result.values
    changes = [
        f"{words} goes from {number(values[name][0], 3)} to {number(values[name][-1], 3)}"
        for name, words in _FOLLOWED.items()
        if name in values and np.isfinite(values[name][[0, -1]]).all()
    ]
    course = listed(changes) if changes else f"{len(values)} quantities were followed"
    measures = [MEASURES[name] for name in result.quantities if name in MEASURES]
    left_out = ", ".join(sorted(result.left_out)).replace("_", " ")
    return Summary(
        sentence=f"From step {steps[0]} to step {steps[-1]}, over {count(len(steps), 'checkpoint')}, {course}."
        + _unmeasured(result),
        quantities=tuple(Quantity(_words(name), float(values[name][-1])) for name in _MAIN if name in values),
        units="the numbers above are those of the last checkpoint",
        error="two standard errors over random draws where a band is drawn, otherwise none but rounding",
        source="; ".join(dict.fromkeys(measure.source.split(",")[0].split(";")[0] for measure in measures)),
        warnings=warn_unless(
            not result.left_out,
            f"Left out: {left_out}; the factory can return 'context', a grokscape.landscape.measures.progress.Context "
            "that says what they need.",
        ),
        terms=tuple((capital(_words(measure.name)), measure.formula) for measure in measures),
    )


def _unmeasured(result: Progress) -> str:
    """Say at which checkpoints nothing could be measured."""
    if not result.values:
        return ""
    nothing = np.isnan(np.stack([np.asarray(values, dtype=float) for values in result.values.values()])).all(0)
    steps = [str(step) for step, lost in zip(result.steps, nothing, strict=True) if lost]
    if not steps:
        return ""
    names = listed(steps[:5] + ([f"{len(steps) - 5} others"] if len(steps) > 5 else []))
    word = "step" if len(steps) == 1 else "steps"
    return f" Nothing could be measured at {word} {names}, where weights are not finite."


def _panels(result: Progress) -> Sequence[Panel]:
    """Draw losses together, accuracies together, and of each other measure its first quantity."""
    performance = result.quantities.get("performance", ())
    pairs = [tuple(name for name in performance if kind in name) for kind in ("loss", "accuracy")]
    others = [(names[0],) for measure, names in result.quantities.items() if measure != "performance"]
    return [partial(_draw_along, result, names) for names in (*pairs, *others) if names]


def _draw_along(result: Progress, quantities: Sequence[str], axes: Axes) -> Axes:
    """Draw quantities along the training, with their nulls, and two standard errors where they have them."""
    from grokscape.reports.figures.canvas import SERIES

    for colour, quantity in zip(SERIES, quantities, strict=False):
        for name, look in ((quantity, "-"), (f"{quantity}_null", "--")):
            if name in result.values:
                axes.plot(result.steps, result.values[name], look, color=colour, marker=".", label=_words(name))
                if name in result.standard_errors:
                    half = 2 * result.standard_errors[name]
                    edges = (result.values[name] - half, result.values[name] + half)
                    axes.fill_between(result.steps, *edges, color=colour, alpha=0.2, linewidth=0)
    if len(axes.lines) > 1:
        axes.legend()
    what = _words(quantities[0]) if len(quantities) == 1 else quantities[0].split("_")[-1]
    axes.set(xlabel="step", ylabel=what, title=what)
    return axes


def _words(name: str) -> str:
    return name.replace("_", " ")


PROGRESS = Instrument(
    name="progress",
    title="Progress measures along the training",
    about="progress measures along checkpoints",
    run=_run,
    summary=_summary,
    requires=(checkpoints,),
    panels=_panels,
    place=50,
)
