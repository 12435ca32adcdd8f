"""Whether a loss compares outputs with targets that are not theirs, because their shapes broadcast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils.weak import WeakIdKeyDictionary

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem.batches import Batch, length, part
from grokscape.landscape.problem.containers import each_tensor, tensors
from grokscape.landscape.problem.loss_checks import close, some_of

if TYPE_CHECKING:
    from grokscape.landscape.problem import Problem


def need_pairing(problem: Problem, batch: Batch, outputs: Any) -> None:
    """Refuse a loss that compares outputs with targets that are not theirs, because shapes broadcast."""
    if problem.weighing.by_label:  # these insist on matching shapes
        return
    n, targets = length(batch), batch[1]
    outputs = _varied(outputs, n)
    mixes_up = None
    if n > 1 and _crosses_halves(problem, batch, outputs):
        mixes_up = "the outputs of each example with the targets of all"
    elif _mixes_up(problem, batch, outputs):
        mixes_up = "outputs with targets that are not theirs"
    if mixes_up:
        shapes = [tuple(some.shape) if isinstance(some, Tensor) else type(some).__name__ for some in (outputs, targets)]
        raise InvalidInput(
            f"the loss compares {mixes_up}, because shapes broadcast in it (outputs have shape {shapes[0]}, targets "
            f"{shapes[1]}); give both the same shape, for instance with targets[:, None] or outputs.squeeze(1)"
        )


def _crosses_halves(problem: Problem, batch: Batch, outputs: Any) -> bool:
    """Return whether a loss is the mean over all pairs of an output and a target.

    Then it is not the mean over the batch's halves, but that over the four pairs of a half of the outputs and a half of
    the targets.
    """
    n, targets = length(batch), batch[1]
    halves = slice(0, n // 2), slice(n // 2, n)
    try:
        whole = problem.raw_loss(outputs, targets)
        cut = [_outputs_of(problem, batch, outputs, half) for half in halves]
        pieces = [problem.raw_loss(own, part(targets, half)) for own, half in zip(cut, halves, strict=True)]
    except Exception:  # a loss may insist on its batch, or outputs not be batches
        return False
    sizes = [half.stop - half.start for half in halves]
    for size, piece in zip(sizes, pieces, strict=True):
        if whole.ndim and piece.ndim and len(piece) != size:
            raise InvalidInput(
                f"loss returned shape {tuple(whole.shape)} on {n} examples and {tuple(piece.shape)} on {size} of them, "
                "so its values are not one for each example; return their mean, or one value for each example"
            )
    own = [float(piece.mean()) * size / n for piece, size in zip(pieces, sizes, strict=True)]
    if close(problem, outputs, float(whole.mean()), own):
        return False
    try:
        crossed = [
            float(problem.raw_loss(cut[i], part(targets, halves[j])).mean()) * sizes[i] * sizes[j] / n**2
            for i in range(2)
            for j in range(2)
        ]
    except Exception:  # outputs of some examples and targets of others do not go together, as it should be
        return False
    return close(problem, outputs, float(whole.mean()), crossed)


def _mixes_up(problem: Problem, batch: Batch, outputs: Any) -> bool:
    """Return whether an operation on outputs and targets pairs what does not belong together.

    It does if its result is larger than both. If only one is made larger, so that axes may meet that are not the same,
    the loss tells: where examples meet something else, it depends on their order.
    """
    n, targets = length(batch), batch[1]
    watch = Broadcasts(outputs, targets)
    try:
        with watch:
            whole = float(problem.raw_loss(outputs, targets).mean())
        if not watch.fewer_axes or n < 2:
            return watch.larger
        order = torch.arange(n).roll(1)
        moved = problem.raw_loss(_outputs_of(problem, batch, outputs, order), part(targets, order))
    except Exception:  # a loss may not let itself be watched, or outputs not be batches
        return watch.larger
    return watch.larger or not close(problem, outputs, whole, [float(moved.mean())])


@dataclass(frozen=True)
class _Origin:
    """What a tensor was computed from: outputs, targets; how large these were; and whether axes were moved or added."""

    outputs: bool
    targets: bool
    size: int
    arranged: bool = False


class Broadcasts(TorchFunctionMode):
    """Notes elementwise operations on outputs and targets of different shapes.

    Only operands are looked at that hold as many numbers as the outputs or targets they come from, with their axes as
    they were: who takes a mean of them, picks one, or adds an axis, broadcasts on purpose.

    Attributes
    ----------
    larger : bool
        Whether a result was larger than both operands.
    fewer_axes : bool
        Whether one operand had fewer axes than the other.
    """

    def __init__(self, outputs: Any, targets: Any) -> None:
        super().__init__()
        self.larger = self.fewer_axes = False
        self._origins: Any = WeakIdKeyDictionary()
        for leaf in tensors(outputs):
            self._origins[leaf] = _Origin(True, False, leaf.numel())
        for leaf in tensors(targets):
            self._origins[leaf] = _Origin(False, True, leaf.numel())

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        del types
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        operands = [leaf for leaf in pytree.tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        known = [self._origins[leaf] for leaf in operands if leaf in self._origins]
        if known:
            if getattr(func, "__name__", "").strip("_") in ELEMENTWISE and len(operands) == 2:
                self._look(*operands)
            for leaf in pytree.tree_leaves(result):
                if isinstance(leaf, Tensor):
                    self._origins[leaf] = _Origin(
                        any(one.outputs for one in known),
                        any(one.targets for one in known),
                        max(one.size for one in known),
                        any(one.arranged for one in known) or _arranged(leaf, operands),
                    )
        return result

    def _look(self, one: Tensor, other: Tensor) -> None:
        origins = [self._origins.get(leaf) for leaf in (one, other)]
        for leaf, origin in zip((one, other), origins, strict=True):
            if origin is None or origin.outputs == origin.targets or origin.arranged or leaf.numel() != origin.size:
                return
        if origins[0].outputs != origins[1].outputs:
            self.larger |= math.prod(torch.broadcast_shapes(one.shape, other.shape)) > max(one.numel(), other.numel())
            self.fewer_axes |= one.ndim != other.ndim


#: Names of what takes two tensors number by number: operators, and PyTorch's losses.
ELEMENTWISE = frozenset(
    f"{side}{name}"
    for side in ("", "r")
    for name in ("add", "sub", "mul", "div", "truediv", "pow")
) | {
    "subtract", "multiply", "divide", "true_divide", "maximum", "minimum", "fmax", "fmin", "lt", "le", "gt", "ge", "eq",
    "ne", "xlogy", "logaddexp", "hypot", "atan2", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div",
    "soft_margin_loss", "poisson_nll_loss", "hinge_embedding_loss",
}  # fmt: skip


def _arranged(result: Tensor, operands: Sequence[Tensor]) -> bool:
    """Return whether a result has its axes in another place than all operands, or more of them."""
    size, axes = max(leaf.numel() for leaf in operands), max(leaf.ndim for leaf in operands)
    if result.ndim > axes:
        return True
    return (result.numel(), result.ndim) == (size, axes) and all(result.shape != leaf.shape for leaf in operands)


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


def _outputs_of(problem: Problem, batch: Batch, outputs: Any, which: slice | Tensor) -> Any:
    """Return the outputs of some examples: asked for anew if they are not along the first axis."""
    n = length(batch)
    if any(leaf.ndim and len(leaf) == n for leaf in tensors(outputs)):
        return some_of(outputs, which, n)
    return problem.outputs(problem.start, part(batch[0], which))
