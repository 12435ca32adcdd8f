"""What instruments require of what they measure: each function returns why that is not met, or "" if it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from grokscape.landscape.errors import InvalidInput

if TYPE_CHECKING:
    from grokscape.reports.model_page.subject import Subject

Requirement = Callable[["Subject"], str]


def test_data(subject: Subject) -> str:
    """Require test data."""
    return "" if "test" in subject.problem.batches else "it needs test data; return 'test' too"


def checkpoints(subject: Subject) -> str:
    """Require checkpoints of a training, two at least."""
    return (
        "" if len(subject.checkpoints) > 1 else "it needs at least two checkpoints of a training; return 'checkpoints'"
    )


def output_tensor(subject: Subject) -> str:
    """Require a model whose outputs are one tensor."""
    return "" if _outputs(subject) is not None else "it needs a model whose outputs are one tensor"


def classification(subject: Subject) -> str:
    """Require logits, and class indices as targets."""
    outputs = _outputs(subject)
    _, targets = subject.problem.batches["train"][0]
    indices = hasattr(targets, "is_floating_point") and not targets.is_floating_point() and targets.ndim == 1
    if outputs is None or outputs.ndim != 2 or outputs.shape[1] < 2 or not indices:
        return "it needs outputs of shape (n, n_classes) and class indices as targets"
    return ""


def fresh_models(subject: Subject) -> str:
    """Require that the model can be initialised anew."""
    from grokscape.landscape.initialisation import fresh

    try:
        fresh(subject.problem, 0, subject.initialise)
    except InvalidInput as error:
        return f"it trains fresh models, but {error}"
    return ""


def two_networks(subject: Subject) -> str:
    """Require two different networks that a path can join."""
    import torch

    from grokscape.landscape.problem.networks import on_one_path

    if subject.other is None and len(subject.checkpoints) < 2:
        return "it needs two networks; return 'other' (a second model) or 'checkpoints' too"
    try:
        _, params = on_one_path(subject.problem, dict(zip(("a", "b"), subject.path_ends, strict=True)))
    except InvalidInput as error:
        return f"it needs a path between two networks, but {error}"
    if torch.equal(params[0], params[1]):
        return "the two networks that it needs are the same"
    return ""


def _outputs(subject: Subject) -> Any:
    """Return the outputs on the first batch, or None if they are not one tensor."""
    import torch

    inputs, _ = subject.problem.batches["train"][0]
    with torch.no_grad():  # the whole batch, on whose size a model may insist
        outputs = subject.problem.outputs(subject.problem.start, inputs)
    return outputs if isinstance(outputs, torch.Tensor) else None
