"""What sources state is counted first, and all else apart, in what is printed."""

from __future__ import annotations

import pytest

from grokscape.predictions.prediction import KINDS
from grokscape.predictions.verdict import Status, Verdict
from grokscape.reports.commands.terminal import summary
from grokscape.reports.kinds import UNRECORDED, kind, parted


def verdict(status: Status, kind: str | None) -> Verdict:
    return Verdict(id="a2024.b", tier="quick", status=status, reason="", about={} if kind is None else {"kind": kind})


def test_every_kind_has_words() -> None:
    assert all(kind(name).whose and kind(name).name == name for name in KINDS)
    assert [kind(name).count(1) for name in KINDS[1:]] == ["1 extension", "1 rival reading", "1 claim of our own"]
    assert kind("extension").count(2) == "2 extensions"


def test_a_kind_of_a_later_version_stands_for_itself() -> None:
    assert kind("guess").count(2) == "2 claims of kind guess"
    assert kind("guess").whose == "guess"


def test_stated_claims_come_first_and_the_others_in_their_order() -> None:
    first, others = parted(["ours", "", "stated", "guess", "extension", "rival", "stated"], str)
    assert first == ["stated", "stated"]
    assert [found.name for found, _ in others] == ["extension", "rival", "ours", "guess", ""]
    assert others[-1] == (UNRECORDED, [""])


def test_without_kinds_on_record_all_come_first() -> None:
    assert parted(["", ""], str) == (["", ""], [])
    assert parted([], str) == ([], [])


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([(Status.PASS, "stated"), (Status.FAIL, "stated")], "1 PASS, 1 FAIL"),
        ([(Status.PASS, None), (Status.FAIL, None)], "1 PASS, 1 FAIL"),
        (
            [(Status.PASS, "stated"), (Status.FAIL, "extension"), (Status.PASS, "extension"), (Status.PASS, "ours")],
            "1 PASS of what sources state; apart from it 2 extensions (1 PASS, 1 FAIL), 1 claim of our own (1 PASS)",
        ),
        ([(Status.FAIL, "rival")], "1 rival reading (1 FAIL)"),
        ([], ""),
    ],
)
def test_verdicts_are_summed_up_by_kind(found: list[tuple[Status, str | None]], words: str) -> None:
    assert summary([verdict(status, kind) for status, kind in found]) == words
