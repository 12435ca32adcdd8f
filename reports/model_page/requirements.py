"""Why an instrument cannot be used on a problem: each function returns the reason, or nothing if it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grokscape.landscape.errors import InvalidInput

if TYPE_CHECKING:
    from grokscape.reports.model_page.target import Subject


def no_test(subject: Subject) -> str:
    """Say that there are no test data."""
    return "" if "test" in subject.problem.batches else "it needs test data; return 'test' too"


def no_training(subject: Subject) -> str:
    """Say that there are too few checkpoints."""
    return (
        "" if len(subject.checkpoints) > 1 else "it needs at least two checkpoints of a training; return 'checkpoints'"
    )


def one_tensor(subject: Subject) -> str:
    """Say that outputs are not one tensor."""
    return "" if _outputs(subject) is not None else "it needs a model whose outputs are one tensor"


def classifies(subject: Subject) -> str:
    """Say that this is no classification."""
    outputs = _outputs(subject)
    _, targets = subject.problem.batches["train"][0]
    indices = hasattr(targets, "is_floating_point") and not targets.is_floating_point() and targets.ndim == 1
    if outputs is None or outputs.ndim != 2 or outputs.shape[1] < 2 or not indices:
        return "it needs outputs of shape (n, n_classes) and class indices as targets"
    return ""


def _outputs(subject: Subject) -> Any:
    """Return the outputs on the first batch, or None if they are not one tensor."""
    import torch

    inputs, _ = subject.problem.batches["train"][0]
    with torch.no_grad():  # the whole batch, on whose size a model may insist
        outputs = subject.problem.outputs(subject.problem.start, inputs)
    return outputs if isinstance(outputs, torch.Tensor) else None


def redrawn(subject: Subject) -> str:
    """Say why the model cannot be initialised anew."""
    from grokscape.landscape.initialisation import fresh

    try:
        fresh(subject.problem, 0, subject.initialise)
    except InvalidInput as error:
        return f"it trains fresh models, but {error}"
    return ""


def no_ends(subject: Subject) -> str:
    """Say that there are no two networks."""
    import torch

    from grokscape.landscape.problem.networks import on_one_path

    if subject.other is None and len(subject.checkpoints) < 2:
        return "it needs two networks; return 'other' (a second model) or 'checkpoints' too"
    try:
        _, rows = on_one_path(subject.problem, dict(zip(("a", "b"), ends(subject), strict=True)))
    except InvalidInput as error:
        return f"it needs a path between two networks, but {error}"
    if torch.equal(rows[0], rows[1]):
        return "the two networks that it needs are the same"
    return ""


def ends(subject: Subject) -> tuple[Any, Any]:
    """Return the two networks between which a path is measured."""
    if subject.other is not None:
        return subject.problem.start, subject.other
    return subject.checkpoints[0][1], subject.checkpoints[-1][1]
