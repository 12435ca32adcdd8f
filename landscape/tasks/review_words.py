"""Film reviews word by word, labelled by their verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from grokscape.landscape.tasks.collected_task import CollectedTask
from grokscape.landscape.tasks.film_reviews import FilmReviews, vocabulary, words
from grokscape.landscape.tasks.token_task import TokenTask


@dataclass(frozen=True, kw_only=True)
class ReviewWords(CollectedTask, TokenTask, kind="review_words"):
    """The reviews of `FilmReviews` as sequences of words: the last `length` of each that the vocabulary has, in order.

    Token 0 stands to the left of shorter ones; the others are words, from the most frequent on. Labels are 0 (bad) and
    1 (good).

    Parameters
    ----------
    vocabulary : int
        How many words, by rank in the whole collection.
    skip : int
        How many of the most frequent words are left out: they say little about the verdict.
    length : int
        Words of every input.
    """

    examples: int = 1500
    sha256: str = FilmReviews.sha256
    vocabulary: int = 1000
    skip: int = 100
    length: int = 32

    available: ClassVar[int] = FilmReviews.available
    advice: ClassVar[str] = FilmReviews.advice

    def validate(self) -> None:
        super().validate()
        for name in ("vocabulary", "length"):
            if getattr(self, name) < 1:
                self.refuse(name, "at least 1")
        if self.skip < 0:
            self.refuse("skip", "not negative")
        self.refuse_beyond("vocabulary", self.vocabulary)
        self.refuse_beyond("length", self.examples * self.length)

    @property
    def n_tokens(self) -> int:
        return self.vocabulary + 1

    @property
    def n_positions(self) -> int:
        return self.length

    @property
    def n_classes(self) -> int:
        return 2

    @property
    def mirror(self) -> None:
        """None: a review of two words has no operands."""
        return None

    @classmethod
    def files(cls) -> tuple[Path | None, ...]:
        return FilmReviews.files()

    @classmethod
    def load(cls, *files: Path) -> tuple[np.ndarray, ...]:
        """Return all texts as one array of bytes, where each ends, and the labels."""
        return FilmReviews.load(*files)

    def examples_of(self, chosen: np.ndarray, *collection: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        joined, ends, labels = collection
        texts = [words(text.tobytes().decode()) for text in np.split(joined, ends[:-1])]
        token = {word: rank for rank, word in enumerate(vocabulary(texts, self.skip, self.vocabulary), start=1)}
        sequences = np.zeros((len(chosen), self.length), dtype=np.int64)
        for row, text in enumerate(chosen):
            known = [token[word] for word in texts[text] if word in token][-self.length :]
            sequences[row, self.length - len(known) :] = known
        return sequences, labels[chosen]
