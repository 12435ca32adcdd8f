"""The toy of the effective theory: embeddings that are added, then decoded (Liu et al. 2022, arXiv:2205.10343).

Each of p symbols has a trainable embedding ``E_i`` in R^d, and the sum of two symbols (not modulo p) is asked for as
one of ``2 p - 1`` fixed random vectors::

    output(i, j) = D(E_i + E_j),    loss = mean over pairs and outputs of (output - target_(i + j))^2

with a perceptron D of tanh layers. That operands are added before they are decoded is built in, so that what remains to
be learnt is where the symbols lie. Embeddings and decoder have an optimiser each.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from landscape import randomness
from landscape.experiment import COLUMNS, Experiment, Outcome, Session
from landscape.learners import parallelograms
from landscape.optimisers import AdamW
from landscape.training.schedule import Schedule
from landscape.training.stop import Stop

#: The authors' settings, which are those of torch.optim.AdamW.
EMBEDDING = AdamW(lr=1e-3, weight_decay=0.0, beta2=0.999)
DECODER = AdamW(lr=1e-4, weight_decay=0.0, beta2=0.999)


@dataclass(frozen=True, kw_only=True)
class EmbeddingDecoder(Experiment, kind="embedding_decoder"):
    """Full-batch training of embeddings and decoder on some of the sums.

    It records loss and accuracy (nearest target) on "train" and "test", on "test" also "accuracy on known sums" (pairs
    whose sum some training pair has; the vector of any other sum cannot be known), and of the embedding: "quality" (the
    share of all parallelograms that are realised, RQI) and "predicted accuracy" (the share of all pairs that are
    trained on or linked to one that is by a realised parallelogram). The last embedding is kept as the weights
    "embedding". And for stop rules "lower accuracy", the smaller of that on "train" and that on known sums.

    Members of a batch are independent; in other company a run may differ by rounding, which training can amplify.

    Parameters
    ----------
    symbols : int
        p.
    dimension : int
        d.
    widths : tuple of int
        Hidden layers of the decoder.
    outputs : int
        Length of the targets, drawn from N(0, I).
    n_train : int
        Pairs trained on, of p (p + 1) / 2 with i <= j.
    seed : int
        Decides embeddings, decoder, targets and training set, each independently.
    draw : int
        Which of the training sets of a seed; those of one draw are nested in size.
    labels : {"true", "shuffled"}
        Shuffled labels deal the sums out at random, so that no place of the symbols is better than another.
    embedding, decoder : AdamW
    steps : int
    record : Schedule
    stop : tuple of Stop
        The run ends when any of them is met.
    """

    symbols: int = 10
    dimension: int = 1
    widths: tuple[int, ...] = (200, 200)
    outputs: int = 30
    n_train: int = 45
    seed: int
    draw: int = 0
    labels: Literal["true", "shuffled"] = "true"
    embedding: AdamW = EMBEDDING
    decoder: AdamW = DECODER
    steps: int
    record: Schedule = field(default_factory=lambda: Schedule(per_decade=20, every=100))
    stop: tuple[Stop, ...] = ()

    #: Parameters, moments and activations of so many narrow decoders fit a cache; a step's fixed cost is shared.
    largest_batch: ClassVar[int | None] = 32

    def validate(self) -> None:
        number = len(parallelograms.pairs(self.symbols))
        if not 1 <= self.n_train < number:
            self.refuse("n_train", f"between 1 and {number - 1}", f"there are {number} pairs, and one must be left")
        if not self.widths or min(self.widths) < 1:
            self.refuse("widths", "at least one width, each at least 1")
        for name, least in (("dimension", 1), ("outputs", 1), ("steps", 1), ("seed", 0), ("draw", 0)):
            if getattr(self, name) < least:
                self.refuse(name, f"at least {least}")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers that enter and leave each layer of the decoder."""
        return (self.dimension, *self.widths, self.outputs)

    @property
    def train_pairs(self) -> np.ndarray:
        """Indices of the pairs trained on, ascending, int64 of shape (n_train,)."""
        number = len(parallelograms.pairs(self.symbols))
        return np.sort(randomness.permutation(number, self.seed, f"pairs/{self.draw}")[: self.n_train])

    @property
    def sums(self) -> np.ndarray:
        """What counts as each pair's sum, int64 of shape (pairs,)."""
        true = parallelograms.sums(self.symbols)
        return true if self.labels == "true" else true[randomness.permutation(len(true), self.seed, "labels")]

    @property
    def batch_key(self) -> str:
        shape = (self.symbols, *self.sizes)
        return f"{'-'.join(map(str, shape))}|{self.record.canonical}"

    @property
    def work(self) -> float:
        # Next to narrow layers, AdamW, tanh and the fixed cost of a step count for more than their multiplications.
        weights = sum((before + 1.0) * after for before, after in itertools.pairwise(self.sizes))
        number = len(parallelograms.pairs(self.symbols))
        return self.steps * (3 * number * (weights + 20 * sum(self.widths)) + 40 * weights + 2e5)

    def memory(self, company: int) -> float:
        weights = sum((before + 1.0) * after for before, after in itertools.pairwise(self.sizes))
        return 4 * company * (6 * weights + 4 * len(parallelograms.pairs(self.symbols)) * sum(self.sizes))

    @classmethod
    def train(cls, batch: Sequence[EmbeddingDecoder], session: Session) -> Iterator[tuple[EmbeddingDecoder, Outcome]]:
        began = time.perf_counter()
        members = list(batch)
        ensemble = Ensemble(members, session.device)
        last = max(member.steps for member in members)
        due = {member.identity: set(member.record.steps(member.steps)) for member in members}
        records = set().union(*due.values())
        rows: dict[str, list[tuple[int, str, str, float]]] = {member.identity: [] for member in members}
        held = {member.identity: [0] * len(member.stop) for member in members}
        for step in range(last + 1):
            if step in records:
                measured, staying = ensemble.measure(), []
                for index, member in enumerate(members):
                    reason = "steps" if step == member.steps else None
                    if step in due[member.identity]:
                        values = {key: float(column[index]) for key, column in measured.items()}
                        rows[member.identity] += [(step, *key, value) for key, value in values.items()]
                        counts = held[member.identity]
                        for place, stop in enumerate(member.stop):
                            counts[place] = counts[place] + 1 if stop.holds(values) else 0
                            if counts[place] >= stop.records:
                                reason = f"{stop.quantity} {stop.split}".strip()
                    if reason is None:
                        staying.append(index)
                        continue
                    info = {"last_step": step, "stopped_by": reason, "ensemble": len(batch)}
                    info["seconds"] = (time.perf_counter() - began) / len(batch)
                    table = pd.DataFrame(rows[member.identity], columns=list(COLUMNS))
                    yield member, Outcome(table, {step: {"embedding": ensemble.embedding_of(index)}}, info)
                if not staying:
                    return
                if len(staying) < len(members):
                    members = [members[index] for index in staying]
                    ensemble.keep(staying)
                session.report(step / last)
            ensemble.advance()


