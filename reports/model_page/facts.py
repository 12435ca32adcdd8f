"""What the page says about the model and the data, before anything is measured."""

from __future__ import annotations

import math

from grokscape.landscape.errors import InvalidInput
from grokscape.reports.model_page.subject import Subject
from grokscape.reports.model_page.target import one_line
from grokscape.reports.numbers import count, number

#: Names of parameters that are shown.
NAMES = 12


def facts(subject: Subject) -> list[tuple[str, str]]:
    """Return terms and texts about a subject.

    Raises
    ------
    InvalidInput
        If the model and the loss fail on some of the data.
    """
    problem = subject.problem
    dtype = str(problem.dtype).replace("torch.", "")
    names = problem.layout.names
    found = [
        ("Model", subject.model),
        ("Parameters", f"{problem.size:,} that vary, in {count(len(names), 'tensor')}; {dtype}"),
        ("Names", ", ".join(names[:NAMES]) + (", …" if len(names) > NAMES else "")),
        ("Norm", number(float(problem.start.double().norm()))),
        *((f"{split.capitalize()} data", _performance(subject, split)) for split in problem.batches),
    ]
    if "test" not in problem.batches:
        found.append(("Test data", "none"))
    if subject.checkpoints:
        steps = [step for step, _ in subject.checkpoints]
        found.append(("Checkpoints", f"{len(steps)}: {steps[0]} to {steps[-1]}"))
    if subject.other is not None or len(subject.checkpoints) > 1:
        ends = "the model and 'other'" if subject.other is not None else "the first and the last checkpoint"
        found.append(("Paths lead", f"between {ends}"))
    return [*found, ("Device", str(problem.device))]


def _performance(subject: Subject, split: str) -> str:
    """Return how many examples a split has, and the loss and accuracy on them."""
    problem = subject.problem
    try:
        found = problem.evaluate(problem.start[None], split)
    except Exception as error:
        raise InvalidInput(
            f"the model and the loss of {subject.target} do not work on its {split} data ({one_line(error)}); call "
            "loss(model(inputs), targets) on them"
        ) from error
    loss, accuracy = (float(found[name][0]) for name in ("loss", "accuracy"))
    n = problem.count[split]
    examples = f"{n:,} example" + ("" if n == 1 else "s")
    return f"{examples}: loss {number(loss)}" + ("" if math.isnan(accuracy) else f", accuracy {number(accuracy)}")
