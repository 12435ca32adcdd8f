"""By which arithmetic runs are computed: compiled code where a model offers it and a compiler is there, else PyTorch.

Whatever keeps compiled code from being used costs time and nothing else: a note says why, and training goes on.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape.experiment import Session, Weights
from grokscape.landscape.fused import OfRows
from grokscape.landscape.objectives import OBJECTIVES
from grokscape.landscape.optimisers import Optimiser, Rates, State
from grokscape.landscape.printable import error_text
from grokscape.landscape.stack import Stack

if TYPE_CHECKING:
    from grokscape.landscape.fused.steps import Steps
    from grokscape.landscape.training.run import Run

T = TypeVar("T")

#: What a record says, under "arithmetic". The number goes up when the same description gives other bits.
COMPILED, BY_PYTORCH = "compiled 1", "PyTorch 2"
ONLY_STEPS_COMPILED, BY_TORCH_COMPILE = "PyTorch 2, compiled steps 1", "torch.compile"

#: What records that say nothing were made by: PyTorch, all runs of a batch at once, in MKL's strict mode.
BEFORE = "PyTorch 1"

#: Set to 0, this environment variable switches compiled code off.
SWITCH = "GROKSCAPE_COMPILED"

#: Compiled gradients and outputs must agree with PyTorch's within this share of the largest of them.
AGREEMENT = {torch.float32: 1e-3, torch.float64: 1e-9}

#: Why compiled code that is here is not used.
FAILS = "{name} is trained by PyTorch alone: its compiled code fails ({reason})"

#: Why there is no compiled code here, and what to do.
NO_COMPILER = (
    "without the compiler numba ({reason}) networks are trained by PyTorch alone, which takes several times as long; "
    'pip install "grokscape[fast]"'
)


def switched_off() -> bool:
    """Say whether compiled code is not wanted."""
    return os.environ.get(SWITCH) == "0"


@functools.cache
def why_not_compiled() -> str:
    """Return why there can be no compiled code in this process; "" if there can be."""
    try:
        from grokscape.landscape.fused import steps  # noqa: F401
    except Exception as error:  # absent, or of a version that does not fit what else is installed
        return error_text(error)
    return ""


def unkept() -> str:
    """Return why compiled code is not kept on disk; "" if it is."""
    from grokscape.landscape.fused import compiled

    return "".join(compiled.unkept)


def compiled_records() -> Any:
    """Return the compiled code for records, or None."""
    if switched_off() or why_not_compiled():
        return None
    from grokscape.landscape.fused import records

    return records


def compiled_step(optimiser: type[Optimiser], rows: Tensor, state: State, rates: Rates) -> Steps | None:
    """Return compiled code for an optimiser's steps of these rows, or None."""
    return None if switched_off() or why_not_compiled() else optimiser.fused(rows, state, rates)


def for_snapshot(arithmetic: Sequence[str]) -> Weights:
    """Return by which arithmetic a run was computed so far, as a snapshot keeps it."""
    return {"arithmetic": np.frombuffer("\n".join(arithmetic).encode(), dtype=np.uint8)}


def of_snapshot(arrays: Weights) -> list[str]:
    """Return by which arithmetic a run was computed until its snapshot."""
    if "arithmetic" not in arrays:
        return [BEFORE]
    return arrays["arithmetic"].tobytes().decode(errors="replace").split("\n")


_proven: dict[tuple[str, ...], str] = {}


def proven(name: str, shape: str, complaint: Callable[[int], str], make: Callable[[], T], session: Session) -> T | None:
    """Return a learner's compiled code if it is there, wanted and correct; if not, the session notes why.

    Parameters
    ----------
    name : str
        Of the learner.
    shape : str
        For each, it is asked once in a process whether the code is correct.
    complaint : callable
        Returns what is wrong with it for a run of some seed; "" if it is correct.
    make : callable
        Returns what computes the runs.
    session : Session
    """
    if switched_off() or session.device != "cpu":
        return None
    if why_not_compiled():
        session.note(NO_COMPILER.format(reason=why_not_compiled()))
        return None
    try:
        if (name, shape) not in _proven:
            _proven[name, shape] = of_all_seeds(complaint)
        if _proven[name, shape]:
            raise ValueError(_proven[name, shape])
        made = make()
    except Exception as error:  # whatever a compiler can raise
        session.note(FAILS.format(name=name, reason=error_text(error)))
        return None
    if unkept():
        session.note(unkept())
    return made


