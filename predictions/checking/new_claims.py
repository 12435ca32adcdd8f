"""Claims that are new: nothing is published of them yet, and continuous integration does not ask for it."""

from __future__ import annotations

#: Ids. As long as there are no published results at all, every claim is new and needs no mention.
NEW: frozenset[str] = frozenset()
