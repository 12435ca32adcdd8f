"""Data as a list of batches, whatever they come as."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from landscape.errors import InvalidInput

Batch = tuple[Any, Any]


def taken(data: Any, split: str, like: Tensor, batch_size: int | None) -> list[Batch]:
    """Return data as a list of batches on a tensor's device, in its precision.

    Parameters
    ----------
    data : pair of (inputs, targets), or iterable of such pairs
    split : str
        What to call them in errors.
    like : Tensor
    batch_size : int, optional
        Cut into batches of this size at most.

    Raises
    ------
    InvalidInput
        If they are no such data, or empty, or inputs and targets differ in number.
    """
    if not isinstance(data, Iterable):
        raise InvalidInput(
            f"{split} data are {data!r:.60}, expected a pair (inputs, targets), or an iterable of such pairs; pass "
            "a data set through a DataLoader"
        )
    two = isinstance(data, tuple | list) and len(data) == 2
    whole = two and not all(isinstance(part, tuple | list) for part in data)
    with torch.random.fork_rng(devices=[]):  # a loader draws from the global state, even one that does not shuffle
        batches = [data] if whole else list(data)
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise InvalidInput(
                f"{split} data hold {type(batch).__name__} {batch!r:.60}, expected pairs (inputs, targets): two "
                "tensors, or an iterable of such pairs"
            )
    kept = [(moved(inputs, like), moved(targets, like)) for inputs, targets in batches]
    kept = [batch for batch in kept if length(batch)]
    if not kept:
        raise InvalidInput(f"{split} data are empty, expected at least one example")
    for inputs, targets in kept:
        lengths = {len(leaf) for leaf in pytree.tree_leaves((inputs, targets)) if isinstance(leaf, Tensor)}
        if len(lengths) > 1:
            raise InvalidInput(
                f"{split} inputs and targets have {' and '.join(map(str, sorted(lengths)))} examples, "
                "expected as many of the one as of the other"
            )
    if batch_size is None:
        return kept
    if batch_size < 1:
        raise InvalidInput(f"batch_size is {batch_size}, expected at least 1")
    return [piece for batch in kept for piece in cut(batch, batch_size)]


def moved(data: Any, like: Tensor) -> Any:
    """Return data on a tensor's device; numbers with a fraction take its precision."""

    def move(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            leaf = torch.as_tensor(leaf)
        if not leaf.ndim:
            raise InvalidInput(
                "data hold a number without dimensions, expected examples along the first dimension; pass a "
                "data set through a DataLoader"
            )
        leaf = leaf.clone() if leaf.is_inference() else leaf.detach()  # those of inference mode take no gradients
        return leaf.to(like.device, like.dtype if leaf.is_floating_point() else leaf.dtype)

    return pytree.tree_map(move, data)


def length(batch: Batch) -> int:
    """Return the number of examples in a batch."""
    for leaf in pytree.tree_leaves(batch):
        if isinstance(leaf, Tensor):
            return len(leaf)
    return 0


def cut(batch: Batch, size: int) -> Iterator[Batch]:
    """Yield a batch in pieces of at most so many examples."""
    for first in range(0, length(batch), size):
        yield pytree.tree_map(lambda leaf, first=first: leaf[first : first + size], batch)


def joined(batches: list[Batch]) -> Batch:
    """Return several batches as one."""
    if len(batches) == 1:
        return batches[0]
    return pytree.tree_map(lambda *leaves: torch.cat(leaves), batches[0], *batches[1:])