class Choice:
    """Whether compiled code computes the runs of one shape, what for, and what a reader should know of it.

    Attributes
    ----------
    gradient, outputs : callable or None
        As `grokscape.landscape.fused.Fused` gives them; None where PyTorch computes.
    note : str
        Why PyTorch computes what compiled code was offered for; "" if it does not, or nothing was offered.
    """

    def __init__(self, run: Run, stack: Stack, inputs: Tensor, labels: Tensor, everything: Tensor) -> None:
        self.gradient: OfRows | None = None
        self.outputs: OfRows | None = None
        self.note = ""
        if switched_off():
            return
        dtype: torch.dtype = getattr(torch, run.dtype)
        try:
            offered = run.model.fused(run.task)
            if offered is None:
                return
            if why_not_compiled():
                self.note = NO_COMPILER.format(reason=why_not_compiled())
                return
            complaint = _complaint(run, stack, inputs[:1], labels[:1], everything)
            if complaint:
                raise ValueError(complaint)
            self.gradient = offered.gradient(stack, dtype, run.loss, inputs, labels)
            self.outputs = offered.outputs(stack, dtype, everything)
            self.note = unkept()
        except Exception as error:  # whatever a model of somebody's own, or a compiler, can raise
            self.gradient = self.outputs = None
            self.note = FAILS.format(name=type(run.model).__name__, reason=error_text(error))


#: Networks that are tried. One may lie within rounding of a kink of ReLU, where correct gradients differ: code that is
#: correct agrees on another.
TRIES = 3


def _complaint(run: Run, stack: Stack, inputs: Tensor, labels: Tensor, everything: Tensor) -> str:
    """Return what is wrong with what compiled code computes of fresh weights and one run's data; "" if nothing is."""
    key = (run.model.canonical, run.task.canonical, run.loss, run.dtype, str(run.n_train))
    if key not in _proven:
        _proven[key] = of_all_seeds(lambda seed: _difference_at(seed, run, stack, inputs, labels, everything))
    return _proven[key]


def of_all_seeds(complaint: Callable[[int], str]) -> str:
    """Return the last complaint if there is one for every seed that is tried, else ""."""
    found = ""
    for seed in range(TRIES):
        found = complaint(seed)
        if not found:
            break
    return found


def _difference_at(seed: int, run: Run, stack: Stack, inputs: Tensor, labels: Tensor, everything: Tensor) -> str:
    """Return how compiled code differs from PyTorch at a network's start; "" if it does not."""
    offered, dtype = run.model.fused(run.task), getattr(torch, run.dtype)
    network = run.model.build(run.task).to(dtype)
    network.initialise(seed=seed)
    row, complaint = stack.row(dict(network.state_dict())).detach(), ""
    gradient = offered.gradient(stack, dtype, run.loss, inputs, labels) if offered else None
    outputs = offered.outputs(stack, dtype, everything) if offered else None
    if gradient is not None:
        expected = plain_gradient(stack, run.loss)(row, inputs[0], labels[0])
        complaint = difference("gradient", gradient(row[None].clone()), expected[None])
    if outputs is not None and not complaint:
        with torch.no_grad():
            complaint = difference("output", outputs(row), stack.output(row, everything))
    return complaint


def difference(what: str, found: Tensor, expected: Tensor) -> str:
    """Return how what compiled code found differs from what is expected; "" if they agree."""
    if not isinstance(found, Tensor) or found.shape != expected.shape or found.dtype != expected.dtype:
        got = f"{found.dtype} of shape {tuple(found.shape)}" if isinstance(found, Tensor) else repr(found)[:80]
        return f"its {what} is {got}, expected {expected.dtype} of shape {tuple(expected.shape)}"
    apart, largest = float((found - expected).abs().max()), float(expected.abs().max())
    if not apart <= AGREEMENT[expected.dtype] * largest:
        return f"its {what} is off by {apart:.3g} where the largest number is {largest:.3g}"
    return ""


def plain_gradient(stack: Stack, loss: str) -> Any:
    """Return the function from parameters (P,), inputs and labels of one run to the gradient of its mean loss."""
    objective = OBJECTIVES[loss]

    def gradient(row: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        leaf = row.detach().requires_grad_(True)
        with torch.enable_grad():
            value = objective(stack.output(leaf, inputs), labels).mean()
            return torch.autograd.grad(value, leaf)[0]

    return gradient
