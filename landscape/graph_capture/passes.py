"""Passes over a captured graph: what always gives the same is computed once, and products come out in order."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node

aten: Any = torch.ops.aten

VIEWS = {aten.view.default, aten._unsafe_view.default}

#: Operations that give back their first argument if its shape stays.
RESHAPES = VIEWS | {aten.expand.default, aten.permute.default}


def fold_constants(plan: GraphModule) -> None:
    """Take out of a plan what changes nothing; compute what is constant. The result is the same bit for bit.

    Raises
    ------
    ValueError
        If it writes into a constant, which the second replay would find changed.
    """
    constants: dict[Node, Any] = {}
    for node in list(plan.graph.nodes):
        if node.op == "get_attr":
            constants[node] = getattr(plan, node.target)
        elif node.op != "call_function":
            continue
        elif node.target is aten.detach.default or _same_shape(node):
            node.replace_all_uses_with(node.args[0])
        elif node.target is aten.ones_like.default:
            like = node.meta["val"]  # whatever the argument holds
            _set(plan, node, torch.ones(like.shape, dtype=like.dtype, device=like.device), constants)
        elif _written(node) & constants.keys():
            raise ValueError(f"{node} writes into a constant")
        elif _constant(node, constants):
            arguments = [constants[a] if isinstance(a, Node) else a for a in node.args]
            _set(plan, node, node.target(*arguments, **node.kwargs), constants)
    plan.graph.eliminate_dead_code()
    plan.recompile()


def _same_shape(node: Node) -> bool:
    """Whether an operation hands on its argument as it is."""
    if node.target not in RESHAPES or not isinstance(node.args[0], Node):
        return False
    if node.target is aten.permute.default and list(node.args[1]) != sorted(node.args[1]):  # type: ignore
        return False
    before, after = _shape(node.args[0]), _shape(node)
    return before is not None and before == after


def _written(node: Node) -> set[Node]:
    """The arguments that an operation changes in place."""
    if node.target is operator.getitem:
        return set()
    pairs = zip(node.args, node.target._schema.arguments, strict=False)  # type: ignore[union-attr]
    return {a for a, about in pairs if isinstance(a, Node) and about.alias_info and about.alias_info.is_write}


def _constant(node: Node, constants: dict[Node, Any]) -> bool:
    """Whether an operation depends on no argument of the plan."""
    inputs = [*node.args, *node.kwargs.values()]
    nested = any(isinstance(a, list | tuple) and any(isinstance(b, Node) for b in a) for a in inputs)
    return not nested and all(a in constants for a in inputs if isinstance(a, Node)) and not node.is_impure()


def _set(plan: GraphModule, node: Node, value: Any, constants: dict[Node, Any]) -> None:
    """Put a constant in the place of an operation; several tensors at once are picked apart later."""
    if not isinstance(value, Tensor):
        constants[node] = value
        return
    name = f"constant_{node.name}"
    plan.register_buffer(name, value)
    with plan.graph.inserting_before(node):
        constant = plan.graph.get_attr(name)
    constants[constant] = value
    node.replace_all_uses_with(constant)


def transpose_products(plan: GraphModule) -> None:
    """Compute ``(A B)^T`` as ``B^T A^T``: a weight's gradient comes out in its own order and need not be copied."""
    for copy in plan.graph.find_nodes(op="call_function", target=aten.clone.default):
        transposed = copy.args[0]
        if transposed.target is not aten.transpose.int or {axis % 3 for axis in transposed.args[1:]} != {1, 2}:
            continue
        product = transposed.args[0]
        while product.target in VIEWS and _same_shape(product):
            product = product.args[0]
        shape = _shape(product)
        # A product of many rows and few columns is faster transposed; of few rows and many columns, slower.
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
