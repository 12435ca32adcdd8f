"""Networks given as modules, by name or as vectors: their varied parameters, and what they carry besides."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.adoption import adopted, copied, unwrapped
from grokscape.landscape.problem.attributes import Attributes
from grokscape.landscape.twice_differentiable import make_statistics_differentiable

#: One network: a vector (P,), a module of the problem's architecture, or its tensors by name (as of `state_dict`).
Network = Tensor | np.ndarray | nn.Module | Mapping[str, Tensor]


def as_vector(problem: Problem, network: Network | None, name: str = "network", *, finite: bool = True) -> Tensor:
    """Return a network's varied parameters alone as a vector (P,) of the problem's precision, on its device.

    Parameters
    ----------
    problem : Problem
    network : Tensor or array of shape (P,), nn.Module, mapping of str to Tensor, or None
        None stands for the network that the problem starts from.
    name : str
        How a refusal calls it.
    finite : bool
        Refuse values that are not.

    Raises
    ------
    InvalidInput
        If a tensor is missing, unknown or of another shape, tensors that the problem's model ties differ, or a value
        is not finite.
    """
    return _parts(problem, network, name, finite)[0]


def network_of(
    problem: Problem, network: Network | None, name: str = "network", *, finite: bool = True
) -> tuple[Problem, Tensor]:
    """Return the problem of one network, with the buffers and frozen parameters that it has itself, and its vector.

    A vector has no others than the problem's. Neither has a mapping that holds none (as of ``named_parameters()``,
    which leaves out buffers; give ``state_dict()``). A module's loss on the first training batch is compared with what
    is measured instead of it.

    Raises
    ------
    InvalidInput
        As `as_vector`; or if a module's own loss is another, because it differs in more than its tensors.
    """
    row, own = _parts(problem, network, name, finite)
    fixed = sorted(problem.given_loss.reads_buffers & set(own))
    if fixed:
        raise InvalidInput(
            f"{name} has another buffer {fixed[0]!r} than the problem's model, whose tensor the loss uses by itself; "
            "let the loss refer to the module and read the buffer there, or clone() it if it shall stay constant"
        )
    if own:
        problem = problem.carrying(own)
    if isinstance(network, nn.Module) and problem.template is not None and bool(torch.isfinite(row).all()):
        _need_own_loss(problem, row, network, name)
    return problem, row


def as_params(problem: Problem, params: Any) -> Tensor:
    """Return several networks as vectors, shape (networks, P); by default the one that the problem starts from.

    A network with a number that is not finite becomes NaN throughout: an instrument gives NaN for it, and numbers for
    the rest.

    Raises
    ------
    InvalidInput
        If they are no real numbers of that shape, or none is finite.
    """
    if params is None:
        return problem.start[None].clone()
    found = _vector(params, "params").to(problem.start).clone()
    if found.ndim != 2 or found.shape[1] != problem.size or not len(found):
        hint = "; give params[None] for one network" if found.shape == (problem.size,) else ""
        raise InvalidInput(f"params have shape {tuple(found.shape)}, expected (networks, {problem.size}){hint}")
    lost = ~torch.isfinite(found).all(1)
    if lost.all():
        raise InvalidInput("params hold NaN or infinite weights in every network; measure earlier checkpoints")
    return found.masked_fill_(lost[:, None], torch.nan)


def on_one_path(problem: Problem, networks: Mapping[str, Network]) -> tuple[Problem, Tensor]:
    """Return a problem on which several networks lie, each with its own loss, and their vectors, (networks, size).

    Buffers and frozen parameters in which they differ (if they are real numbers) become further coordinates of the
    vectors, after the varied parameters: a path changes them along with the weights. In training mode buffers are
    those of the first network, because batch statistics take their place.

    Raises
    ------
    InvalidInput
        As `network_of`; or if they differ in what has no values in between, and their losses depend on it.
    """
    found = {name: network_of(problem, network, name) for name, network in networks.items()}
    first, *others = [own for own, _ in found.values()]
    carried, training = first.carried(), problem.template is not None and problem.template.training
    varied = []
    for name, tensor in carried.items():
        differs = any(other.carried()[name] is not tensor and not torch.equal(other.carried()[name], tensor)
                      for other in others)  # fmt: skip
        if differs and tensor.is_floating_point() and not (training and name in problem.buffers()):
            varied.append(name)
    wide = first.carrying({}, varied)
    if varied and wide.template is not None:
        wide.attributes.restore()
        wide.template = copied(wide.template)
        make_statistics_differentiable(wide.template)
        wide.attributes = Attributes(wide.template)
    tensors = [own.carried() | own.layout.tensors(row) for own, row in found.values()]
    params = torch.stack([wide.layout.row({n: each[n].to(wide.start) for n in wide.layout.names}) for each in tensors])
    for (name, (own, row)), wide_row in zip(found.items(), params, strict=True):
        _need_on_path(wide, wide_row, own, row, name)
    return wide, params


def step_number(key: object) -> int:
    """Return a step as an integer; a number from a table may come as a float or as NumPy's own."""
    alone = isinstance(key, np.generic) or (isinstance(key, Tensor) and key.numel() == 1)
    number = key.item() if isinstance(key, np.generic | Tensor) and alone else key
    if isinstance(number, bool) or not isinstance(number, int | float) or not number >= 0 or number % 1:
        raise InvalidInput(f"checkpoints hold the step {key!r:.40}, expected a whole number that is not negative")
    return int(number)


