"""Catches networks of one's own that an ensemble would train otherwise than meant, or refuse with a bare error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.models import Model, Network
from grokscape.landscape.optimisers import SGD, AdamW
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.session import StoreSession
from grokscape.landscape.tasks import BinaryOperation, Task
from tests.landscape.helpers import assert_same_bits, last_weights, small_run, train, train_alone


class Own(Network):
    """A network around parts of one's own, on two tokens of seven."""

    def __init__(self, parts: nn.Module, *, whole: bool = False) -> None:
        super().__init__()
        self.parts, self.whole = parts, whole

    def standard_deviations(self) -> dict[str, float]:
        return {name: 0.5 for name, _ in self.named_parameters()}

    def forward(self, tokens: Tensor) -> Tensor:
        if self.whole:
            return self.parts(tokens)
        return self.parts(nn.functional.one_hot(tokens, 7).flatten(-2).to(next(self.parameters()).dtype))


#: What `OwnModel` builds; a test puts its network here.
BUILD: dict[str, Callable[[], Any]] = {}


@dataclass(frozen=True, kw_only=True)
class OwnModel(Model, kind="test_own_model"):
    name: str

    def build(self, task: Task) -> Network:
        return BUILD[self.name]()

    def multiplications(self, task: Task) -> float:
        return 100.0

    def activations(self, task: Task) -> int:
        return 16


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Iterator[Callable[[Callable[[], Any]], OwnModel]]:
    """Return a function that makes a model of what builds a network."""
    before = dict(BUILD)

    def made(build: Callable[[], Any]) -> OwnModel:
        BUILD[request.node.name] = build
        return OwnModel(name=request.node.name)

    yield made
    BUILD.clear()
    BUILD.update(before)


def dense(*parts: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(14, 16), *parts, nn.ReLU(), nn.Linear(16, 7))


def frozen() -> Own:
    network = Own(dense())
    network.parts[0].requires_grad_(False)  # type: ignore[index]
    return network


Made = Callable[[Callable[[], Any]], OwnModel]


@pytest.mark.parametrize(
    "optimiser", [AdamW(weight_decay=1.0), SGD(weight_decay=0.1, momentum=0.9)], ids=["adamw", "sgd"]
)
def test_frozen_layers_stay_and_the_others_train_as_in_a_plain_loop(model: Made, optimiser: Any) -> None:
    runs = [
        small_run(model=model(frozen), seed=seed, optimiser=optimiser, dtype="float64", steps=20) for seed in (0, 1)
    ]
    outcomes = train(runs)
    for run in runs:
        network = frozen().double()
        network.initialise(seed=run.seed)
        start = {name: tensor.detach().clone().numpy() for name, tensor in network.named_parameters()}
        free = [parameter for parameter in network.parameters() if parameter.requires_grad]
        if isinstance(optimiser, AdamW):
            steps: Any = torch.optim.AdamW(free, lr=optimiser.lr, betas=(0.9, 0.98), weight_decay=1.0)
        else:
            steps = torch.optim.SGD(free, lr=optimiser.lr, momentum=0.9, weight_decay=0.1)
        chosen = run.task.split(run.n_train, seed=run.seed).train
        for _ in range(20):
            steps.zero_grad()
            nn.functional.cross_entropy(network(run.task.inputs[chosen]), run.task.labels[chosen]).backward()
            steps.step()
        weights = last_weights(outcomes[run.identity])
        for name, tensor in network.named_parameters():
            if not tensor.requires_grad:
                assert np.array_equal(weights[name], start[name])
            assert np.allclose(weights[name], tensor.detach().numpy(), rtol=1e-9, atol=1e-12)
        assert not np.allclose(weights["parts.2.weight"], start["parts.2.weight"])
        assert_same_bits(train_alone(run), outcomes[run.identity])


def test_frozen_layers_stay_when_a_training_is_resumed_and_others_leave(model: Made, tmp_path: Any) -> None:
    runs = [small_run(model=model(frozen), seed=seed, steps=steps) for seed, steps in ((0, 30), (1, 10), (2, 30))]
    whole = train(runs, StoreSession(Store(tmp_path / "store"), interval=0.0))
    for run in runs:
        resumed = train([run], StoreSession(Store(tmp_path / "store")))  # its last snapshot lies there
        assert_same_bits(resumed[run.identity], whole[run.identity])
        assert_same_bits(train_alone(run), whole[run.identity])


def test_a_fixed_norm_beside_frozen_layers_is_refused(model: Made) -> None:
    with pytest.raises(InvalidInput, match=r"fixed_norm is 3\.0, expected None, because layers are frozen"):
        train_alone(small_run(model=model(frozen), fixed_norm=3.0))


