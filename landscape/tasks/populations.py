"""Where labelled examples come from: distributions with a known rule, for learners that draw as many as they need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np

from grokscape.landscape import randomness
from grokscape.landscape.description import Description


@dataclass(frozen=True, kw_only=True)
class Population(Description, ABC):
    """A distribution of inputs, each with one of two labels."""

    @property
    @abstractmethod
    def dimensions(self) -> int:
        """Numbers in an input."""

    @abstractmethod
    def draw(self, n: int, seed: int, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return n independent examples: inputs (n, d), float64, and labels (n,), -1 or 1.

        Draws of one seed and different names are independent.
        """


@dataclass(frozen=True, kw_only=True)
class ParityPopulation(Population, kind="concealed_parity"):
    """The parity of the first few bits of an input, the rest of which is beside the point.

    Miller et al. 2023 (arXiv:2310.17247), section 2.1.2 and appendix E: 3 relevant bits and 37 spurious ones. Relevant
    bits are 0 or 1, with equal chances; the label is 1 if their sum is odd.

    Parameters
    ----------
    relevant, spurious : int
        Dimensions of each kind.
    filler : {"bits", "normal", "constant"}
        What the spurious dimensions hold: bits too, numbers from N(0, 1), or 0 throughout.
    """

    relevant: int = 3
    spurious: int = 17
    filler: Literal["bits", "normal", "constant"] = "bits"

    def validate(self) -> None:
        for name, least in (("relevant", 1), ("spurious", 0)):
            if getattr(self, name) < least:
                self.refuse(name, f"at least {least}")

    @property
    def dimensions(self) -> int:
        return self.relevant + self.spurious

    def draw(self, n: int, seed: int, name: str) -> tuple[np.ndarray, np.ndarray]:
        bits = randomness.integers(n * self.relevant, 2, seed, f"{name}/relevant").reshape(n, -1)
        inputs = np.zeros((n, self.dimensions))
        inputs[:, : self.relevant] = bits
        if self.filler == "bits":
            spurious = randomness.integers(n * self.spurious, 2, seed, f"{name}/spurious")
            inputs[:, self.relevant :] = spurious.reshape(n, self.spurious)
        elif self.filler == "normal":
            inputs[:, self.relevant :] = randomness.generator(seed, f"{name}/spurious").normal(size=(n, self.spurious))
        return inputs, np.where(bits.sum(1) % 2 == 1, 1, -1)


@dataclass(frozen=True, kw_only=True)
class SignOfInput(Population, kind="sign_of_input"):
    """One number from U(-1/2, 1/2); its label is its sign ("zero-one" in Miller et al. 2023, section 2.1.2)."""

    @property
    def dimensions(self) -> int:
        return 1

    def draw(self, n: int, seed: int, name: str) -> tuple[np.ndarray, np.ndarray]:
        inputs = randomness.generator(seed, f"{name}/inputs").uniform(-0.5, 0.5, (n, 1))
        return inputs, np.where(inputs[:, 0] > 0, 1, -1)


def with_labels(labels: np.ndarray, which: str, seed: int) -> np.ndarray:
    """Return labels as they are ("true"), or dealt out at random among the examples ("shuffled")."""
    return labels if which == "true" else labels[randomness.permutation(len(labels), seed, "labels")]
