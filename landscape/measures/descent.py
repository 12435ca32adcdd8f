"""Networks stepped side by side on their spheres, and what is seen of them on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from landscape.measures.sphere import Sphere
from landscape.optimisers import Optimiser
from landscape.problem import Problem

#: What is followed: the split, and the quantity that `Problem` measures on it.
MEASURED = [(split, quantity) for split in ("train", "test") for quantity in ("loss", "accuracy")]


#: Bytes of the widest tensor that networks stepped side by side may hold; on a CPU, so that they stay in its cache.
WIDEST = {"cpu": 1_500_000, "other": 2**28}


class Descent:
    """Networks that are stepped side by side, and what has been seen of them."""

    def __init__(
        self, problem: Problem, sphere: Sphere, optimiser: Optimiser, rows: Tensor, radius: Tensor, floor: float
    ) -> None:
        self.problem, self.sphere, self.optimiser, self.floor = problem, sphere, optimiser, floor
        self.rows, self.radius = rows.clone(), radius
        self.end = {key: np.full(len(rows), np.nan) for key in MEASURED}
        self.best = {key: np.full(len(rows), np.nan) for key in MEASURED}
        self.steps = np.zeros(len(rows), dtype=np.int64)
        self.change, self.residual = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        self.evaluations = 0

    def run(self, steps: int, every: int, examples: Tensor | None) -> Iterator[int]:
        """Take all steps; yield at every record how many are taken."""
        living = torch.arange(len(self.rows), device=self.rows.device)
        rows, history = self.rows.clone(), torch.zeros(steps, len(self.rows), dtype=torch.float64)
        state = self.optimiser.initial_state(rows)
        data = self._data(examples)
        rates = self.optimiser.rates([self.optimiser] * len(rows), rows)
        for step in range(steps + 1):
            if step % every == 0 or step == steps:
                self.rows[living] = rows
                stays = torch.from_numpy(self._record(living, rows, data, step, last=step == steps))
                yield step
                if not stays.any():
                    break
                if not stays.all():
                    kept = stays.nonzero().squeeze(1).to(rows.device)
                    living, rows = living[kept], rows[kept]
                    state = {name: value[kept] for name, value in state.items()}
                    rates = {name: value[kept] for name, value in rates.items()}
                    data = self._data(None if examples is None else examples[living.cpu()])
            losses, gradient = data.gradient(rows)
            history[step, living] = losses.double()
            before = rows[:, self.sphere.constant]
            type(self.optimiser).step(rows, gradient, state, rates, rows.new_tensor(float(step + 1)))
            rows[:, self.sphere.constant] = before
            self.sphere.onto(rows, self.radius[living, None])
        self.change = _changes(history.numpy(), self.steps)
        losses, gradient = self._data(examples).gradient(self.rows)
        self.residual = self.sphere.residual(self.rows, gradient).double().cpu().numpy()

    def _data(self, examples: Tensor | None) -> _Data:
        return _Data(self.problem, examples)

    def _record(self, living: Tensor, rows: Tensor, data: _Data, step: int, *, last: bool) -> np.ndarray:
        """Take in what the living networks are like now; return who stays."""
        index = living.cpu().numpy()
        self.steps[index] = step
        for (split, quantity), values in data.measure(rows).items():
            extreme = np.fmin if quantity == "loss" else np.fmax
            self.end[split, quantity][index] = values
            self.best[split, quantity][index] = extreme(self.best[split, quantity][index], values)
        self.evaluations += len(index) * len(self.problem.batches)
        loss = self.end["train", "loss"][index]
        return np.isfinite(loss) & (loss > self.floor) & (not last)


class _Data:
    """The training data of some networks: shared, or each its own."""

    def __init__(self, problem: Problem, examples: Tensor | None) -> None:
        self.problem, self.own = problem, examples is not None
        self.batches = list(problem.shares("train"))
        if examples is not None:
            index = examples.to(problem.device)
            self.batches = [(1.0, *pytree.tree_map(lambda leaf: leaf[index], problem.whole("train")))]

    def gradient(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return losses (networks,) and gradients (networks, P)."""
        if not self.own:
            return self.problem.gradients(rows)
        leaf = rows.detach().requires_grad_()
        ((_, inputs, targets),) = self.batches
        values = self.problem.losses(leaf, inputs, targets, own=True)
        return values.detach(), torch.autograd.grad(values.sum(), leaf)[0]

    @torch.no_grad()
    def measure(self, rows: Tensor) -> dict[tuple[str, str], np.ndarray]:
        """Return loss and accuracy on every split, each (networks,)."""
        measured = {split: self.problem.evaluate(rows, split) for split in self.problem.batches if not self.own}
        if self.own:
            measured = {"train": self._own_measure(rows)}
            if "test" in self.problem.batches:
                measured["test"] = self.problem.evaluate(rows, "test")
        return {(split, name): value.numpy() for split, found in measured.items() for name, value in found.items()}

    def _own_measure(self, rows: Tensor) -> dict[str, Tensor]:
        ((_, inputs, targets),) = self.batches
        outputs = self.problem.outputs_of(rows, inputs, own=True)
        found = {name: torch.zeros(len(rows), dtype=torch.float64) for name in ("loss", "accuracy")}
        for index in range(len(rows)):
            one, true = pytree.tree_map(lambda leaf, index=index: leaf[index], (outputs, targets))
            found["loss"][index] = float(self.problem.output_loss(one, true))
            found["accuracy"][index] = float(self.problem.rightness(one, true).mean())
        return found


def _changes(history: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the relative change of each column of losses (steps, networks) over the last fifth of its steps."""
    changes = np.full(len(steps), np.nan)
    for column, count in enumerate(steps):
        half = count // 10
        if half:
            early, late = history[count - 2 * half : count, column].reshape(2, half).mean(1)
            changes[column] = late / early - 1 if early else 0.0
    return changes


def company(problem: Problem) -> int:
    """Return how many networks are best stepped side by side: as many as the cache holds."""
    widest = problem.size * problem.dtype.itemsize

    def packed(tensor: Tensor) -> Tensor:
        nonlocal widest
        widest = max(widest, tensor.numel() * tensor.element_size())
        return tensor

    _, inputs, targets = next(iter(problem.shares("train")))
    with torch.autograd.graph.saved_tensors_hooks(packed, lambda tensor: tensor):
        problem.batch_loss(problem.start.clone().requires_grad_(), inputs, targets)
    return max(1, WIDEST.get(problem.device.type, WIDEST["other"]) // widest)


@contextlib.contextmanager
def without_denormals() -> Iterator[None]:
    """Round to zero what is below the smallest normal number: arithmetic on such numbers is many times slower."""
    tiny = torch.tensor([1e-40])
    before = not bool((tiny * 1.0 > 0).any())
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
