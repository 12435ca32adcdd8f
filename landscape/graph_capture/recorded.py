"""A function of tensors recorded once and replayed: the same operations without what vmap and autograd cost to plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx

Function = Callable[[Tensor], tuple[Tensor, ...]]
aten: Any = torch.ops.aten

VIEWS = (aten.view.default, aten._unsafe_view.default)


def recorded(function: Function, rows: Tensor) -> Function:
    """Return a faster form of a function, valid for rows of this shape, or the function itself.

    For small networks a step spends more time on planning what to compute (`vmap`, autograd) than on computing it. The
    plan is recorded once. It is used only if it gives what the function gives on three other sets of rows; a function
    whose plan depends on the numbers, or that cannot be recorded, stays as it is. That is a test and no proof: numbers
    that leave the graph (by NumPy or `tolist`) are frozen unless they differ on those rows.
    What `vmap` can run cannot let them out.

    Parameters
    ----------
    function : callable
        ``function(rows)``, a tuple of tensors; may differentiate inside.
    rows : Tensor, shape (networks, P)
        Where it is recorded.
    """
    try:
        plan = make_fx(lambda rows: function(rows))(rows)  # the tracer counts the arguments of methods otherwise
        _transpose_factors(plan)
        # Scaled, of other signs, of another direction: a plan can have frozen what rows have in common.
        others = rows * 1.01, -rows, rows.flatten().flip(0).reshape(rows.shape)
        with torch.no_grad():
            replayed = [plan(other) for other in others]
    except Exception:  # whatever a tracer can raise about a stranger's module
        return function

    def replay(rows: Tensor) -> tuple[Tensor, ...]:
        with torch.no_grad():
            return plan(rows)

    for other, found in zip(others, replayed, strict=True):
        if not all(_close(ours, theirs) for ours, theirs in zip(found, function(other), strict=True)):
            return function
    return replay


def _close(ours: Tensor, theirs: Tensor) -> bool:
    tolerance = 100 * torch.finfo(theirs.dtype).eps
    ours, theirs = ours.double(), theirs.detach().double()
    defined = theirs.isfinite()  # a root of a negative weight is none in either
    if not torch.equal(defined, ours.isfinite()):
        return False
    return bool((ours - theirs)[defined].norm() <= tolerance * theirs[defined].norm())


def _transpose_factors(plan: GraphModule) -> None:
    """Compute ``(A B)^T`` as ``B^T A^T``: a weight's gradient comes out in its own order and need not be copied."""
    for copy in plan.graph.find_nodes(op="call_function", target=aten.clone.default):
        turn = copy.args[0]
        if turn.target is not aten.transpose.int or {axis % 3 for axis in turn.args[1:]} != {1, 2}:
            continue
        product = turn.args[0]
        while product.target in VIEWS and _shape(product) == _shape(product.args[0]):
            product = product.args[0]
        shape = _shape(product)
        # A product of many rows and few columns is faster the other way round; of few rows and many columns, slower.
        if product.target is not aten.bmm.default or shape is None or shape[1] < shape[2]:
            continue
        with plan.graph.inserting_before(copy):
            first, second = (plan.graph.call_function(aten.transpose.int, (f, 1, 2)) for f in product.args)
            copy.replace_all_uses_with(plan.graph.call_function(aten.bmm.default, (second, first)))
    plan.graph.eliminate_dead_code()
    plan.recompile()


def _shape(node: Node) -> torch.Size | None:
    value = node.meta.get("val", node.meta.get("tensor_meta"))
    return getattr(value, "shape", None)
