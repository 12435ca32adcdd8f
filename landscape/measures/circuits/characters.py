"""What a rule of a group looks like in logits: functions of one group element for every input and class."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.measures.circuits.murnaghan import character, cycle_type, partitions
from grokscape.landscape.problem.containers import tensors


@dataclass(frozen=True, kw_only=True)
class Characters:
    """The whole input space of a task whose classes are a group, and the functions that its rule is made of.

    A circuit that computes the label y(x) of an input in the group has logits that depend on ``g = c^-1 y(x)`` alone,
    c the class: for addition modulo p, on (a + b - c) mod p.

    Attributes
    ----------
    inputs : Tensor or tuple of Tensor, shape (N, ...)
        All of the inputs, in the form in which the model takes them.
    element : Tensor of int64, shape (N, n_classes)
        The number of g for each input and class; every row holds each of the group's elements once.
    functions : mapping of str to Tensor, each (n_classes, r)
        Names of irreducible representations -> functions on the group that belong to it, values by element. The
        trivial one is left out: constants are no evidence for a class.
    """

    inputs: Any
    element: Tensor
    functions: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        element, length = self.element, len(tensors(self.inputs)[0])
        if element.ndim != 2 or element.is_floating_point() or len(element) != length:
            raise InvalidInput(
                f"element has shape {tuple(element.shape)} and {element.dtype}, expected int64 of shape "
                f"({length}, n_classes)"
            )
        if not (element.sort(1).values == torch.arange(element.shape[1], device=element.device)).all():
            raise InvalidInput("a row of element does not hold every number from 0 to n_classes - 1 once")
        for name, values in self.functions.items():
            if values.ndim != 2 or len(values) != element.shape[1]:
                raise InvalidInput(
                    f"functions[{name!r}] has shape {tuple(values.shape)}, expected ({element.shape[1]}, r)"
                )

    def projector(self, names: Iterable[str] | None = None) -> Tensor:
        """Return the orthogonal projection on the span of the named functions (all by default), float64, (G, G)."""
        chosen = list(self.functions if names is None else names)
        for name in chosen:
            if name not in self.functions:
                raise InvalidInput(f"irreps name {name!r}, expected some of {', '.join(self.functions)}")
        if not chosen:
            raise InvalidInput("irreps are empty, expected at least one name; leave it out for all of them")
        basis = torch.cat([self.functions[name].double() for name in chosen], 1)
        left, sizes, _ = torch.linalg.svd(basis, full_matrices=False)
        left = left[:, sizes > 1e-9 * sizes.max()]
        return left @ left.T


def cyclic(p: int, inputs: Any, labels: Tensor | None = None) -> Characters:
    """Return the characters of the integers modulo p: a cosine and a sine for each frequency, named "1" to "p // 2".

    Parameters
    ----------
    p : int
    inputs : Tensor or tuple of Tensor, shape (N, ...)
        All inputs, as the model takes them.
    labels : Tensor of int64, shape (N,), optional
        The rule's answer to each; by default ``(a + b) mod p`` with the inputs as pairs of tokens.

    Raises
    ------
    InvalidInput
        If labels do not fit, or are needed because inputs are no pairs of tokens.
    """
    if labels is None:
        labels = _pairs(inputs, p).sum(1) % p
    labels = _checked(labels, p)
    element = (labels[:, None] - torch.arange(p)) % p
    angles = 2 * math.pi * torch.outer(torch.arange(p), torch.arange(1, p // 2 + 1)).double() / p
    waves = {str(k): torch.stack([angles[:, k - 1].cos(), angles[:, k - 1].sin()], 1) for k in range(1, p // 2 + 1)}
    return Characters(inputs=inputs, element=element, functions=waves)


def group(
    table: Tensor, inputs: Any, labels: Tensor | None = None, *, irreps: Mapping[str, Tensor] | None = None
) -> Characters:
    """Return the functions of any finite group from its multiplication table.

    Parameters
    ----------
    table : Tensor of int64, shape (G, G)
        ``table[a, b]`` is the number of ab.
    inputs, labels
        As for `cyclic`; labels are ``table[a, b]`` by default.
    irreps : mapping of str to Tensor, each (G, r), optional
        Functions by irreducible representation. By default all functions with mean zero, under the one name "all".

    Raises
    ------
    InvalidInput
        If the table is no group's, or labels do not fit.
    """
    order, table = len(table), table.cpu()
    numbers = torch.arange(order)
    square = table.ndim == 2 and table.shape[0] == table.shape[1]
    if (
        not square
        or not (table.sort(0).values == numbers[:, None]).all()
        or not (table.sort(1).values == numbers).all()
    ):
        raise InvalidInput(
            f"table of shape {tuple(table.shape)} does not hold every element once in each row and column"
        )
    identity = (table == numbers).all(1).nonzero().flatten()
    if len(identity) != 1 or not (table[table] == table[:, table]).all():
        raise InvalidInput("table is no group's: it has no identity, or a product depends on the order of its brackets")
    if labels is None:
        pairs = _pairs(inputs, order).cpu()
        labels = table[pairs[:, 0], pairs[:, 1]]
    labels = _checked(labels, order)
    inverse = (table == identity).int().argmax(1)
    element = table[inverse][:, labels].T
    if irreps is None:
        irreps = {"all": torch.eye(order, dtype=torch.float64) - 1 / order}
    return Characters(inputs=inputs, element=element, functions=irreps)


def symmetric(n: int, inputs: Any, labels: Tensor | None = None, *, matrix_elements: bool = False) -> Characters:
    """Return the characters of the symmetric group S_n; its elements are numbered in lexicographic order.

    Irreducible representations are named by their partition: "3,1" is the standard one of S_4, "1,1,1,1" the sign.
    Products are ``(xy)(i) = x(y(i))``.

    Parameters
    ----------
    n : int
        2 to 6.
    inputs, labels
        As for `cyclic`.
    matrix_elements : bool
        Span all d^2 matrix elements of each representation instead of its character alone (the form that Chughtai et
        al. 2023, arXiv:2302.03025, find in networks). Together they are all functions of the group, so that the
        projection proves little.

    Raises
    ------
    InvalidInput
        If n is not between 2 and 6, or labels do not fit.
    """
    if not 2 <= n <= 6:
        raise InvalidInput(f"n is {n}, expected a number from 2 to 6")
    table, types = _permutations(n)
    inverse = (table == 0).int().argmax(1)
    irreps = {}
    for shape in partitions(n):
        if shape == (n,):
            continue
        values = torch.tensor([character(shape, kind) for kind in types], dtype=torch.float64)
        # The convolution with a character projects on its representation's matrix elements.
        irreps[",".join(map(str, shape))] = values[table[inverse]] if matrix_elements else values[:, None]
    return group(table, inputs, labels, irreps=irreps)


@functools.cache
def _permutations(n: int) -> tuple[Tensor, list[tuple[int, ...]]]:
    """Return the multiplication table of S_n, and the cycle type of each element."""
    elements = list(itertools.permutations(range(n)))
    number = {element: index for index, element in enumerate(elements)}
    table = [[number[tuple(x[i] for i in y)] for y in elements] for x in elements]
    return torch.tensor(table), [cycle_type(element) for element in elements]


def _pairs(inputs: Any, order: int) -> Tensor:
    if not isinstance(inputs, Tensor) or inputs.is_floating_point() or inputs.ndim != 2 or inputs.shape[1] != 2:
        raise InvalidInput("labels are missing, and inputs are no pairs of tokens, int64 of shape (N, 2); pass labels=")
    if not ((inputs >= 0) & (inputs < order)).all():
        raise InvalidInput(
            f"inputs hold tokens from {int(inputs.min())} to {int(inputs.max())}, expected 0 to {order - 1}"
        )
    return inputs


def _checked(labels: Tensor, order: int) -> Tensor:
    if labels.ndim != 1 or labels.is_floating_point() or not ((labels >= 0) & (labels < order)).all():
        raise InvalidInput(
            f"labels are {labels.dtype} of shape {tuple(labels.shape)}, expected integers below {order}, (N,)"
        )
    return labels.cpu()
