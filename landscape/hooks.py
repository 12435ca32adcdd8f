"""Forward hooks of a copied module: those that watch are taken off, those that change the loss stay."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree


if TYPE_CHECKING:
    from landscape.problem import Problem

Place = tuple[OrderedDict[int, Any], int]


@torch.no_grad()
def take_watchers_off(problem: Problem) -> None:
    """Take those hooks off a problem's copy of a module without which outputs and loss are the same.

    They would fill their owner's lists at every evaluation. Whether a hook watches is found out by running the model
    without it and with it, near the given weights, on the first batch.
    """
    template = problem.template
    places = [] if template is None else list(_places(template))
    if not places:
        return
    inputs, targets = problem.batches["train"][0]
    vector = problem.start * 1.001 + 1e-4  # what a hook has kept from a call at the given weights is not the same here

    def result() -> list[Tensor]:
        outputs = problem.outputs(vector, inputs)
        loss = problem.raw_loss(outputs, targets, vector)
        return [leaf.detach().clone() for leaf in pytree.tree_leaves((outputs, loss)) if isinstance(leaf, Tensor)]

    def same_without(some: list[Place]) -> bool:
        try:
            with _without(some):
                bare = result()
        except Exception:  # a loss may need what a hook keeps
            return False
        full = result()
        return len(bare) == len(full) and all(torch.equal(a, b) for a, b in zip(bare, full, strict=True))

    try:
        watchers = places if same_without(places) else [place for place in places if same_without([place])]
    except Exception:  # the model fails with its hooks; who probes it says how
        return
    for hooks, key in watchers:
        del hooks[key]


def _places(module: nn.Module) -> Iterator[Place]:
    for part in module.modules():
        for hooks in (part._forward_hooks, part._forward_pre_hooks):
            yield from ((hooks, key) for key, hook in hooks.items() if not _known(hook))


def _known(hook: Any) -> bool:
    """Whether a hook computes a weight: old weight and spectral normalisation, pruning."""
    return type(hook).__module__.startswith("torch.nn.utils.")


@contextlib.contextmanager
def _without(places: list[Place]) -> Iterator[None]:
    kept = {id(hooks): (hooks, OrderedDict(hooks)) for hooks, _ in places}
    try:
        for hooks, key in places:
            del hooks[key]
        yield
    finally:
        for hooks, all_of_them in kept.values():
            hooks.clear()
            hooks.update(all_of_them)