class Ensemble:
    """Runs of one `batch_key` over stacked parameters, in float32.

    Parameters
    ----------
    members : sequence of EmbeddingDecoder
    device : str
    """

    def __init__(self, members: Sequence[EmbeddingDecoder], device: str = "cpu") -> None:
        first = members[0]
        self.symbols, self.dimension, self.sizes = first.symbols, first.dimension, first.sizes
        drawn = [_drawn(member) for member in members]
        embedding, decoder, targets = (torch.stack(parts).to(device) for parts in zip(*drawn, strict=True))
        trained = torch.zeros(len(members), len(parallelograms.pairs(self.symbols)), device=device)
        for row, member in zip(trained, members, strict=True):
            row[torch.from_numpy(member.train_pairs)] = 1
        labels = torch.tensor(np.stack([member.sums for member in members]), device=device)
        self.runs = {"embedding": embedding, "decoder": decoder, "targets": targets, "trained": trained}
        self.runs |= {"labels": labels, "wanted": targets[torch.arange(len(members))[:, None], labels]}
        seen = torch.zeros(targets.shape[:2], device=device).scatter_add_(1, labels, trained)
        self.runs["known"] = (seen.gather(1, labels) > 0) & (trained == 0)
        self.optimised = {"embedding": [m.embedding for m in members], "decoder": [m.decoder for m in members]}
        self.rates = {name: AdamW.rates(each, self.runs[name]) for name, each in self.optimised.items()}
        self.states = {name: AdamW.initial_state(self.runs[name]) for name in self.optimised}
        self.number = torch.zeros((), device=device)
        # Which symbols make up each pair, ones and a two where it is a double: shape (pairs, symbols).
        pairs = torch.tensor(parallelograms.pairs(self.symbols), device=device)
        self.made_of = torch.nn.functional.one_hot(pairs, self.symbols).sum(1).to(targets)
        self._prepare()

    def _prepare(self) -> None:
        """Say which parts of the decoder's row are which layer, and how much each pair counts in the loss."""
        trained = self.runs["trained"]
        self.share = (2 / self.sizes[-1] * trained / trained.sum(1, keepdim=True))[..., None]
        self.gradients = {name: torch.zeros_like(self.runs[name]) for name in self.optimised}
        self.layers = _layers(self.runs["decoder"], self.sizes)
        self.slopes = _layers(self.gradients["decoder"], self.sizes)
        self.places = self.runs["embedding"].view(-1, self.symbols, self.dimension)

    def keep(self, staying: list[int]) -> None:
        """Let all but some members leave."""
        self.runs = {name: tensor[staying] for name, tensor in self.runs.items()}
        for kept in (self.rates, self.states):
            for name, tensors in kept.items():
                kept[name] = {key: tensor[staying] for key, tensor in tensors.items()}
        self._prepare()

    def decode(self) -> list[Tensor]:
        """Return the sum of every pair's embeddings (runs, pairs, d) and the activations of each layer."""
        hidden = [self.made_of @ self.places]
        for layer, (weight, bias) in enumerate(self.layers):
            after = torch.baddbmm(bias[:, None], hidden[-1], weight)
            hidden.append(after.tanh_() if layer < len(self.layers) - 1 else after)
        return hidden

    def gradient(self) -> dict[str, Tensor]:
        """Return the gradient of each run's loss by "embedding" and "decoder", rows of shape (runs, parameters)."""
        hidden = self.decode()
        error = hidden.pop().sub_(self.runs["wanted"]).mul_(self.share)
        for (weight, _), (by_weight, by_bias) in zip(self.layers[::-1], self.slopes[::-1], strict=True):
            before = hidden.pop()
            by_weight.copy_(before.transpose(1, 2) @ error)
            by_bias.copy_(error.sum(1))
            error = torch.bmm(error, weight.transpose(1, 2))
            if hidden:
                error.mul_(before.square_().neg_().add_(1))
        self.gradients["embedding"].copy_((self.made_of.T @ error).flatten(1))
        return self.gradients

    def advance(self) -> None:
        """Take one step of AdamW on embeddings and decoder."""
        self.number += 1
        gradient = self.gradient()
        for name in self.optimised:
            AdamW.step(self.runs[name], gradient[name], self.states[name], self.rates[name], self.number)

    def measure(self) -> dict[tuple[str, str], np.ndarray]:
        """Return (split, quantity) -> values, shape (runs,)."""
        outputs, targets = self.decode()[-1], self.runs["targets"]
        loss = (outputs - self.runs["wanted"]).square().mean(2).double().cpu().numpy()
        right = (torch.cdist(outputs, targets).argmin(2) == self.runs["labels"]).cpu().numpy()
        train = self.runs["trained"].cpu().numpy() > 0
        places = self.places.double().cpu().numpy()
        realised = parallelograms.gaps(places, parallelograms.couples(self.symbols)) < parallelograms.TOLERANCE
        found = {
            ("", "quality"): realised.mean(1),
            ("", "predicted accuracy"): parallelograms.reach(self.symbols, train, realised),
        }
        for split, chosen in (("train", train), ("test", ~train)):
            for name, values in (("loss", loss), ("accuracy", right)):
                found[split, name] = (values * chosen).sum(1) / chosen.sum(1)
        known = self.runs["known"].cpu().numpy()
        on_known = (right & known).sum(1) / np.maximum(known.sum(1), 1)
        found["test", "accuracy on known sums"] = on_known
        found["", "lower accuracy"] = np.minimum(found["train", "accuracy"], on_known)
        return found

    def embedding_of(self, row: int) -> np.ndarray:
        """Return one run's embedding, float32 of shape (p, d)."""
        return self.places[row].cpu().numpy().copy()


