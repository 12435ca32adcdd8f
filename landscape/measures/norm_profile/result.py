"""What `norm_profile` returns: losses over the weight norm, their shape, and the critical norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.fits.norm_shape import CriticalNorm, Shape, classify, critical_norm
from grokscape.landscape.measures.result import Cost, Result

When = Literal["end", "best"]
Split = Literal["train", "test"]


@dataclass(frozen=True, kw_only=True)
class NormProfile(Result):
    """Train and test loss at every weight norm, where the training loss is least.

    ``plot(size=..., best=True)`` takes the options of `grokscape.landscape.drawing.norm_profile.draw_norm_profile`.

    Attributes
    ----------
    sizes : array of int, shape (sizes,)
        Numbers of training examples.
    scales : array, shape (scales,)
        Multiples of each seed's initial norm; or, if `absolute`, the norms themselves.
    seeds : array of int, shape (seeds,)
    absolute : bool
    norms : array, shape (scales, seeds)
        Of the included parameters.
    initial_norms : array, shape (seeds,)
        Before rescaling.
    end, best : dict of (split, quantity) to array, shape (sizes, scales, seeds)
        "loss" and "accuracy" on "train" and "test". `end`: of the parameters where the minimisation ended. `best`: the
        smallest loss and largest accuracy over all records, each by itself; its test values are chosen by looking at
        the test data (early stopping by an oracle), and belong to no one point.
    converged, diverged : array of bool, shape (sizes, scales, seeds)
        Whether the training loss ended at most at `zero_loss` or changed by at most the tolerance over the last fifth
        of the steps; whether it left the finite numbers.
    steps : array of int, shape (sizes, scales, seeds)
    change : array, shape (sizes, scales, seeds)
        That relative change.
    residual : array, shape (sizes, scales, seeds)
        Fall of the training loss per radian along the sphere that is left at the end; 0 at an exact minimum.
    zero_loss, tolerance : float
    cost : Cost
    """

    sizes: np.ndarray
    scales: np.ndarray
    seeds: np.ndarray
    absolute: bool
    norms: np.ndarray
    initial_norms: np.ndarray
    end: dict[tuple[str, str], np.ndarray]
    best: dict[tuple[str, str], np.ndarray]
    converged: np.ndarray
    diverged: np.ndarray
    steps: np.ndarray
    change: np.ndarray
    residual: np.ndarray
    zero_loss: float
    tolerance: float
    cost: Cost

    def losses(self, split: Split, *, when: When = "end", size: int | None = None) -> np.ndarray:
        """Return the losses of one size (by default the largest), shape (scales, seeds)."""
        return self._of(when)[split, "loss"][self._place(size)]

    def shape(
        self,
        split: Split,
        *,
        when: When = "end",
        size: int | None = None,
        rise: float = 2.0,
        confidence: float = 0.95,
    ) -> Shape:
        """Classify a loss curve as "L", "U", "flat" or "neither", with the evidence for it.

        Parameters
        ----------
        split : {"train", "test"}
        when : {"end", "best"}
        size : int, optional
            Number of training examples; by default the largest.
        rise, confidence : float
            See `grokscape.landscape.fits.norm_shape.classify`, which decides. Norms at which a seed did not converge
            are left out and named.
        """
        losses, place = self.losses(split, when=when, size=size), self._place(size)
        options = {"zero_loss": self.zero_loss, "rise": rise, "confidence": confidence}
        return classify(self.scales, losses, self.converged[place], **options)

    def critical_norm(
        self,
        *,
        unit: Literal["scale", "norm"] = "scale",
        when: When = "end",
        size: int | None = None,
        confidence: float = 0.95,
    ) -> CriticalNorm:
        """Return where the test loss is least, of each seed and over seeds.

        Parameters
        ----------
        unit : {"scale", "norm"}
            In multiples of each seed's initial norm, or as the norm itself.
        when, size, confidence
            As for `shape`.
        """
        losses, place = self.losses("test", when=when, size=size), self._place(size)
        norms = self.norms / self.initial_norms if unit == "scale" else self.norms
        options = {"zero_loss": self.zero_loss, "confidence": confidence}
        return critical_norm(norms, losses, self.converged[place], **options)

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each size, norm, seed, split and moment ("end" or "best")."""
        shape = self.converged.shape
        size, scale, seed = np.meshgrid(self.sizes, self.scales, self.seeds, indexing="ij")
        common = {"size": size, "scale": scale / self.initial_norms if self.absolute else scale, "seed": seed}
        common["norm"] = np.broadcast_to(self.norms, shape)
        fate = {name: getattr(self, name) for name in ("converged", "diverged", "steps", "change", "residual")}
        tables = []
        for split in ("train", "test"):
            for when in ("end", "best"):
                values = self._of(when)
                measured = {name: values[split, name] for name in ("loss", "accuracy")}
                columns = {name: array.reshape(-1) for name, array in (common | measured | fate).items()}
                tables.append(pd.DataFrame(columns | {"split": split, "when": when}))
        first = ["size", "scale", "norm", "seed", "split", "when"]
        frame = pd.concat(tables, ignore_index=True)
        return frame[first + [name for name in frame.columns if name not in first]]

    def _of(self, when: str) -> dict[tuple[str, str], np.ndarray]:
        if when not in ("end", "best"):
            raise InvalidInput(f"when is {when!r}, expected 'end' or 'best'")
        return self.end if when == "end" else self.best

    def _place(self, size: int | None) -> int:
        if size is None:
            return int(self.sizes.argmax())
        if size not in self.sizes:
            raise InvalidInput(f"size is {size}, expected one of those measured: {', '.join(map(str, self.sizes))}")
        return int(np.flatnonzero(self.sizes == size)[0])
