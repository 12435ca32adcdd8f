"""Whether a loss is the mean over examples that it must be, found out by giving it parts of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from grokscape.landscape.classification import class_axes
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem.batches import length, part
from grokscape.landscape.problem.containers import each_tensor, tensors

if TYPE_CHECKING:
    from grokscape.landscape.problem import Problem


def need_mean(loss: Any, n: int) -> None:
    """Refuse what is neither a scalar nor one value for each example."""
    if not isinstance(loss, Tensor) or not loss.is_floating_point() or tuple(loss.shape) not in {(), (n,)}:
        found = f"shape {tuple(loss.shape)} and {loss.dtype}" if isinstance(loss, Tensor) else f"{loss!r:.60}"
        raise InvalidInput(
            f"loss returned {found} on {n} examples, expected a scalar, or one value for each example: shape ({n},)"
        )


def need_no_sum(problem: Problem, loss: Tensor, outputs: Any, targets: Any) -> None:
    """Refuse a scalar that doubles with the data: the mean over batches would be taken of sums."""
    if loss.ndim:
        return
    summed = problem.weighing.reduction == "sum"
    if loss and not summed:
        try:
            twice = problem.raw_loss(*each_tensor(lambda leaf: torch.cat([leaf, leaf]), (outputs, targets)))
        except Exception:  # a loss may insist on its batch, or outputs not be batches
            return
        summed = abs(float(twice) / float(loss) - 2) < torch.finfo(problem.dtype).eps ** 0.5
    if summed:
        raise InvalidInput(
            "the loss doubles when its batch is repeated, so it is a sum over examples, expected their mean or one "
            "value for each; use reduction='mean' or 'none'"
        )


def need_equal_weights(problem: Problem, split: str) -> None:
    """Refuse a scalar of unknown kind that weighs examples unequally: its mean depends on how the data are cut.

    On every batch it must be the mean over the halves, and on every two neighbouring ones together their mean. Where it
    insists on the size of its batch, their sum must stay the same if examples change places between them.
    """
    before: tuple[Any, Any, float, int] | None = None
    for number, (inputs, targets) in enumerate(problem.batches[split], start=1):
        outputs = problem.outputs(problem.start, inputs)
        loss, n = float(problem.raw_loss(outputs, targets)), length((inputs, targets))
        if not math.isfinite(loss):
            raise InvalidInput(
                f"the {split}{'ing' if split == 'train' else ''} loss is not finite at the given weights in batch "
                f"{number} (NaN or infinite numbers in its data, or targets that are all ignored); correct the data, "
                f"or {_ADVICE}"
            )
        halves = [slice(0, n // 2), slice(n // 2, n)] if n > 1 else []
        pieces = [_part_of(problem, outputs, targets, half, n) for half in halves]
        _hold(problem, outputs, loss, pieces, "its halves")
        if before is not None:
            earlier, earlier_targets, earlier_loss, m = before
            one, other = (earlier, earlier_targets), (outputs, targets)
            try:
                both = _joined(one, m, other, n)
            except Exception as error:
                raise InvalidInput(
                    f"the loss is one number for a batch, and the examples of batches {number - 1} and {number} of the "
                    f"{split} data differ in shape, so how much each weighs cannot be known; {_ADVICE}"
                ) from error
            parts = [earlier_loss * m / (m + n), loss * n / (m + n)]
            whole = _or_none(problem.raw_loss, *both)
            if whole is not None:
                _hold(problem, both[0], whole, parts, "the two concatenated in it")
            elif max(m, n) > 1:  # the loss of a single example is its own
                _hold_exchanged(problem, both, (m, n), sum(parts), f"batches {number - 1} and {number} of the {split}")
        before = outputs, targets, loss, n


def _hold_exchanged(problem: Problem, both: Any, sizes: tuple[int, int], mean: float, where: str) -> None:
    """Refuse a loss whose mean over two batches changes as examples change places, their sizes staying the same."""
    m, n = sizes
    few = max(1, min(m, n) // 2)
    order = torch.arange(m + n)
    order[:few], order[m : m + few] = torch.arange(m, m + few), torch.arange(few)
    outputs, targets = both
    parts = [_part_of(problem, outputs, targets, some, m + n) for some in (order[:m], order[m:])]
    known = [value for value in parts if value is not None]
    if len(known) < 2:
        raise InvalidInput(
            f"the loss is one number for a batch, and fails on other examples than those of {where} data, so whether "
            f"it is the mean over examples cannot be known; {_ADVICE}"
        )
    if not close(problem, outputs, mean, known):
        raise InvalidInput(
            f"the mean loss of {where} data is {mean:.6g} and, after examples have changed places between them, "
            f"{sum(known):.6g}, so it weighs examples by their batch (class weights, ignored labels, contrasts), and "
            f"what is measured would depend on how the data are cut; {_ADVICE}"
        )


_ADVICE = (
    "give the data as one batch, a loss with one value for each example, or PyTorch's own loss (such as "
    "nn.CrossEntropyLoss(weight=...) or functools.partial(F.cross_entropy, ignore_index=...), on outputs with the "
    "classes along axis 1), whose weights are known"
)


def _hold(problem: Problem, outputs: Any, whole: float, parts: Sequence[float | None], of: str) -> None:
    known = [value for value in parts if value is not None]
    if not known or len(known) < len(parts) or close(problem, outputs, whole, known):
        return
    raise InvalidInput(
        f"the loss of a batch, {whole:.6g}, is not the mean over {of}, {sum(known):.6g}, so it weighs examples by "
        "their batch (class weights, ignored labels, contrasts), and what is measured would depend on how the data "
        f"are cut; {_ADVICE}"
    )


def _part_of(problem: Problem, outputs: Any, targets: Any, which: slice | Tensor, n: int) -> float | None:
    """Return what a part adds to the mean of the whole, if the loss can be taken of it."""
    value = _or_none(problem.raw_loss, some_of(outputs, which, n), part(targets, which))
    return None if value is None else value * len(torch.arange(n)[which]) / n


def some_of(outputs: Any, which: slice | Tensor, n: int) -> Any:
    """Return the outputs of some examples; what is not one for each, such as a hidden state, is left whole."""
    return each_tensor(lambda leaf: leaf[which] if leaf.ndim and len(leaf) == n else leaf, outputs)


def _joined(one: Any, m: int, other: Any, n: int) -> Any:
    """Return the outputs and targets of two batches together; of what is not one for each example, the first."""

    def join(a: Tensor, b: Tensor) -> Tensor:
        return torch.cat([a, b]) if a.ndim and b.ndim and (len(a), len(b)) == (m, n) else a

    return each_tensor(join, one, other)


def _or_none(loss: Callable[..., Any], *arguments: Any) -> float | None:
    try:
        return float(loss(*arguments).mean())
    except Exception:  # a loss may insist on its batch
        return None


def close(problem: Problem, outputs: Any, whole: float, parts: Sequence[float]) -> bool:
    """Whether a loss is the sum of parts, up to rounding: of the loss, or of outputs in which it nearly cancels."""
    largest = max(
        (float(leaf.abs().max()) for leaf in tensors(outputs) if leaf.is_floating_point() and leaf.numel()), default=0.0
    )
    scale = max(abs(whole), *map(abs, parts), 0.05 * largest)
    return abs(sum(parts) - whole) <= 100 * torch.finfo(problem.dtype).eps * scale


def need_classes(problem: Problem, split: str, outputs: Any) -> None:
    """Refuse class indices, in whichever batch, for which a known loss has no class: it would fail in the middle."""
    rule = problem.weighing
    if not rule.by_label or not isinstance(outputs, Tensor) or outputs.ndim < 2:
        return
    classes = outputs.shape[1]
    for _, targets in problem.batches[split]:
        if not isinstance(targets, Tensor) or targets.is_floating_point():
            return
        wrong = targets[(targets != rule.ignore_index) & ((targets < 0) | (targets >= classes))]
        if wrong.numel():
            raise InvalidInput(
                f"{split} targets hold {int(wrong[0])}, expected class indices from 0 to {classes - 1}, for outputs of "
                f"{classes} classes; correct the data, or mark what does not count by ignore_index"
            )


def class_axis(problem: Problem, outputs: Any, targets: Any) -> int | None:
    """Return where the classes are, 1 or -1; None if that cannot be known.

    PyTorch's cross-entropy has them along axis 1. Where the shapes leave both possible (as many positions as classes),
    another loss is asked: a softmax over classes does not see what is added to all classes of a position.
    """
    if problem.weighing.by_label:
        return 1 if isinstance(outputs, Tensor) and outputs.ndim > 2 else -1
    axes = class_axes(outputs, targets)
    if len(axes) < 2:
        return axes[0] if axes else -1
    loss = float(problem.raw_loss(outputs, targets).mean())
    blind = []
    for axis in axes:
        shift = torch.linspace(-1, 1, targets.numel()).reshape(targets.shape).to(outputs).unsqueeze(axis)
        shifted = _or_none(problem.raw_loss, outputs + shift, targets)
        if shifted is not None and abs(shifted - loss) <= torch.finfo(problem.dtype).eps ** 0.75 * max(1, abs(loss)):
            blind.append(axis)
    return blind[0] if len(blind) == 1 else None
