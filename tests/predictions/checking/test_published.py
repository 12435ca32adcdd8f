"""Catches published results that are not what was judged, and files that are read though they were changed."""

from __future__ import annotations

import dataclasses
import json

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.checking.published import (
    FILE,
    _digest,
    content,
    load_published,
    publish,
    read,
)
from grokscape.predictions.checking.verdict_data import verdict_of
from grokscape.predictions.verdict import Status, Verdict
from tests.predictions.made_up.claims import claim
from tests.predictions.made_up.verdicts import corrected, verdict_on

HOLDS, FAILS = claim("holds"), claim("fails", value=-2.0)
LARGE, SMALL = (2.0, 2.1, 2.2, 1.9, 1.8, 2.3, 2.4, 2.05), (-2.0, -2.1, -2.2, -1.9, -1.8, -2.3, -2.4, -0.1)


@pytest.fixture
def verdicts():
    return corrected([verdict_on(HOLDS, LARGE, family=2), verdict_on(FAILS, SMALL, family=2)])


@pytest.fixture
def file(tmp_path, verdicts):
    [path], notes = publish([HOLDS, FAILS], verdicts, tmp_path)
    assert notes == []
    return path


def as_read(verdict):
    return json.loads(json.dumps(verdict.to_data()))


def test_what_is_published_is_what_was_judged(tmp_path, file, verdicts):
    assert file == tmp_path / "test2026" / FILE
    found, complaints = load_published(tmp_path)
    assert complaints == []
    by_id = {verdict.id: verdict for verdict in verdicts}
    for entry in found:
        back = {**entry.verdict, "evidence": list(entry.verdict["evidence"])}
        assert back == as_read(by_id[entry.id])
        assert list(back["about"]["setting"]) == list(by_id[entry.id].about["setting"])
        assert as_read(verdict_of(entry.verdict)) == back
        assert (entry.date, entry.tier, entry.status) == ("2026-03-04", "quick", by_id[entry.id].status.value)


def test_the_same_verdicts_give_the_same_bytes_in_any_order(tmp_path, file, verdicts):
    first = file.read_bytes()
    publish([HOLDS, FAILS], verdicts[::-1], tmp_path)
    assert file.read_bytes() == first
    assert b"".join(content("test2026", read(file))) == first


def test_verdicts_come_to_those_that_are_there_and_are_corrected_with_them(tmp_path, file):
    whole = file.read_bytes()
    alone = tmp_path / "alone"
    alone.mkdir()
    for one, values in ((HOLDS, LARGE), (FAILS, SMALL)):
        publish([one], corrected([verdict_on(one, values, family=2)]), alone)
    assert (alone / "test2026" / FILE).read_bytes() == whole


def test_a_claim_that_waits_for_others_of_its_family_passes_when_they_are_there(tmp_path):
    claims = [claim(f"c{n}") for n in range(8)]
    found = [verdict_on(one, LARGE, family=8) for one in claims]
    [lonely] = corrected([found[0]])
    assert lonely.status is Status.INCONCLUSIVE
    for one, verdict in zip(claims, found, strict=True):
        publish([one], corrected([verdict]), tmp_path)
    entries = read(tmp_path / "test2026" / FILE)
    assert [entry.verdict["p_holm"] for entry in entries] == [verdict.p_holm for verdict in corrected(found)]
    assert entries[0].verdict["reason"] == corrected(found)[0].reason


@pytest.mark.parametrize("status", [Status.INVALID, Status.ERROR])
def test_what_says_nothing_of_a_claim_is_refused_and_nothing_is_written(tmp_path, file, verdicts, status):
    before = file.read_bytes()
    with pytest.raises(InvalidInput, match=f"nothing is published, because test2026.fails is {status}; mend"):
        publish([HOLDS, FAILS], [verdicts[0], Verdict("test2026.fails", "quick", status, "why")], tmp_path)
    assert file.read_bytes() == before


