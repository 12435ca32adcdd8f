"""Exceptions raised by Grokscape."""

from __future__ import annotations

import textwrap


class InvalidInput(ValueError):
    """Something the caller wrote cannot be used.

    The message is one sentence or two that name the field, the value found, what was expected, and what to do.
    """


class Unavailable(InvalidInput):
    """Something that is not available here, which is no mistake; a claim that needs it is not run, and says why."""


class DataMissing(Unavailable):
    """Data that are not on this machine; the message says how to get them."""


class NotMeasured(Unavailable):
    """A quantity that a record does not have, or a learner cannot have."""


class UnknownQuantity(InvalidInput):
    """A quantity that nothing here records, or not on that split: most likely misspelt."""


class NotPositiveDefinite(Unavailable):
    """A kernel matrix that no Gaussian process has, to the precision of the arithmetic."""


class StoreError(RuntimeError):
    """A store on disk cannot be used as it is (written by a newer version, or not a store at all)."""


def brief(text: str, width: int = 200) -> str:
    """Return a text on one line, cut between words with an ellipsis where it is longer."""
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    return textwrap.shorten(text, width, placeholder=" ...") if " " in text[:width] else text[: width - 3] + "..."
