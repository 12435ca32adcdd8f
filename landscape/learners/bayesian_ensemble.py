"""Many mean-field Bayesian networks over stacked parameters; their gradient is written out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from grokscape.landscape import randomness
from grokscape.landscape.training.arithmetic import BY_PYTORCH

if TYPE_CHECKING:
    from grokscape.landscape.learners.bayesian_network import BayesianNetwork


class BayesianEnsemble:
    """Networks of one `batch_key` over stacked parameters, in float32.

    Every layer has a tensor of shape (networks, fan in + 1, 2 * fan out): the means of its weights and, right of them,
    their log standard deviations; the last row is the bias.

    Parameters
    ----------
    networks : sequence of BayesianNetwork
    device : str
    """

    arithmetic = BY_PYTORCH

    def __init__(self, networks: Sequence[BayesianNetwork], device: str = "cpu") -> None:
        first = networks[0]
        self.batch, self.number = first.batch, first.n_train
        task, self.device = first.task, torch.device(device)
        self.sizes = (task.inputs.shape[1], first.width, task.n_outputs)
        with_bias = torch.cat([task.inputs.float(), torch.ones(task.size, 1)], 1).to(device)
        self.inputs = torch.stack([with_bias, with_bias.square()])
        self.splits = [
            {"train": s.train, "test": s.test} for s in (task.split(m.n_train, seed=m.seed) for m in networks)
        ]
        self.labels = torch.stack([network.labels_of_all for network in networks]).to(device)
        self.layers = [torch.stack([_drawn(m, layer, self.sizes) for m in networks]).to(device) for layer in (0, 1)]
        self.gradients = [torch.zeros_like(layer) for layer in self.layers]
        chosen = torch.tensor([[network.lr, network.kl_weight] for network in networks], device=device)
        self.lr, self.kl = chosen[:, 0, None, None], chosen[:, 1, None, None]
        self.epoch = 0
        self.seeds = [network.seed for network in networks]
        self.noise = [_stream(seed, "posterior") for seed in self.seeds]
        self.looking = [_stream(seed, "posterior/records") for seed in self.seeds]

    def keep(self, staying: list[int]) -> None:
        """Let all but some networks leave."""
        self.labels, self.lr, self.kl = (tensor[staying] for tensor in (self.labels, self.lr, self.kl))
        self.layers = [layer[staying] for layer in self.layers]
        self.gradients = [torch.zeros_like(layer) for layer in self.layers]
        for name in ("splits", "seeds", "noise", "looking"):
            setattr(self, name, [getattr(self, name)[row] for row in staying])

    def advance(self) -> None:
        """Train for one epoch: the examples once, in a random order of each network's own."""
        self.epoch += 1
        order = torch.stack(
            [
                split["train"][torch.from_numpy(randomness.permutation(self.number, seed, f"epoch/{self.epoch}"))]
                for split, seed in zip(self.splits, self.seeds, strict=True)
            ]
        ).to(self.device)
        inputs, squares = self.inputs[:, order]
        labels, noise = self.labels.gather(1, order), self.standard_normal(self.noise, self.number)
        for at in range(0, self.number, self.batch):
            some = slice(at, at + self.batch)
            self.gradient(inputs[:, some], squares[:, some], labels[:, some], noise[:, some])
            for layer, slope in zip(self.layers, self.gradients, strict=True):
                layer.addcmul_(slope, self.lr, value=-1)

    def standard_normal(self, streams: list[torch.Generator], number: int) -> Tensor:
        """Draw noise for `number` examples and every unit of both layers: (networks, number, width + outputs)."""
        drawn = torch.empty(len(streams), number, self.sizes[1] + self.sizes[2])
        for row, stream in zip(drawn, streams, strict=True):
            torch.randn(row.shape, generator=stream, out=row)
        return drawn.to(self.device)

    def halves(self, layer: int) -> tuple[Tensor, Tensor]:
        """View a layer's means and log standard deviations, each (networks, fan in + 1, fan out)."""
        means, logs = self.layers[layer].chunk(2, 2)
        return means, logs

    def gradient(self, inputs: Tensor, squares: Tensor, labels: Tensor, noise: Tensor) -> list[Tensor]:
        """Return the gradient of each network's loss on a batch, one tensor a layer.

        The local reparameterisation draws what enters a unit instead of each weight: with weights
        ``N(mu, sigma^2)`` it is ``N(x mu, x^2 sigma^2)``.

        Parameters
        ----------
        inputs, squares : Tensor, shape (networks, batch, fan in + 1)
            A one for the bias included.
        labels : Tensor of int64, shape (networks, batch)
        noise : Tensor, shape (networks, batch, width + outputs)
        """
        width, outputs = self.sizes[1:]
        upper, lower = self.layers
        variances = [logs.mul(2).exp_() for logs in (self.halves(0)[1], self.halves(1)[1])]
        # Both layers' noise becomes the derivative of what enters a unit by its variance.
        deviation = torch.bmm(squares, variances[0]).sqrt_()
        hidden = torch.bmm(inputs, upper[..., :width]).addcmul_(deviation, noise[..., :width])
        by_variance = noise[..., :width] / deviation.mul_(2)
        hidden = torch.nn.functional.pad(hidden.relu_(), (0, 1), value=1.0)
        energy = hidden.square()
        deviation = torch.bmm(energy, variances[1]).sqrt_()
        logits = torch.bmm(hidden, lower[..., :outputs]).addcmul_(deviation, noise[..., width:])
        error = logits.softmax(2)
        error.scatter_add_(2, labels[..., None], error.new_full((), -1.0).expand(*labels.shape, 1))
        error /= labels.shape[1]
        spread = error * noise[..., width:] / deviation.mul_(2)
        slopes = self.gradients
        slopes[1][..., :outputs] = torch.bmm(hidden.mT, error)
        slopes[1][..., outputs:] = torch.bmm(energy.mT, spread).mul_(2 * variances[1])
        error = torch.bmm(error, lower[:, :-1, :outputs].mT)
        error += torch.bmm(spread, variances[1][:, :-1].mT).mul_(2 * hidden[..., :-1])
        error *= hidden[..., :-1] > 0
        slopes[0][..., :width] = torch.bmm(inputs.mT, error)
        slopes[0][..., width:] = torch.bmm(squares.mT, error.mul_(by_variance)).mul_(2 * variances[0])
        for layer, slope, variance in zip(self.layers, slopes, variances, strict=True):
            half = variance.shape[2]
            slope[..., :half].addcmul_(layer[..., :half], self.kl / self.number)
            slope[..., half:].addcmul_(variance.sub_(1), self.kl / self.number)
        return slopes

    def logits(self, chosen: Tensor, noise: Tensor | None) -> Tensor:
        """Return the logits (networks, examples, outputs) at the posterior means, or of a sample."""
        entering = self.inputs[0][chosen]
        for layer, units in enumerate((slice(None, self.sizes[1]), slice(self.sizes[1], None))):
            means, logs = self.halves(layer)
            entered = torch.bmm(entering, means)
            if noise is not None:
                entered += torch.bmm(entering.square(), logs.mul(2).exp_()).sqrt_() * noise[..., units]
            entering = torch.nn.functional.pad(entered.relu(), (0, 1), value=1.0)
        return entered

    def measure(self) -> dict[tuple[str, str], np.ndarray]:
        """Return (split, quantity) -> values, shape (networks,)."""
        found = {(split, name): values for split in ("train", "test") for name, values in self.look(split).items()}
        found["", "fit"] = found["train", "sampled loss"]
        found["", "mean part"], found["", "deviation part"] = (part.cpu().numpy() for part in self.divergence())
        found["", "complexity"] = found["", "mean part"] + found["", "deviation part"]
        return found

    def look(self, split: str) -> dict[str, np.ndarray]:
        """Return loss and error on a split, with posterior means as weights and of a sample, each (networks,)."""
        chosen = torch.stack([each[split] for each in self.splits]).to(self.device)
        labels, found = self.labels.gather(1, chosen), {}
        for prefix, noise in (("", None), ("sampled ", self.standard_normal(self.looking, chosen.shape[1]))):
            logits = self.logits(chosen, noise)
            losses = torch.nn.functional.cross_entropy(logits.mT.double(), labels, reduction="none")
            found[f"{prefix}loss"] = losses.mean(1).cpu().numpy()
            found[f"{prefix}error"] = (logits.argmax(2) != labels).double().mean(1).cpu().numpy()
        return found

    def divergence(self) -> tuple[Tensor, Tensor]:
        """Return KL(q || N(0, I)) / n as what means and what standard deviations add to it, each (networks,)."""
        means, deviations = torch.zeros((2, len(self.seeds)), dtype=torch.float64, device=self.device)
        for layer in (0, 1):
            mean, log = (half.double() for half in self.halves(layer))
            means += mean.square().sum((1, 2)) / 2
            deviations += ((2 * log).exp() - 1 - 2 * log).sum((1, 2)) / 2
        return means / self.number, deviations / self.number

    def weights_of(self, row: int) -> dict[str, np.ndarray]:
        """Return one posterior: means and log standard deviations of both layers, float32."""
        return {
            f"{name}.{layer}": half[row].cpu().numpy().copy()
            for layer in (0, 1)
            for name, half in zip(("mean", "log_deviation"), self.halves(layer), strict=True)
        }


def _drawn(network: BayesianNetwork, layer: int, sizes: tuple[int, ...]) -> Tensor:
    fan_in, fan_out = sizes[layer : layer + 2]
    drawn = randomness.generator(network.seed, f"posterior means/{layer}").standard_normal((fan_in + 1, fan_out))
    logs = np.full((fan_in + 1, fan_out), math.log(network.start_deviation))
    return torch.tensor(np.concatenate([network.start_scale * drawn, logs], 1), dtype=torch.float32)


def _stream(seed: int, name: str) -> torch.Generator:
    # PyTorch draws a normal number in less than half the time that NumPy takes.
    return torch.Generator().manual_seed(int(randomness.integers(1, 2**62, seed, name)[0]))