def test_what_was_not_run_is_listed_and_takes_nothing_away(tmp_path, file):
    before = file.read_bytes()
    idle = Verdict("test2026.holds", "quick", Status.NOT_RUN, "It needs data.")
    _, notes = publish([HOLDS], [idle], tmp_path)
    assert notes == ["test2026.holds is NOT RUN this time; what is published of it (PASS) stays"]
    assert file.read_bytes() == before
    publish([claim("new")], [dataclasses.replace(idle, id="test2026.new")], tmp_path)
    assert [(entry.id, entry.status) for entry in read(file)][1:] == [
        ("test2026.holds", "PASS"), ("test2026.new", "NOT RUN")
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["$0", "$", "$$", "$1000", "$x", "a text that occurs twice, and is long"])
def test_texts_that_look_like_references_come_back(tmp_path, text):
    odd = claim("odd", notes=text, claim=text, theory=text)
    publish([odd], corrected([verdict_on(odd, LARGE)]), tmp_path)
    [entry] = read(tmp_path / "test2026" / FILE)
    assert [entry.verdict["about"][name] for name in ("notes", "claim", "theory")] == [text] * 3


def change(**fields):
    def changed(data):
        data.update(fields)

    return changed


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (change(schema="grokscape-published/2"), "it is 'grokscape-published/2', expected 'grokscape-published/1'"),
        (lambda data: data.pop("schema"), "it says nowhere that it is grokscape-published/1"),
        (lambda data: data["verdicts"][0]["verdict"].update(status="PASS"), "does not match its checksum"),
        (lambda data: data.pop("sha256"), "does not match its checksum"),
    ],
)
def test_a_file_of_another_form_is_refused_in_a_sentence(tmp_path, file, damage, reason):
    data = json.loads(file.read_bytes())
    damage(data)
    file.write_text(json.dumps(data))
    with pytest.raises(InvalidInput, match=reason):
        read(file)
    found, [complaint] = load_published(tmp_path)
    assert found == []
    assert str(file) in complaint
    assert complaint.endswith("; restore it, or publish again")
    assert "\n" not in complaint


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data.pop("texts"), "missing or of another form"),
        (lambda data: data["texts"].append(3), "its texts are not all texts"),
        (lambda data: data["texts"].clear(), "missing or of another form"),
        (change(texts=[3] * 40), "verdict.schema is 3"),
        (change(verdicts=[3]), "missing or of another form"),
        (change(source="other2026"), "not of its source 'other2026'"),
        (lambda data: data["verdicts"].append(data["verdicts"][0]), "two verdicts on one claim"),
        (lambda data: data["verdicts"][0]["verdict"].update(status="FINE"), "verdict.status is 'FINE'"),
        (lambda data: data["verdicts"][0]["verdict"].pop("reason"), "it lacks something"),
        (lambda data: data["verdicts"][0]["verdict"].pop("tier"), "missing or of another form"),
        (lambda data: data["verdicts"][0].update(frozen=3), "fingerprint is no text"),
        (lambda data: data["verdicts"][0]["evidence"].pop("forms"), "does not fit together"),
    ],
)
def test_a_file_that_somebody_made_is_held_to_its_form(file, damage, reason):
    data = json.loads(file.read_bytes())
    damage(data)
    data.pop("sha256")
    file.write_text(json.dumps(data | {"sha256": _digest(data)}))
    with pytest.raises(InvalidInput, match=reason):
        read(file)


@pytest.mark.parametrize("text", ["", "[]", "{}", "NaN", "[" * 100_000])
def test_a_file_that_is_no_such_file_is_refused(file, text):
    file.write_text(text)
    with pytest.raises(InvalidInput, match="cannot be read as published results"):
        read(file)


def test_a_file_that_cannot_be_read_is_not_replaced(tmp_path, file, verdicts):
    file.write_text("{}")
    with pytest.raises(InvalidInput):
        publish([HOLDS], verdicts[:1], tmp_path)
    assert file.read_text() == "{}"
