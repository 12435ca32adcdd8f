"""Reading the data that a user gives, as pairs of inputs and targets, whatever they come as."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem.batches import Batch, kept, length, part, to_device
from grokscape.landscape.problem.containers import copied, is_mapping, tensors

#: What is read from an iterable that does not say how long it is, unless there is a limit.
MOST_EXAMPLES = 1_000_000
MOST_BYTES = 8 * 2**30
MOST_EMPTY = 1000  # batches in a row


def as_batches(
    data: Any,
    split: str,
    like: Tensor,
    batch_size: int | None,
    *,
    limit: int | None = None,
    runs: Callable[[Batch], bool],
) -> list[Batch]:
    """Return data as a list of batches on a tensor's device, in its precision, copied as they are read.

    Parameters
    ----------
    data : pair of (inputs, targets), or iterable of such pairs
    split : str
        What to call them in errors.
    like : Tensor
    batch_size : int, optional
        Cut into batches of this size at most.
    limit : int, optional
        Read at most so many examples.
    runs : callable
        Whether model and loss run on a batch: tells two batches from a pair where both would fit.

    Raises
    ------
    InvalidInput
        If they are no such data, or empty, or endless, or can be read in two ways, or inputs and targets differ in
        number.
    """
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise InvalidInput(f"limit is {limit!r}, expected a number of examples of at least 1")
    if not isinstance(data, Iterable) or isinstance(data, Dataset):
        raise InvalidInput(
            f"{split} data are {data!r:.60}, expected a pair (inputs, targets), or an iterable of such pairs; pass "
            "a data set through a DataLoader (with batch_size=None, if it yields batches)"
        )
    with torch.random.fork_rng(devices=[]):  # a loader draws from the global state, even one that does not shuffle
        found = [data] if _is_pair(data, split, like, runs) else data
        return kept(_read(found, split, like, limit), split, batch_size)


def _read(batches: Iterable[Any], split: str, like: Tensor, limit: int | None) -> Iterator[Batch]:
    """Yield the batches of an iterable, up to a limit."""
    count, size, empty, unsized = 0, 0, 0, not _has_length(batches)
    for batch in _told(batches, split):
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise InvalidInput(
                f"{split} data hold {type(batch).__name__} {' '.join(repr(batch).split()):.60}, expected pairs "
                f"(inputs, targets): two tensors, or an iterable of such pairs{_how_to_pair(batch)}"
            )
        own: Batch = (to_device(batch[0], like), to_device(batch[1], like))
        if limit is not None:
            own = part(own, slice(limit - count))
        empty = 0 if length(own) else empty + 1
        count += length(own)
        size += sum(leaf.numel() * leaf.element_size() for leaf in tensors(own))
        many = limit is None and (count > MOST_EXAMPLES or size > MOST_BYTES)
        if unsized and empty > MOST_EMPTY:
            raise InvalidInput(
                f"{split} data do not say how long they are, and had not ended after {count:,} examples and "
                f"{MOST_EMPTY:,} empty batches in a row; look at the loader that gives them"
            )
        if unsized and many:
            raise InvalidInput(
                f"{split} data do not say how long they are, and had not ended after {count:,} examples "
                f"({size / 2**30:.2g} GiB; at most {MOST_EXAMPLES:,} and {MOST_BYTES / 2**30:.0f} GiB are read); "
                "give a number of examples with limit="
            )
        yield own
        if limit is not None and count >= limit:
            return


def _told(batches: Iterable[Any], split: str) -> Iterator[Any]:
    """Yield what an iterable gives; say which batch it fails on, if it does."""
    number, iterator = 0, None
    while True:
        number += 1
        try:
            iterator = iter(batches) if iterator is None else iterator
            batch = next(iterator)
        except StopIteration:
            return
        except Exception as error:  # whatever somebody else's loader can raise
            raise InvalidInput(
                f"{split} data fail as batch {number} is read ({type(error).__name__}: {error!s:.200}); look at the "
                "data set or the loader that gives them"
            ) from error
        yield batch


def _has_length(batches: Iterable[Any]) -> bool:
    try:
        len(batches)  # type: ignore[arg-type]
    except TypeError:  # also of a loader whose data set has none
        return False
    return True


def _how_to_pair(batch: Any) -> str:
    if isinstance(batch, tuple | list) and len(batch) > 2:
        return "; say which are inputs and which targets, as in [((a, b), c) for a, b, c in loader]"
    if is_mapping(batch):
        keys = list(batch)
        return f"; make them, as in [(batch[{keys[0]!r}], batch[{keys[-1]!r}]) for batch in loader]" if keys else ""
    return ""


def _is_pair(data: Any, split: str, like: Tensor, runs: Callable[[Batch], bool]) -> bool:
    """Return whether data are one pair of inputs and targets, and not an iterable of pairs."""
    if not (isinstance(data, tuple | list) and len(data) == 2):
        return False
    if is_mapping(data[0]) and is_mapping(data[1]):
        return set(data[0]) != set(data[1])  # else two batches, each a dict
    if not all(isinstance(some, tuple | list) for some in data):
        return True
    if not all(len(some) == 2 for some in data):
        return isinstance(data, tuple)
    try:
        parts = [[to_device(one, like) for one in some] for some in data]
    except InvalidInput:
        return False  # which says what is wrong, when it is read
    (a, b), (c, d) = parts
    pair, batches = len(set(map(_lengths, (a, b, c, d)))) == 1, all(map(_same, (a, b), (c, d)))
    if pair and batches:
        pair, batches = runs(copied(((a, b), (c, d)))), runs(copied((a, b)))
        if pair and batches:
            raise InvalidInput(
                f"{split} data are a pair of pairs, ((a, b), (c, d)), and can be read as two batches, or as one with "
                "inputs (a, b) and targets (c, d); give iter(data) in the first case, and [data] in the second"
            )
    return pair


def _lengths(data: Any) -> frozenset[int]:
    return frozenset(len(leaf) for leaf in tensors(data))


def _same(one: Any, other: Any) -> bool:
    """Return whether two containers could stand in the same place of two batches."""
    pairs = list(zip(tensors(one), tensors(other), strict=False))
    return len(tensors(one)) == len(tensors(other)) and all(a.dtype == b.dtype and a.ndim == b.ndim for a, b in pairs)
