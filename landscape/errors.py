"""The ways in which Grokscape refuses."""

from __future__ import annotations


class InvalidInput(ValueError):
    """Something the caller wrote cannot be used.

    The message is one sentence or two that name the field, the value found, what was expected, and what to do.
    """


class DataMissing(InvalidInput):
    """Data that are not on this machine; the message says how to get them."""


class StoreError(RuntimeError):
    """A store on disk cannot be used as it is (written by a newer version, or not a store at all)."""
