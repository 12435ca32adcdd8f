"""Verdicts that are known and accepted, with the reason why."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.verdict import BAD, Status, Verdict


@dataclass(frozen=True)
class KnownOutcome:
    """One claim is expected to come out in one way."""

    id: str
    status: Status
    reason: str

    @classmethod
    def parse(cls, text: str) -> KnownOutcome:
        """Read ``ID=VERDICT:reason``, for example ``varma2023.ungrokking=FAIL:needs a wider network``.

        Raises
        ------
        InvalidInput
            If a part is missing or the verdict is none.
        """
        id, equals, rest = text.partition("=")
        status, colon, reason = rest.partition(":")
        try:
            found = Status(status.strip().upper().replace("_", " "))
        except ValueError:
            found = None
        if not (equals and colon and reason.strip()) or found is None:
            verdicts = ", ".join(status.value for status in Status)
            raise InvalidInput(f"expectation {text!r} is not ID=VERDICT:reason, with a VERDICT of {verdicts}")
        return cls(id.strip(), found, reason.strip())


def apply(expectations: Iterable[KnownOutcome], verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Note on each verdict that came out as expected why it is accepted.

    Raises
    ------
    InvalidInput
        If an expectation is about a claim that was not checked.
    """
    by_id = {expectation.id: expectation for expectation in expectations}
    unknown = sorted(set(by_id) - {verdict.id for verdict in verdicts})
    if unknown:
        raise InvalidInput(f"a verdict is expected of {unknown[0]!r}, which is not among the claims checked")
    return [
        dataclasses.replace(verdict, accepted=by_id[verdict.id].reason)
        if verdict.id in by_id and by_id[verdict.id].status is verdict.status
        else verdict
        for verdict in verdicts
    ]


def surprises(expectations: Iterable[KnownOutcome], verdicts: Iterable[Verdict]) -> list[str]:
    """Return a sentence about everything that should make a check fail.

    That is each FAIL, INVALID or ERROR that was not expected, and each claim that came out otherwise than expected.
    """
    by_id = {expectation.id: expectation for expectation in expectations}
    sentences = []
    for verdict in verdicts:
        expected = by_id.get(verdict.id)
        if expected is not None and expected.status is not verdict.status:
            sentences.append(f"{verdict.id}: {verdict.status}, but {expected.status} was expected ({expected.reason})")
        elif expected is None and verdict.status in BAD:
            sentences.append(f"{verdict.id}: {verdict.status}. {verdict.reason}")
    return sentences