def _need_on_path(wide: Problem, wide_row: Tensor, own: Problem, row: Tensor, name: str) -> None:
    """Refuse a path that does not meet a network's own loss, or cannot be differentiated by what it carries."""
    _, inputs, targets = next(own.shares("train"))
    with torch.no_grad():
        expected = float(own.batch_loss(row, inputs, targets))
    leaf = wide_row.clone().requires_grad_(wide.size > own.size)
    parts = ", ".join(wide.layout.names[len(own.layout.names) :])
    try:
        loss = wide.batch_loss(leaf, inputs, targets)
        if wide.size > own.size:
            torch.autograd.grad(loss, leaf)
    except (RuntimeError, NotImplementedError) as error:
        raise InvalidInput(
            f"the networks differ in {parts}, by which the loss cannot be differentiated ({error!s:.100}); give "
            "networks that share them, or measure with training_mode=True, which takes batch statistics in their place"
        ) from error
    if not _close(float(loss.detach()), expected, own):
        raise InvalidInput(
            f"{name} has loss {expected:.6g} by itself and {float(loss.detach()):.6g} at its end of the path, because "
            "the networks differ in buffers that have no values in between; give networks that share them"
        )


def _parts(problem: Problem, network: Network | None, name: str, finite: bool) -> tuple[Tensor, dict[str, Tensor]]:
    """Return a network's vector, and which of its frozen parameters and buffers differ from the problem's."""
    own: dict[str, Tensor] = {}
    if network is None:
        return problem.start, own
    if isinstance(network, nn.Module | Mapping):
        tensors = _tensors(problem, network, name)
        row = problem.layout.row({key: tensors[key].to(problem.start) for key in problem.layout.names}).clone()
        for key, known in problem.carried().items():
            if key in tensors:
                value = tensors[key].to(known.device, known.dtype)
                if not torch.equal(value, known):
                    own[key] = value.clone()
    else:
        row = _vector(network, name).to(problem.start).clone()
    if row.shape != (problem.size,):
        raise InvalidInput(f"{name} has shape {tuple(row.shape)}, expected one row of P = {problem.size} numbers")
    frozen = [value for key, value in own.items() if key not in problem.buffers()]
    if finite and not all(bool(torch.isfinite(value).all()) for value in (row, *frozen)):
        raise InvalidInput(f"{name} holds NaN or infinite numbers, expected finite ones")
    return row, own


def _vector(values: Any, name: str) -> Tensor:
    try:
        vector = torch.as_tensor(values).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidInput(
            f"{name} is {values!r:.60}, expected a row (P,), a module, or its tensors by name"
        ) from error
    if vector.is_complex() or vector.dtype == torch.bool:
        raise InvalidInput(f"{name} holds {vector.dtype}, expected real numbers")
    return vector


