"""Forward hooks of a copied module: those that watch are taken off, those that change the loss stay."""

from __future__ import annotations

import contextlib
import itertools
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from grokscape.landscape.problem.containers import leaves
from grokscape.landscape.problem.gradient_check import elsewhere

if TYPE_CHECKING:
    from grokscape.landscape.problem import Problem

Place = tuple[dict[int, Any], int]


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
    _, inputs, targets = next(problem.shares("train"))
    calls, other = itertools.count(1), elsewhere(problem)

    def result(vector: Tensor) -> tuple[Any, Any]:
        outputs, loss = problem.outputs(vector, inputs), None
        with contextlib.suppress(Exception):  # a loss may need what a hook keeps
            loss = problem.raw_loss(outputs, targets, vector)
        return outputs, loss

    def same_without(some: list[Place]) -> bool:
        # Other weights every time: what a hook has kept of another call is not the same.
        vector = torch.lerp(problem.start, other, 0.1 * next(calls))
        with _without(some):
            bare, bare_loss = result(vector)
        outputs, loss = result(vector)
        if _equal(bare, outputs) and not _equal(bare_loss, loss):
            problem.given_loss.reads_hooks = True  # it reads what a hook has kept
        return _equal((bare, bare_loss), (outputs, loss))

    try:
        watchers = places if same_without(places) else [place for place in places if same_without([place])]
    except Exception:  # the model fails with its hooks; `checks.validate` reports how
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


def _equal(one: Any, other: Any) -> bool:
    ones, others = (leaves(thing) for thing in (one, other))
    return len(ones) == len(others) and all(
        torch.equal(a, b) if isinstance(a, Tensor) and isinstance(b, Tensor) else a is b
        for a, b in zip(ones, others, strict=True)
    )


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
