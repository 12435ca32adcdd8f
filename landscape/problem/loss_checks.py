"""Whether a loss is the mean over examples that it must be, found out by giving it parts of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from landscape.classification import class_axes
from landscape.errors import InvalidInput
from landscape.problem.batches import Batch, length, part
from landscape.problem.containers import each_tensor, tensors

if TYPE_CHECKING:
    from landscape.problem import Problem


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


def need_pairing(problem: Problem, batch: Batch, outputs: Any) -> None:
    """Refuse a loss that compares the outputs of each example with the targets of all, because shapes broadcast.

    Such a loss is the mean over all pairs of an output and a target. Then it is not the mean over the batch's halves,
    but that over the four pairs of a half of the outputs and a half of the targets.
    """
    n = length(batch)
    if n < 2 or problem.weighing.by_label:  # these insist on matching shapes
        return
    _, targets = batch
    outputs = _varied(outputs, n)
    halves = slice(0, n // 2), slice(n // 2, n)
    try:
        whole = problem.raw_loss(outputs, targets)
        cut = [_outputs_of(problem, batch, outputs, half) for half in halves]
        pieces = [problem.raw_loss(own, part(targets, half)) for own, half in zip(cut, halves, strict=True)]
    except Exception:  # a loss may insist on its batch, or outputs not be batches
        return
    sizes = [half.stop - half.start for half in halves]
    for size, piece in zip(sizes, pieces, strict=True):
        if whole.ndim and piece.ndim and len(piece) != size:
            raise InvalidInput(
                f"loss returned shape {tuple(whole.shape)} on {n} examples and {tuple(piece.shape)} on {size} of them, "
                "so its values are not one for each example; return their mean, or one value for each example"
            )
    own = [float(piece.mean()) * size / n for piece, size in zip(pieces, sizes, strict=True)]
    if _close(problem, outputs, float(whole.mean()), own):
        return
    try:
        crossed = [
            float(problem.raw_loss(cut[i], part(targets, halves[j])).mean()) * sizes[i] * sizes[j] / n**2
            for i in range(2)
            for j in range(2)
        ]
    except Exception:  # outputs of some examples and targets of others do not go together, as it should be
        return
    if _close(problem, outputs, float(whole.mean()), crossed):
        shapes = [tuple(some.shape) if isinstance(some, Tensor) else type(some).__name__ for some in (outputs, targets)]
        raise InvalidInput(
            f"the loss compares the outputs of each example with the targets of all, because shapes broadcast in it "
            f"(outputs have shape {shapes[0]}, targets {shapes[1]}); give both the same shape, for instance with "
            "targets[:, None] or outputs.squeeze(1)"
        )


def need_equal_weights(problem: Problem, split: str) -> None:
    """Refuse a scalar of unknown kind that weighs examples unequally: its mean depends on how the data are cut.

    On every batch it must be the mean over the halves, and on every two neighbouring ones together their mean.
    """
    before: tuple[Any, Any, float, int] | None = None
    for number, (inputs, targets) in enumerate(problem.batches[split], start=1):
        outputs = problem.outputs(problem.start, inputs)
        loss, n = float(problem.raw_loss(outputs, targets)), length((inputs, targets))
        if not math.isfinite(loss) and split == "train":
            raise InvalidInput(f"the training loss is not finite at the given weights in batch {number}; {_ADVICE}")
        halves = [slice(0, n // 2), slice(n // 2, n)] if n > 1 else []
        pieces = [_part_of(problem, outputs, targets, half, n) for half in halves]
        _hold(problem, outputs, loss, pieces, "its halves")
        if before is not None:
            earlier, earlier_targets, earlier_loss, m = before
            try:
                both = _joined((earlier, earlier_targets), m, (outputs, targets), n)
            except Exception as error:
                raise InvalidInput(
                    f"the loss is one number for a batch, and the examples of batches {number - 1} and {number} of the "
                    f"{split} data differ in shape, so how much each weighs cannot be known; {_ADVICE}"
                ) from error
            parts = [earlier_loss * m / (m + n), loss * n / (m + n)]
            _hold(problem, both[0], _or_none(problem.raw_loss, *both), parts, "the two joined in it")
        before = outputs, targets, loss, n


_ADVICE = (
    "give the data as one batch, a loss with one value for each example, or PyTorch's own loss (such as "
    "nn.CrossEntropyLoss(weight=...) or functools.partial(F.cross_entropy, ignore_index=...), on outputs with the "
    "classes along axis 1), whose weights are known"
)


def _hold(problem: Problem, outputs: Any, whole: float | None, parts: Sequence[float | None], of: str) -> None:
    known = [value for value in parts if value is not None]
    if whole is None or not known or len(known) < len(parts) or _close(problem, outputs, whole, known):
        return
    raise InvalidInput(
        f"the loss of a batch, {whole:.6g}, is not the mean over {of}, {sum(known):.6g}, so it weighs examples by "
        "their company (class weights, ignored labels, contrasts), and what is measured would depend on how the data "
        f"are cut; {_ADVICE}"
    )


def _part_of(problem: Problem, outputs: Any, targets: Any, half: slice, n: int) -> float | None:
    """Return what a part adds to the mean of the whole, if the loss can be taken of it."""
    value = _or_none(problem.raw_loss, _some(outputs, half, n), part(targets, half))
    return None if value is None else value * (half.stop - half.start) / n


def _some(outputs: Any, half: slice, n: int) -> Any:
    """Return the outputs of some examples; what is not one for each, such as a hidden state, is left whole."""
    return each_tensor(lambda leaf: leaf[half] if leaf.ndim and len(leaf) == n else leaf, outputs)


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


def _close(problem: Problem, outputs: Any, whole: float, parts: Sequence[float]) -> bool:
    """Say whether a loss is the sum of parts, up to rounding: of the loss, or of outputs in which it nearly cancels."""
    largest = max(
        (float(leaf.abs().max()) for leaf in tensors(outputs) if leaf.is_floating_point() and leaf.numel()), default=0.0
    )
    scale = max(abs(whole), *map(abs, parts), 0.05 * largest)
    return abs(sum(parts) - whole) <= 100 * torch.finfo(problem.dtype).eps * scale


def _varied(outputs: Any, n: int) -> Any:
    """Return outputs that differ between examples: on equal ones every loss is the mean over all pairs."""

    def vary(leaf: Tensor) -> Tensor:
        if (
            not leaf.is_floating_point()
            or not leaf.ndim
            or len(leaf) != n
            or not torch.equal(leaf, leaf[:1].expand_as(leaf))
        ):
            return leaf
        steps = torch.linspace(0, 0.1, n).to(leaf).reshape(-1, *[1] * (leaf.ndim - 1))
        return leaf * (1 - steps) if leaf.any() else leaf + steps

    return each_tensor(vary, outputs)


def _outputs_of(problem: Problem, batch: Batch, outputs: Any, half: slice) -> Any:
    """Return the outputs of some examples: asked for anew if they are not along the first axis."""
    n = length(batch)
    if any(leaf.ndim and len(leaf) == n for leaf in tensors(outputs)):
        return _some(outputs, half, n)
    return problem.outputs(problem.start, part(batch[0], half))


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
                f"{classes} classes; mend the data, or mark what does not count by ignore_index"
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