def _tensors(problem: Problem, network: nn.Module | Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Return a network's tensors by the names that the problem uses for them."""
    groups = _names(problem)
    given: dict[str, Any] = dict(_named(unwrapped(network))) if isinstance(network, nn.Module) else dict(network)
    known = set(itertools.chain(*groups.values()))
    given = _without_wrappers(given, known)
    unknown = sorted(map(str, set(given) - known))
    tensors: dict[str, Tensor] = {}
    for canonical, names in groups.items():
        present = {key: _vector(given[key], f"{name}[{key!r}]") for key in names if key in given}
        if present:
            tensors[canonical] = _tied(present, name)
    shapes = {key: tensor.shape for key, tensor in problem.carried().items()} | problem.layout.shapes
    for key, shape in shapes.items():
        found = tuple(tensors[key].shape) if key in tensors else "nothing"
        if found != tuple(shape) and (key in tensors or _required(problem, key, tensors, network)):
            hint = f"; it holds unknown names, such as {unknown[0]!r}" if unknown and key not in tensors else ""
            if key not in tensors and not unknown and isinstance(network, Mapping):
                hint = "; give its state_dict(), which also holds the second name of what is tied"
            tie = f" (tied to {', '.join(map(repr, groups[key][1:]))})" if len(groups[key]) > 1 else ""
            raise InvalidInput(f"{name} has {found} for parameter {key!r}{tie}, expected shape {tuple(shape)}{hint}")
    if unknown:
        raise InvalidInput(
            f"{name} holds {', '.join(map(repr, unknown[:4]))}, which the problem's model does not have; give a "
            "network of the same architecture, without other entries"
        )
    return tensors


def _without_wrappers(given: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """Return tensors under the names that they have inside of wrappers (compiled, parallel), which lengthen them."""
    if not all(isinstance(name, str) for name in given):
        return given
    plain = {name.replace("_orig_mod.", ""): tensor for name, tensor in given.items()}
    if all(name.startswith("module.") and name not in known for name in plain):
        plain = {name.removeprefix("module."): tensor for name, tensor in plain.items()}
    return plain if len(plain) == len(given) else given


def _required(problem: Problem, key: str, tensors: Mapping[str, Tensor], network: object) -> bool:
    """Return whether a tensor must be given: what is varied; the others, where their kind is given at all."""
    if key in problem.layout.shapes or isinstance(network, nn.Module):
        return True
    if key not in problem.buffers():
        return any(other in tensors for other in problem.carried() if other not in problem.buffers())
    lasting = set() if problem.template is None else set(problem.template.state_dict(keep_vars=True))
    return key in lasting and any(other in tensors for other in problem.buffers())


def _named(module: nn.Module) -> itertools.chain[tuple[str, Tensor]]:
    return itertools.chain(
        module.named_parameters(remove_duplicate=False), module.named_buffers(remove_duplicate=False)
    )


def _names(problem: Problem) -> dict[str, list[str]]:
    """Return the names of all tensors, each with all names under which it occurs in a model that ties it."""
    if problem.template is None:
        return {name: [name] for name in (*problem.layout.names, *problem.carried())}
    found: dict[int, list[str]] = {}
    for name, tensor in _named(problem.template):
        found.setdefault(id(tensor), []).append(name)
    return {names[0]: names for names in found.values()}


def _tied(present: Mapping[str, Tensor], name: str) -> Tensor:
    """Return the one value of tensors that are one in the problem's model, or say that they differ."""
    (first, value), *others = present.items()
    for key, other in others:
        if other is not value and not torch.equal(other, value):
            raise InvalidInput(
                f"{name} has different values for {first!r} and {key!r}, which are one tensor (tied) in the problem's "
                "model; make the Problem from a network that does not tie them, on which networks that do lie as well"
            )
    return value


def _need_own_loss(problem: Problem, row: Tensor, network: nn.Module, name: str) -> None:
    """Refuse a module that differs from the problem's in more than its tensors."""
    assert problem.template is not None
    alone = problem.carrying({})
    _, inputs, targets = next(problem.shares("train"))
    try:
        alone.template = adopted(network, problem.training_mode).to(problem.device)
        if any(p.dtype != problem.dtype for p in alone.template.parameters()):
            alone.template.to(problem.dtype)
        with torch.no_grad():
            expected = float(alone.raw_loss(alone.as_it_is(inputs), targets, row).mean())
            found = float(problem.batch_loss(row, inputs, targets))
    except Exception as error:  # whatever somebody else's module can raise
        raise InvalidInput(
            f"{name} fails on the first batch of the training data ({type(error).__name__}: {error!s:.120}); give a "
            "network of the problem's architecture"
        ) from error
    if not _close(found, expected, problem):
        raise InvalidInput(
            f"{name} has loss {expected:.6g} on the first training batch, but the problem's model with its tensors has "
            f"{found:.6g}, so they differ in more than parameters and buffers; make a Problem from each"
        )


def _close(one: float, other: float, problem: Problem) -> bool:
    if not np.isfinite([one, other]).all():
        return bool(np.isnan(one) == np.isnan(other))
    return abs(one - other) <= torch.finfo(problem.dtype).eps ** 0.5 * max(abs(one), abs(other))
