"""Networks stepped side by side on their spheres, and what is recorded of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.optim.adamw import adamw

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.graph_capture import captured, different_inputs, transpose_products
from grokscape.landscape.measures.norm_profile.sphere import Sphere
from grokscape.landscape.optimisers import AdamW, Optimiser, State
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.batches import part
from grokscape.landscape.problem.weighing import weights

#: What is followed: the split, and the quantity that `Problem` measures on it.
MEASURED = [(split, quantity) for split in ("train", "test") for quantity in ("loss", "accuracy")]

#: Bytes of the widest tensor that networks stepped side by side may hold; on a CPU, so that they stay in its cache.
WIDEST = {"cpu": 1_500_000, "other": 2**28}

#: Networks that are done are stepped on, unseen, until only this share is left: packing anew costs some steps.
REPACKED = 0.75

Gradient = Callable[[Tensor], tuple[Tensor, ...]]


class Descent:
    """Networks that are stepped side by side, and what has been seen of them."""

    def __init__(
        self,
        problem: Problem,
        sphere: Sphere,
        optimiser: Optimiser,
        params: Tensor,
        radius: Tensor,
        *,
        tangential: bool,
        stop_loss: float,
        plans: dict[int, Gradient],
    ) -> None:
        self.problem, self.sphere, self.optimiser = problem, sphere, optimiser
        self.tangential, self.stop_loss, self.plans = tangential, stop_loss, plans
        self.params, self.radius = params.clone(), radius
        self.end = {key: np.full(len(params), np.nan) for key in MEASURED}
        self.best = {key: np.full(len(params), np.nan) for key in MEASURED}
        self.steps = np.zeros(len(params), dtype=np.int64)
        self.change, self.residual = np.full(len(params), np.nan), np.full(len(params), np.nan)
        self.evaluations, self.gradients = 0, 0

    def run(self, steps: int, every: int, examples: Tensor | None) -> Iterator[int]:
        """Take all steps; yield at every record how many are taken."""
        living = torch.arange(len(self.params), device=self.params.device)
        params, state = self.params.clone(), self.optimiser.initial_state(self.params)
        losses_seen = torch.full((steps, len(params)), torch.nan, dtype=torch.float64, device=params.device)
        data, gradient_of = self._data(examples, params)
        stays = np.ones(len(params), dtype=bool)
        for step in range(steps + 1):
            if step % every == 0 or step == steps:
                stays &= self._record(living, params, stays, data, step)
                yield step
                if step == steps or not stays.any():
                    break
                if stays.mean() <= REPACKED:
                    kept = torch.from_numpy(stays).to(params.device)
                    living, params, stays = living[kept], params[kept], stays[stays]
                    state = {name: value[kept] for name, value in state.items()}
                    data, gradient_of = self._data(None if examples is None else examples[living.cpu()], params)
            losses, gradient = gradient_of(params)
            self.gradients += len(params)
            losses_seen[step, living] = losses.double()
            if self.tangential:
                gradient = self.sphere.tangent(params, gradient)
            self._advance(params, gradient, state, step)
            self.sphere.onto(params, self.radius[living, None])
        self.change = _changes(losses_seen.cpu().numpy(), self.steps)
        _, gradient = Data(self.problem, examples).gradient(self.params)
        self.gradients += len(self.params)
        self.residual = self.sphere.residual(self.params, gradient).double().cpu().numpy()

    def _data(self, examples: Tensor | None, params: Tensor) -> tuple[Data, Gradient]:
        data = Data(self.problem, examples)
        # A plan of several batches would be long, and one of networks that vmap cannot run would hold them one by one.
        if len(data.batches) > 1 or not self.problem.vectorised:
            return data, data.gradient
        if data.own:
            return data, _planned(data.gradient, params)
        if len(params) not in self.plans:
            self.plans[len(params)] = _planned(data.gradient, params)
        return data, self.plans[len(params)]

    def _advance(self, params: Tensor, gradient: Tensor, state: State, taken: int) -> None:
        """Take the optimiser's step."""
        constant = params[:, self.sphere.constant] if self.sphere.any_constant else None
        one = self.optimiser
        if type(one) is AdamW and params.device.type in ("cpu", "cuda"):
            # All networks share their rates, so PyTorch's fused kernel can take the matrix as a single parameter.
            adamw(
                [params], [gradient], [state["mean"]], [state["square"]], [],
                [torch.tensor(float(taken), device=params.device)],
                fused=True, amsgrad=False, maximize=False,
                lr=one.lr, beta1=one.beta1, beta2=one.beta2, eps=one.eps, weight_decay=one.weight_decay,
            )  # fmt: skip
        else:
            rates = type(one).rates([one] * len(params), params)
            type(one).step(params, gradient, state, rates, params.new_tensor(taken + 1.0))
        if constant is not None:
            params[:, self.sphere.constant] = constant

    def _record(self, living: Tensor, params: Tensor, stays: np.ndarray, data: Data, step: int) -> np.ndarray:
        """Take in what the networks that stay are like now; return which are not done."""
        kept = torch.from_numpy(stays).to(params.device)
        self.params[living[kept]] = params[kept]
        index = living.cpu().numpy()[stays]
        self.steps[index] = step
        for (split, quantity), values in data.measure(params).items():
            best, extreme = self.best[split, quantity], np.fmin if quantity == "loss" else np.fmax
            self.end[split, quantity][index] = values[stays]
            best[index] = extreme(best[index], values[stays])
        self.evaluations += len(params) * len(self.problem.batches)
        loss = np.full(len(stays), np.nan)
        loss[stays] = self.end["train", "loss"][index]
        return np.isfinite(loss) & (loss > self.stop_loss)


