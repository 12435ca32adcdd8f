"""A function of tensors as a list of operations, without those that do nothing or always give the same."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx

aten: Any = torch.ops.aten

#: Operations that give back their first argument if its shape stays.
RESHAPES = {aten.view.default, aten._unsafe_view.default, aten.expand.default, aten.permute.default}


def replayed(function: Callable[..., Tensor], *arguments: Tensor) -> Callable[..., Tensor]:
    """Return a function that carries out the operations of another, with the same result bit for bit.

    `vmap` and autograd plan a gradient anew at every call, which for small networks takes a good part of it. Here it is
    planned once, and what depends on no argument is computed once. Valid for arguments of one shape. A function that
    cannot be recorded stays as it is.

    Parameters
    ----------
    function : callable
        Of tensors; may differentiate inside. One that branches on their numbers cannot be recorded.
    arguments : Tensor
    """
    try:
        plan = make_fx(lambda *given: function(*given))(*arguments)
        simplify(plan)
    except Exception:  # whatever a tracer can raise about somebody's network
        return function

    @torch.no_grad()
    def replay(*given: Tensor) -> Tensor:
        return plan(*given)

    return replay


def simplify(plan: GraphModule) -> None:
    """Take out of a plan what changes nothing; compute what is constant.

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
    before, after = (place.meta.get("val") for place in (node.args[0], node))
    return before is not None and after is not None and before.shape == after.shape


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
