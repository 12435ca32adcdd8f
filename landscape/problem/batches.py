"""Data as a list of batches on one device, copied, so that nobody else can change them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem.containers import each_leaf, each_tensor, tensors

Batch = tuple[Any, Any]


def kept(batches: Iterable[Batch], split: str, batch_size: int | None) -> list[Batch]:
    """Return batches without the empty ones, cut to a size.

    Parameters
    ----------
    batches : iterable of (inputs, targets)
        As `to_device` left them.
    split : str
        What to call them in errors.
    batch_size : int, optional
        Cut into batches of this size at most.

    Raises
    ------
    InvalidInput
        If there are none, or inputs and targets differ in number.
    """
    found = [batch for batch in batches if length(batch)]
    if not found:
        raise InvalidInput(f"{split} data are empty, expected at least one example")
    for batch in found:
        lengths = {len(leaf) for leaf in tensors(batch)}
        if len(lengths) > 1:
            raise InvalidInput(
                f"{split} inputs and targets have {' and '.join(map(str, sorted(lengths)))} examples, "
                "expected as many of the one as of the other"
            )
    if batch_size is None:
        return found
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise InvalidInput(f"batch_size is {batch_size!r}, expected a number of examples of at least 1")
    return [piece for batch in found for piece in split_batch(batch, batch_size)]


def to_device(data: Any, like: Tensor) -> Any:
    """Return copies of data on a tensor's device; numbers with a fraction take its precision, None stays None.

    Raises
    ------
    InvalidInput
        If something is no tensor or array with examples along its first axis.
    """

    def move(leaf: Any) -> Any:
        if leaf is None:
            return None
        if not isinstance(leaf, Tensor):
            if not isinstance(leaf, np.ndarray | np.generic | int | float | complex):
                raise InvalidInput(
                    f"data hold a {type(leaf).__name__}, {' '.join(repr(leaf).split()):.40}, expected tensors or "
                    "arrays of numbers; leave it out, or turn it into numbers"
                )
            leaf = _from_numpy(leaf)
        if leaf.is_nested:
            raise InvalidInput(
                "data hold a nested tensor, whose examples differ in shape; pad them to one shape, or give a batch of "
                "its own for each shape"
            )
        if leaf.is_meta:
            raise InvalidInput("data hold a tensor on the device 'meta', which has a shape and no numbers; load them")
        if not leaf.ndim:
            raise InvalidInput(
                "data hold a number without dimensions, expected examples along the first dimension; pass a "
                "data set through a DataLoader"
            )
        # A loader may write its next batch where this one is, and a user go on working with hers.
        leaf = leaf.detach().clone()
        return leaf.to(like.device, like.dtype if leaf.is_floating_point() else leaf.dtype)

    return each_leaf(move, data)


def _from_numpy(leaf: Any) -> Tensor:
    array = np.asarray(leaf)
    try:
        return torch.as_tensor(array.copy())
    except TypeError as error:
        raise InvalidInput(
            f"data hold an array of {array.dtype}, which PyTorch does not know; convert it to numbers that it knows"
        ) from error


def length(batch: Batch) -> int:
    """Return the number of examples in a batch."""
    return next((len(leaf) for leaf in tensors(batch)), 0)


def split_batch(batch: Batch, size: int) -> Iterator[Batch]:
    """Yield a batch in pieces of at most so many examples."""
    for first in range(0, length(batch), size):
        yield part(batch, slice(first, first + size))


def part(data: Any, which: Any) -> Any:
    """Return some of the examples, by slice or index."""

    def some(leaf: Tensor) -> Tensor:
        if leaf.layout != torch.strided:
            raise InvalidInput(
                f"data hold a tensor of {leaf.layout}, of which examples cannot be taken apart; give it whole, or make "
                "it dense with to_dense()"
            )
        return leaf[which.to(leaf.device) if isinstance(which, Tensor) else which]

    return each_tensor(some, data)


def alike(batches: Iterable[Batch]) -> bool:
    """Return whether batches differ in their number of examples alone, so that they can be concatenated."""
    return len({tuple((leaf.shape[1:], leaf.dtype) for leaf in tensors(batch)) for batch in batches}) == 1


def concatenate(batches: list[Batch]) -> Batch:
    """Return several batches as one.

    Raises
    ------
    InvalidInput
        If their examples differ in shape.
    """
    if len(batches) == 1:
        return batches[0]
    if not alike(batches):
        shapes = list(dict.fromkeys(str([tuple(leaf.shape) for leaf in tensors(batch)])[1:-1] for batch in batches))
        raise InvalidInput(
            f"batches differ in more than their number of examples (shapes {shapes[0]} and {shapes[1]}), so they "
            "cannot be concatenated, which this instrument needs; pad examples to one shape, with targets that the "
            "loss ignores"
        )
    return each_tensor(lambda *leaves: torch.cat(leaves), batches[0], *batches[1:])


def chosen(batches: list[Batch], indices: Tensor) -> list[Batch]:
    """Return some of the examples, counted over all batches in turn, in the order of their indices.

    Batches that can be concatenated give one batch. Others give a batch for each run of examples from the same batch:
    sort the indices to have few of them.
    """
    if alike(batches):
        return [part(concatenate(batches), indices)]
    indices = indices.cpu()
    ends = torch.tensor([length(batch) for batch in batches]).cumsum(0)
    if len(indices) and not (-int(ends[-1]) <= int(indices.min()) and int(indices.max()) < int(ends[-1])):
        raise InvalidInput(f"indices go up to {int(indices.max())}, but there are {int(ends[-1])} examples")
    indices = indices % ends[-1]
    homes = torch.bucketize(indices, ends, right=True)
    own = indices - torch.cat([ends.new_zeros(1), ends])[homes]
    found, counts = torch.unique_consecutive(homes, return_counts=True)
    pieces = own.split(counts.tolist())
    return [part(batches[home], some) for home, some in zip(found.tolist(), pieces, strict=True)]