class Tokens(nn.Module):
    """Embedded tokens into some part, and its first output into a dense layer."""

    def __init__(self, part: nn.Module, out: int, **flags: Any) -> None:
        super().__init__()
        self.embed, self.part, self.out = nn.Embedding(7, 4, **flags), part, nn.Linear(out, 7)

    def forward(self, tokens: Tensor) -> Tensor:
        found = self.part(self.embed(tokens))
        return self.out((found[0] if isinstance(found, tuple) else found).flatten(-2))


RIGHT = {
    "padding": lambda: Own(Tokens(nn.Tanh(), 8, padding_idx=0), whole=True),
    "lstm": lambda: Own(Tokens(nn.LSTM(4, 3, batch_first=True), 6), whole=True),
    "gru": lambda: Own(Tokens(nn.GRU(4, 3, batch_first=True), 6), whole=True),
    "batch norm in evaluation mode": lambda: Own(dense(nn.BatchNorm1d(16).eval())),
    "group norm": lambda: Own(dense(nn.GroupNorm(4, 16))),
    "dropout at rate 0": lambda: Own(dense(nn.Dropout(0.0))),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_network_of_ones_own_is_trained_as_in_a_plain_loop_alone_and_in_a_batch(model: Made, name: str) -> None:
    runs = [
        small_run(model=model(RIGHT[name]), seed=seed, optimiser=SGD(lr=0.3), dtype="float64", steps=20)
        for seed in range(3)
    ]
    outcomes = train(runs)
    for run in runs:
        network = RIGHT[name]().double()
        network.initialise(seed=run.seed)
        chosen = run.task.split(run.n_train, seed=run.seed).train
        steps = torch.optim.SGD(network.parameters(), lr=0.3)
        for _ in range(20):
            steps.zero_grad()
            nn.functional.cross_entropy(network(run.task.inputs[chosen]), run.task.labels[chosen]).backward()
            steps.step()
        for outcome in (outcomes[run.identity], train_alone(run)):
            for key, tensor in network.named_parameters():
                assert np.allclose(last_weights(outcome)[key], tensor.detach().numpy(), rtol=1e-9, atol=1e-12), key


class Remembering(nn.Module):
    """Counts its calls in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, hidden: Tensor) -> Tensor:
        self.calls += 1  # type: ignore[operator]
        return hidden


class Centred(nn.Module):
    def forward(self, hidden: Tensor) -> Tensor:
        return hidden - hidden.mean(0)


class Noisy(nn.Module):
    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + 0.1 * torch.randn(())


class Drawn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("features", torch.randn(16))

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden * self.features


def all_frozen() -> Own:
    return Own(dense()).requires_grad_(False)  # type: ignore[return-value]


WRONG = {
    "batch norm": (lambda: Own(dense(nn.BatchNorm1d(16))), "BatchNorm1d that normalises over its batch"),
    "batch norm without statistics": (lambda: Own(dense(nn.BatchNorm1d(16, track_running_stats=False))), "LayerNorm"),
    "dropout": (lambda: Own(dense(nn.Dropout(0.5))), "'parts.1' of Own drops out at random"),
    "functional dropout": (lambda: Own(dense(Noisy())), "gives other outputs when it is asked again"),
    "memory": (lambda: Own(dense(Remembering())), "changes its buffer 'parts.1.calls'"),
    "centring": (lambda: Own(dense(Centred())), "depend on which others are in the batch"),
    "buffers": (lambda: Own(dense(Drawn())), "buffer 'parts.1.features' of Own holds other numbers"),
    "nothing to train": (all_frozen, "no parameter of Own requires a gradient"),
    "sizes": (lambda: Own(nn.Linear(3, 7)), "Own fails on the first 8 inputs"),
    "two outputs": (lambda: Own(nn.LSTM(14, 7)), "returns a tuple, expected a tensor"),
    "no network": (lambda: dense(), "built a Sequential without a method initialise"),
    "lazy": (lambda: Own(nn.LazyLinear(7)), "lazy or on the meta device"),
    "frequency": (lambda: Own(Tokens(nn.Tanh(), 8, scale_grad_by_freq=True), whole=True), "scale_grad_by_freq=True"),
    "max_norm": (lambda: Own(Tokens(nn.Tanh(), 8, max_norm=1.0), whole=True), "max_norm=1.0"),
}


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
@pytest.mark.parametrize("name", WRONG)
def test_what_an_ensemble_cannot_train_rightly_is_refused_by_name(model: Made, name: str) -> None:
    build, words = WRONG[name]
    for runs in (1, 2):
        with pytest.raises(InvalidInput, match=words):
            train([small_run(model=model(build), seed=seed) for seed in range(runs)])
    assert BinaryOperation(p=7) == small_run(model=model(build)).task  # the description itself is legal
