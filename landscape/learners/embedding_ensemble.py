"""Many embeddings and decoders over stacked parameters; their gradient is written out, which makes it fast."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from landscape import randomness
from landscape.learners import parallelograms
from landscape.optimisers import AdamW

if TYPE_CHECKING:
    from landscape.learners.embedding_decoder import EmbeddingDecoder


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
