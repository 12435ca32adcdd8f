"""Ids of claims that were withdrawn: never used again, and whoever asks for one learns what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from grokscape.landscape.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Retirement:
    """Why a claim is checked no more.

    Attributes
    ----------
    since : str
        The version that first lacked it.
    why : str
        As a clause: "its measurement could not tell the two readings apart".
    successor : str
        The id of the claim that took its place; "" if none did.
    """

    since: str
    why: str
    successor: str = ""

    def told(self, id: str) -> str:
        """Return what became of a claim, as a sentence."""
        instead = f"; check {self.successor} in its place" if self.successor else "; nothing took its place"
        return f"the claim {id!r} was retired in version {self.since}: {self.why}{instead}"


#: Id -> what became of it. Entries are only ever added.
RETIRED: dict[str, Retirement] = {}


def refuse_retired(id: str, where: str) -> None:
    """Refuse a claim that uses an id which once stood for another.

    Raises
    ------
    InvalidInput
    """
    if id in RETIRED:
        raise InvalidInput(
            f"{where} uses the id {id!r}, but {RETIRED[id].told(id)}; ids are never reused, choose another"
        )
