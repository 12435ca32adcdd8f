"""Runs of one shape, stepped together.

The promise about batches: on a CPU and without ``torch.compile`` the record of a run is the same bit for bit, in
float32 and in float64, whoever it was trained beside. It is kept by layout. Every run is computed by itself, by the
same operations in the same order, and whatever goes into a product of matrices lies alike: each parameter of a row and
each array begins at a multiple of 64 bytes. A product depends on nothing else while it has one thread
(`batch_dependence` tries it). On other devices, where all runs are computed at once, a record agrees to rounding error,
which chaotic training may amplify.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from grokscape.landscape.experiment import COLUMNS, Outcome, Session, Snapshot, Weights
from grokscape.landscape.fused import Gradient
from grokscape.landscape.objectives import OBJECTIVES
from grokscape.landscape.stack import Stack
from grokscape.landscape.training import arithmetic
from grokscape.landscape.training.gradients import OneByOne, together
from grokscape.landscape.training.measurements import Measured, RunMeasurer, behaviour, norms
from grokscape.landscape.training.network_checks import checked_network
from grokscape.landscape.training.run_log import RunLog
from grokscape.landscape.training.subnormal import flushed
from grokscape.landscape.training.torch_compile import compiled_or_plain

if TYPE_CHECKING:
    from grokscape.landscape.training.run import Run

NONE = np.zeros(0)


class NetworkEnsemble:
    """Runs that have not ended, their parameters as rows of one matrix, and all that belongs to them row by row."""

    def __init__(self, runs: Sequence[Run], session: Session) -> None:
        first = runs[0]
        self.device = torch.device(session.device)
        self.dtype: torch.dtype = getattr(torch, first.dtype)
        network = checked_network(lambda: first.model.build(first.task).to(self.dtype), inputs_of(first))
        self.stack = Stack(network)
        self.session, self.first = session, first
        self.optimiser = type(first.optimiser)
        self.inputs = self.exact(first.task.inputs)
        self.logs = [RunLog(run, held=[0] * len(run.stop)) for run in runs]
        snapshots = [session.snapshot(run) for run in runs]
        self.step = snapshots[0].step if snapshots[0] else 0
        splits = [run.task.split(run.n_train, seed=run.seed) for run in runs]
        labels = [
            run.task.labels_of(run.seed) if run.labels == "true" else run.task.random_labels(seed=run.seed)
            for run in runs
        ]
        self.labels = self.exact(torch.stack(labels))
        train = torch.stack([split.train for split in splits]).to(self.device)
        self.train_inputs = self.inputs[train]
        self.train_labels = torch.stack([of_run[chosen] for of_run, chosen in zip(self.labels, train, strict=True)])
        self.masks = {}
        for name in ("train", "test", "unmirrored"):
            mask = torch.zeros(len(runs), len(self.inputs), dtype=torch.bool)
            for row, split in enumerate(splits):
                mask[row, getattr(split, name)] = True
            self.masks[name] = mask.to(self.device)

        starts = []
        for log, snapshot in zip(self.logs, snapshots, strict=True):
            if snapshot is not None:
                starts.append(self.stack.spread(torch.from_numpy(snapshot.arrays["parameters"])))
                log.rows = list(snapshot.rows.itertuples(index=False, name=None))
                log.recorded = snapshot.step
                log.held = snapshot.arrays["held"].tolist()
                log.weights = _checkpoints_from(snapshot.arrays)
                log.arithmetic = arithmetic.of_snapshot(snapshot.arrays)
                continue
            run = log.run
            if run.start is not None:
                weights = session.final_weights(run.start)
                starts.append(self.stack.row({k: torch.from_numpy(v).to(self.dtype) for k, v in weights.items()}))
            else:
                network.initialise(seed=run.seed, scale=run.initial_scale)
                starts.append(self.stack.row(dict(network.state_dict())))
        self.rows = torch.stack(starts).to(self.device, self.dtype)
        self.state = self.optimiser.initial_state(self.rows)
        if self.step:
            for name in self.state:
                saved = [s.arrays[f"state/{name}"] for s in snapshots if s is not None]
                self.state[name] = self.stack.spread(torch.from_numpy(np.stack(saved))).to(self.device, self.dtype)
        self.rates = self.optimiser.rates([run.optimiser for run in runs], self.rows)
        fixed = [run.fixed_norm for run in runs]
        self.norm = None if fixed[0] is None else self.rows.new_tensor(fixed)[:, None]
        if not self.step:
            self.project()
        self.frozen = columns_of_frozen(network, self.stack)
        if self.norm is not None and len(self.frozen):
            first.refuse("fixed_norm", "None, because layers are frozen", "project in a run without frozen layers")
        self.held = self.rows[:, self.frozen]
        self._prepare()

    def exact(self, data: Tensor) -> Tensor:
        """Return a copy of data on the device of the runs; numbers with a fraction in their precision.

        What NumPy made begins anywhere in memory; PyTorch's own begins on a boundary.
        """
        return data.to(self.device, self.dtype if data.is_floating_point() else data.dtype, copy=True)

    def _prepare(self) -> None:
        """Choose how the runs that are left are computed."""
        loss, data = self.first.loss, (self.train_inputs, self.train_labels)
        self.measurer: RunMeasurer | None = None
        by, step = arithmetic.BY_PYTORCH, None
        if self.device.type == "cpu":
            chosen = arithmetic.Choice(self.first, self.stack, *data, self.inputs)
            if chosen.note:
                self.session.note(chosen.note)
            self.gradients: Callable[[Tensor], Tensor] = chosen.gradient or OneByOne(self.stack, loss, *data)
            self.output = chosen.outputs or (lambda row: self.stack.output(row, self.inputs))
            self.measurer = RunMeasurer(self.stack, self.labels, self.masks, loss, self.first.task.tolerance)
            step = arithmetic.compiled_step(self.optimiser, self.rows, self.state, self.rates)
            if step:
                by = arithmetic.COMPILED if chosen.gradient else arithmetic.ONLY_STEPS_COMPILED
        else:
            self.gradients = together(self.stack, loss, *data)
        self.take: Callable[[Tensor, int], None] = step or self._step
        self.stretch: Callable[[int, int], None] | None = None
        if isinstance(self.gradients, Gradient) and step is not None and not len(self.frozen):
            train, norms = self.gradients.train, self.norm.double().flatten().numpy() if self.norm is not None else NONE
            self.stretch = lambda first, count: train(step, norms, first, count)
        self._update: Callable[[int], None] = self.update
        if self.session.compile:
            with torch.no_grad():  # at first a stack tries whether it can run networks together, which no compiler can
                self.stack.outputs(self.rows, self.train_inputs)
            self.stretch = None
            self._update = compiled_or_plain(self.update_whole, self.update, self.rows, failed=lambda: self._says(by))
        self._says(arithmetic.BY_TORCH_COMPILE if self.session.compile else by)

    def _says(self, by: str) -> None:
        """Note by which arithmetic the next steps are taken."""
        for log in self.logs:
            if log.arithmetic[-1:] == [arithmetic.BY_TORCH_COMPILE]:  # which failed before it took a step
                log.arithmetic.pop()
            if log.arithmetic[-1:] != [by]:
                log.arithmetic.append(by)

    def _step(self, slopes: Tensor, number: int) -> None:
        self.optimiser.step(self.rows, slopes, self.state, self.rates, self.rows.new_tensor(float(number)))

    def update(self, number: int) -> None:
        """Take one step."""
        self.take(self.gradients(self.rows), number)

    def update_whole(self, number: Tensor) -> None:
        """Take one step in the form that a compiler understands."""
        loss = OBJECTIVES[self.first.loss]

        def total(rows: Tensor) -> Tensor:
            return loss(self.stack.outputs(rows, self.train_inputs), self.train_labels).mean(1).sum()

        self.optimiser.step(self.rows, torch.func.grad(total)(self.rows), self.state, self.rates, number)

    def project(self) -> None:
        if self.norm is not None:
            # Each run's own, whose sum is then the same in any batch.
            own = torch.stack([row.norm() for row in self.rows])
            self.rows *= self.norm / own[:, None]

    def advance(self, count: int = 1) -> None:
        """Take some steps."""
        with flushed():
            self._advance(count)

    def _advance(self, count: int) -> None:
        if self.stretch is not None:
            self.stretch(self.step + 1, count)
            self.step += count
            return
        for _ in range(count):
            self.step += 1
            self._update(self.step)
            if len(self.frozen):
                self.rows[:, self.frozen] = self.held
            self.project()

    @torch.no_grad()
    def measure(self) -> list[Measured]:
        if self.measurer is not None:
            return [self.measurer.run(number, row, self.output(row)) for number, row in enumerate(self.rows)]
        outputs = self.stack.outputs(self.rows, self.inputs, shared=True)
        loss = OBJECTIVES[self.first.loss]
        done = behaviour(outputs, self.labels, self.masks, loss, self.first.task.tolerance)
        return [one | norm for one, norm in zip(done, norms(self.stack, self.rows), strict=True)]

    def weights(self, row: int) -> Weights:
        """Return a copy of one network's tensors on the CPU."""
        return {name: t[row].cpu().numpy().copy() for name, t in self.stack.tensors(self.rows).items()}

    def keep(self, rows: list[int]) -> None:
        """Let all other runs leave the ensemble."""
        index = torch.tensor(rows, device=self.device)
        self.logs = [self.logs[row] for row in rows]
        self.rows = self.rows[index]
        self.labels, self.train_inputs = self.labels[index], self.train_inputs[index]
        self.train_labels = self.train_labels[index]
        self.masks = {name: mask[index] for name, mask in self.masks.items()}
        self.state = {name: value[index] for name, value in self.state.items()}
        self.rates = {name: value[index] for name, value in self.rates.items()}
        self.norm = None if self.norm is None else self.norm[index]
        self.held = self.held[index]
        self._prepare()

    def outcome(self, row: int, info: dict[str, Any]) -> Outcome:
        """Return what a finished run leaves behind."""
        log = self.logs[row]
        trajectory = pd.DataFrame(log.rows, columns=list(COLUMNS))
        info |= {"arithmetic": ", then ".join(log.arithmetic)}
        return Outcome(trajectory, log.weights | {self.step: self.weights(row)}, info)

    def snapshot(self, row: int) -> Snapshot:
        log = self.logs[row]
        arrays = {"parameters": self._saved(self.rows[row]), "held": np.array(log.held, dtype=np.int64)}
        arrays |= {f"state/{name}": self._saved(value[row]) for name, value in self.state.items()}
        arrays |= arithmetic.for_snapshot(log.arithmetic)
        for step, weights in log.weights.items():
            arrays |= {f"kept/{step}/{name}": value for name, value in weights.items()}
        return Snapshot(self.step, pd.DataFrame(log.rows, columns=list(COLUMNS)), arrays)

    def _saved(self, row: Tensor) -> np.ndarray:
        return self.stack.compact(row).cpu().numpy().copy()


def inputs_of(run: Run) -> Tensor:
    """Return the inputs of a run's task; numbers with a fraction in its precision."""
    inputs = run.task.inputs
    return inputs.to(getattr(torch, run.dtype)) if inputs.is_floating_point() else inputs


def columns_of_frozen(network: nn.Module, stack: Stack) -> Tensor:
    """Return where parameters that require no gradient stand in a row, int64."""
    frozen = [torch.empty(0, dtype=torch.int64)]
    for (_, parameter), columns in zip(network.named_parameters(), stack.slices().values(), strict=True):
        if not parameter.requires_grad:
            frozen.append(torch.arange(columns.start, columns.stop))
    return torch.cat(frozen)


def _checkpoints_from(arrays: Weights) -> dict[int, Weights]:
    kept: dict[int, Weights] = {}
    for key, value in arrays.items():
        if key.startswith("kept/"):
            _, step, name = key.split("/", 2)
            kept.setdefault(int(step), {})[name] = value
    return kept