def _drawn(member: EmbeddingDecoder) -> tuple[Tensor, Tensor, Tensor]:
    """Draw embeddings from U(-1/2, 1/2), dense layers as PyTorch does, and targets from N(0, I)."""

    def uniform(name: str, size: int, bound: float) -> Tensor:
        drawn = randomness.generator(member.seed, name).uniform(-bound, bound, size)
        return torch.tensor(drawn, dtype=torch.float32)

    embedding = uniform("embedding", member.symbols * member.dimension, 0.5)
    layers = [
        uniform(f"layer/{index}", (before + 1) * after, before**-0.5)
        for index, (before, after) in enumerate(itertools.pairwise(member.sizes))
    ]
    shape = (2 * member.symbols - 1, member.outputs)
    targets = torch.tensor(randomness.generator(member.seed, "targets").normal(size=shape), dtype=torch.float32)
    return embedding, torch.cat(layers), targets


def _layers(row: Tensor, sizes: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
    """View rows (runs, parameters) as the weights (runs, before, after) and biases (runs, after) of each layer."""
    layers, at = [], 0
    for before, after in itertools.pairwise(sizes):
        weight = row[:, at : at + before * after].view(len(row), before, after)
        at += before * after
        layers.append((weight, row[:, at : at + after]))
        at += after
    return layers
