"""Whether what a store holds under a run's name can be that run's: its steps, and names and shapes of its weights."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import torch

from grokscape.landscape.experiment import Outcome, Snapshot, Weights

if TYPE_CHECKING:
    from grokscape.landscape.models import Model
    from grokscape.landscape.tasks import Task
    from grokscape.landscape.training.run import Run

#: Name -> shape.
Shapes = dict[str, tuple[int, ...]]


def misfit_of_record(run: Run, found: Outcome) -> str:
    """Return why a record cannot be that of a run; "" if it can be."""
    last, steps = found.info.get("last_step"), found.trajectory["step"]
    if last is None or last > run.steps or steps.empty or steps.max() != last:
        return f"it ended at step {last!r} of {run.steps}, or has no record of that step as its last"
    expected = {last, *(step for step in run.keep if step <= last)}
    if not expected <= set(found.weights):
        return f"it lacks the weights of step {min(expected - set(found.weights))}"
    reasons = (_misfit(run, kept, f" of step {step}") for step, kept in found.weights.items())
    return next(filter(None, reasons), "")


def misfit_of_snapshot(run: Run, snapshot: Snapshot) -> str:
    """Return why a run cannot be continued from a snapshot; "" if it can be."""
    arrays, recorded = snapshot.arrays, snapshot.rows["step"]
    if not 0 < snapshot.step < run.steps or (len(recorded) and recorded.max() > snapshot.step):
        return f"it stands at step {snapshot.step} of {run.steps}"
    size = (sum(map(math.prod, _shapes(run.model, run.task).values())),)
    state = run.optimiser.initial_state(torch.empty(1, 0))
    for name in ("parameters", *(f"state/{name}" for name in state)):
        if name not in arrays or arrays[name].shape != size or arrays[name].dtype != run.dtype:
            return f"it has no {name} of {size[0]} {run.dtype}"
    if "held" not in arrays or arrays["held"].shape != (len(run.stop),) or arrays["held"].dtype != "int64":
        return f"it does not say how long each of {len(run.stop)} stop rules has held"
    kept: dict[str, Weights] = {}
    for key, array in arrays.items():
        if key.startswith("kept/"):
            _, step, name = f"{key}//".split("/", 2)
            kept.setdefault(step, {})[name[:-2]] = array
    if set(kept) != {str(step) for step in run.keep if step <= snapshot.step}:
        return "it lacks weights that were to be kept, or has others"
    return next(filter(None, (_misfit(run, found, f" of step {step}") for step, found in kept.items())), "")


def _misfit(run: Run, weights: Weights, where: str) -> str:
    """Compare weights with the tensors that the run's network has."""
    found = {name: array.shape for name, array in weights.items()}
    expected = _shapes(run.model, run.task)
    if found != expected:
        name = sorted(name for name in found | expected if found.get(name) != expected.get(name))[0]
        return f"its weights {name!r:.100}{where} have the shape {found.get(name)}, expected {expected.get(name)}"
    wrong = [name for name, array in weights.items() if array.dtype != run.dtype]
    return f"its weights {wrong[0]!r:.100}{where} are {weights[wrong[0]].dtype}, expected {run.dtype}" if wrong else ""


@functools.lru_cache(maxsize=8)
def _shapes(model: Model, task: Task) -> Shapes:
    try:
        with torch.device("meta"):  # shapes alone; nothing is initialised
            network = model.build(task)
    except Exception:  # a model of somebody's own may need numbers
        network = model.build(task)
    return {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}
