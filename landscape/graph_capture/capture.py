"""A function of tensors captured once and replayed: the same operations without what vmap and autograd cost to plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

Tensors = TypeVar("Tensors", Tensor, tuple[Tensor, ...], tuple[Tensor, Tensor])


def captured(
    function: Callable[..., Tensors],
    *arguments: Tensor,
    simplify: Callable[[GraphModule], None],
    check_on: Iterable[Tensor] = (),
) -> Callable[..., Tensors]:
    """Return a faster form of a function, valid for arguments of these shapes, or the function itself.

    For small networks a step spends more time on planning what to compute (`vmap`, autograd) than on computing it. Here
    it is planned once. A function that cannot be captured stays as it is.

    Parameters
    ----------
    function : callable
        Of tensors; returns a tensor or a tuple of tensors, and may differentiate inside.
    arguments : Tensor
        Where it is captured.
    simplify : callable
        Changes the graph in place: `fold_constants` or `transpose_products`.
    check_on : iterable of Tensor, optional
        Other values of a lone argument. The graph is used only if it gives what the function gives on all of them, up
        to rounding, because a graph can depend on the numbers with which it was captured. That is a test and no proof:
        numbers that leave the graph (by NumPy or `tolist`) are frozen unless they differ on those values. What `vmap`
        can run cannot let them out.
    """
    try:
        graph = make_fx(lambda *given: function(*given))(*arguments)  # the tracer counts a method's arguments otherwise
        simplify(graph)

        @torch.no_grad()
        def replay(*given: Tensor) -> Tensors:
            return graph(*given)

        pairs = [(other, replay(other)) for other in check_on]
    except Exception:  # whatever a tracer can raise about somebody else's module
        return function
    return replay if all(_close(found, function(other)) for other, found in pairs) else function


def different_inputs(params: Tensor) -> tuple[Tensor, ...]:
    """Return parameters scaled, of other signs and of another direction: a graph can freeze what they have in common.

    Parameters
    ----------
    params : Tensor, shape (networks, P)
    """
    return params * 1.01, -params, params.flatten().flip(0).reshape(params.shape)


def _close(ours: Tensor | tuple[Tensor, ...], theirs: Tensor | tuple[Tensor, ...]) -> bool:
    if not isinstance(ours, Tensor):
        return all(_close(*pair) for pair in zip(ours, theirs, strict=True))
    assert isinstance(theirs, Tensor)
    tolerance = 100 * torch.finfo(theirs.dtype).eps
    ours, theirs = ours.double(), theirs.detach().double()
    defined = theirs.isfinite()  # a root of a negative weight is none in either
    if not torch.equal(defined, ours.isfinite()):
        return False
    return bool((ours - theirs)[defined].norm() <= tolerance * theirs[defined].norm())