class Data:
    """The training data of some networks: shared, or each its own."""

    def __init__(self, problem: Problem, examples: Tensor | None) -> None:
        self.problem, self.own = problem, examples is not None
        self.batches = list(problem.shares("train"))
        if examples is not None:
            index = examples.to(problem.device)
            problem.need_examples("a choice of examples for each network")
            inputs, targets = part(problem.all_data("train"), index)
            self.batches = [(1.0, inputs, targets)]
            each = weights(problem.weighing, [(None, part(targets, network)) for network in range(len(index))])
            if not all(each):
                raise InvalidInput(
                    f"of the {index.shape[1]} training examples chosen for network {each.index(0)}, none counts: the "
                    "loss ignores all of them, or their classes weigh nothing; leave such examples out of the data, or "
                    "choose more"
                )

    def gradient(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """Return losses (networks,) and gradients (networks, P)."""
        if len(self.batches) > 1:
            return self.problem.gradients(params)
        leaf = params.detach().requires_grad_()
        ((_, inputs, targets),) = self.batches
        values = self.problem.losses(leaf, inputs, targets, own=self.own)
        (gradient,) = torch.autograd.grad(values.sum(), leaf, allow_unused=True)
        return values.detach(), torch.zeros_like(params) if gradient is None else gradient

    @torch.no_grad()
    def measure(self, params: Tensor) -> dict[tuple[str, str], np.ndarray]:
        """Return loss and accuracy on every split, each (networks,)."""
        measured = {split: self.problem.evaluate(params, split) for split in self.problem.batches if not self.own}
        if self.own:
            measured = {"train": self._own_measure(params)}
            if "test" in self.problem.batches:
                measured["test"] = self.problem.evaluate(params, "test")
        return {(split, name): value.numpy() for split, found in measured.items() for name, value in found.items()}

    def _own_measure(self, params: Tensor) -> dict[str, Tensor]:
        ((_, inputs, targets),) = self.batches
        outputs = self.problem.outputs_of(params, inputs, own=True)
        found = {name: torch.zeros(len(params), dtype=torch.float64) for name in ("loss", "accuracy")}
        for index in range(len(params)):
            one, true = part((outputs, targets), index)
            found["loss"][index] = float(self.problem.output_loss(one, true))
            found["accuracy"][index], _ = self.problem.accuracy(one, true)
        return found


def _planned(gradient: Gradient, params: Tensor) -> Gradient:
    return captured(gradient, params, simplify=transpose_products, check_on=different_inputs(params))


def _changes(history: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the relative change of each column of losses (steps, networks) over the last fifth of its steps."""
    changes = np.full(len(steps), np.nan)
    for column, count in enumerate(steps):
        half = count // 10
        if half:
            early, late = history[count - 2 * half : count, column].reshape(2, half).mean(1)
            changes[column] = late / early - 1 if early else 0.0
    return changes


def networks_per_batch(problem: Problem) -> int:
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
