"""The published results are those of the claims of today: all are there, or new, and no claim was changed in silence.

The laws are tried on made-up results, too: as long as nothing is published, they ask for nothing.
"""

from __future__ import annotations

import pytest

from grokscape.predictions.checking import rooms
from grokscape.predictions.checking.new_claims import NEW
from grokscape.predictions.checking.published import load_published, publish, read
from grokscape.predictions.checking.retired import RETIRED, Retirement
from grokscape.predictions.checking.standing import stale, unamended, unpublished
from grokscape.predictions.rules import Exceeds
from grokscape.predictions.terms import Amendment, Calibrated, Criterion
from grokscape.predictions.verdict import Status, Verdict
from tests.predictions.made_up.claims import claim
from tests.predictions.made_up.steps import CLAIMS
from tests.predictions.made_up.verdicts import DATE, corrected, verdict_on

ENTRIES, COMPLAINTS = load_published(rooms.folder(), rooms.sources())


def test_every_file_can_be_read():
    assert COMPLAINTS == []


def test_every_claim_has_a_published_verdict_or_is_new():
    assert unpublished(CLAIMS.values(), ENTRIES, NEW) == []


def test_no_published_claim_was_changed_without_an_amendment():
    assert unamended(CLAIMS, ENTRIES) == []


def test_all_of_it_is_small():
    files = [rooms.folder() / key / "verdicts.json" for key in rooms.sources()]
    assert sum(file.stat().st_size for file in files if file.exists()) < 25e6


DAY = DATE[:10]
ONE, TWO = claim("one"), claim("two")
VALUES = (2.0, 2.1, 2.2, 1.9, 1.8, 2.3, 2.4, 2.05)
STRICTER = {
    "criteria": (
        Criterion(quantity="size", rule=Exceeds(1.5), threshold_from="a test", calibrated=Calibrated(2, 0.1, "0-2")),
    )
}


@pytest.fixture
def entries(tmp_path):
    [path], _ = publish([ONE], corrected([verdict_on(ONE, VALUES)]), tmp_path)
    return read(path)


def test_where_nothing_is_published_all_is_new():
    assert unpublished([ONE, TWO], [], set()) == []


def test_a_claim_without_a_verdict_is_named_unless_it_is_new(entries):
    assert unpublished([ONE], entries, set()) == []
    [sentence] = unpublished([ONE, TWO], entries, set())
    assert (
        sentence == "test2026.two has no published verdict; check it with --publish, or mark it as new in new_claims.py"
    )
    assert unpublished([ONE, TWO], entries, {TWO.id}) == []


def test_a_mark_that_is_out_of_date_is_named(entries):
    [published, unknown] = unpublished([ONE], entries, {ONE.id, "test2026.gone"})
    assert published.startswith("test2026.one is marked as new, and has a published verdict")
    assert unknown.startswith("test2026.gone is marked as new, and no claim is called so")


def test_a_verdict_on_no_claim_is_named_until_the_claim_is_retired(tmp_path, entries, monkeypatch):
    [gone, _] = unpublished([TWO], entries, set())
    assert gone.startswith("test2026.one is published, and no claim is called so; retire it")
    monkeypatch.setitem(RETIRED, ONE.id, Retirement(since="0.2.0", why="a reading"))
    [path], _ = publish([TWO], corrected([verdict_on(TWO, VALUES)]), tmp_path)
    assert unpublished([TWO], read(path), set()) == []


def test_not_run_is_no_verdict(tmp_path):
    [path], _ = publish([TWO], [Verdict(TWO.id, "quick", Status.NOT_RUN, "It needs data.")], tmp_path)
    assert len(unpublished([TWO], read(path), set())) == 1


def test_a_claim_that_was_changed_needs_an_amendment(entries):
    assert unamended({ONE.id: ONE}, entries) == []
    [sentence] = unamended({ONE.id: claim("one", **STRICTER)}, entries)
    assert sentence.startswith(f"test2026.one was changed since it was published (quick of {DAY})")


@pytest.mark.parametrize(("date", "enough"), [("2026-03-03", False), (DAY, True), ("2026-04-01", True), ("", False)])
def test_the_amendment_must_be_newer(entries, date, enough):
    changed = claim("one", amendments=(Amendment(date=date, what="stricter", why="a reading"),), **STRICTER)
    assert (unamended({ONE.id: changed}, entries) == []) is enough


def test_an_amendment_that_was_published_already_counts_no_more(tmp_path):
    history = (Amendment(date=DAY, what="stricter", why="a reading"),)
    amended = claim("one", amendments=history)
    [path], _ = publish([amended], corrected([verdict_on(amended, VALUES)]), tmp_path)
    assert len(unamended({ONE.id: claim("one", amendments=history, **STRICTER)}, read(path))) == 1


def test_changes_show_as_stale(entries):
    [entry] = entries
    assert stale(ONE, entry) == ""
    assert stale(claim("one", **STRICTER), entry).startswith(f"Stale: since {DAY} its criteria, gates")

    def others(seed, at):
        return ONE.runs(seed + 1, at)

    assert stale(claim("one", runs=others), entry) == f"Stale: since {DAY} the runs that it asks for have changed."

    def none(seed, at):
        raise ZeroDivisionError

    assert stale(claim("one", runs=none), entry).startswith("Perhaps stale: the runs that it asks for now cannot be")
