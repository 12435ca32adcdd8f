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


_OMNIGROK = "Omnigrok has a key of its own"

#: Id -> what became of it. Entries are only ever added.
RETIRED: dict[str, Retirement] = {
    "liu2022.confusion_quality": Retirement(
        since="0.1.0",
        why="no affordable number of seeds decides it",
        successor="liu2022.phase_quality",
    ),
    "liu2022.constraint_on_perceptrons": Retirement(
        since="0.1.0", why=_OMNIGROK, successor="liu2023.constraint_removes_grokking_perceptron"
    ),
    "liu2022.constraint_removes_grokking": Retirement(
        since="0.1.0", why=_OMNIGROK, successor="liu2023.constraint_removes_grokking"
    ),
    "liu2022.molecules_grok": Retirement(since="0.1.0", why=_OMNIGROK, successor="liu2023.molecules_grok"),
    "liu2022.molecules_grok_without_decay": Retirement(
        since="0.1.0", why=_OMNIGROK, successor="liu2023.molecules_grok_without_decay"
    ),
}


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
