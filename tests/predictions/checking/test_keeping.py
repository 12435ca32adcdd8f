"""What a check keeps when something breaks: evidence is never replaced by its absence, nor lost with one file."""

from __future__ import annotations

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from grokscape.landscape.errors import InvalidInput, StoreError
from grokscape.landscape.records import writable
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.local import local_executor
from grokscape.predictions.checking import verdict_files
from grokscape.predictions.checking.check import Check
from grokscape.predictions.checking.verdict_files import keep_verdict, load_verdicts
from grokscape.predictions.evidence import Measurement
from grokscape.predictions.prediction import LONGEST_ID
from grokscape.predictions.terms import Tier
from grokscape.predictions.verdict import Status
from tests.landscape.scheduling.mortal import Mortal
from tests.landscape.scheduling.toys import Toy
from tests.predictions.made_up.claims import Constant, claim


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def check(claims, store):
    done = Check(claims, "quick", store)
    with ThreadPoolExecutor(1) as executor:
        notes = [update.note for update in done.run(executor) if update.note]
    return done, notes


def kept(store):
    found, complaints = load_verdicts(store, "quick")
    assert not complaints
    return {data["id"]: data["status"] for data in found}


def breaks(*_):
    raise ZeroDivisionError("by design")


@pytest.mark.parametrize(
    ("change", "status"),
    [({"measure": breaks}, Status.ERROR), ({"needs": {"no_such_package": "install it"}}, Status.NOT_RUN)],
)
def test_what_says_nothing_of_a_claim_replaces_no_verdict_that_does(store, change, status):
    sound = claim(value=-2.0)
    assert check([sound], store)[0].verdicts[0].status is Status.FAIL
    done, [note] = check([dataclasses.replace(sound, **change)], store)
    assert done.verdicts[0].status is status
    assert note.startswith(f"test2026.large is {status} this time; the store keeps its FAIL of 20")
    assert kept(store) == {"test2026.large": "FAIL"}
    check([claim()], store)
    assert kept(store) == {"test2026.large": "PASS"}


def test_an_error_replaces_an_error_and_what_cannot_be_read(store):
    broken = claim(measure=breaks)
    check([broken], store)
    assert kept(store) == {"test2026.large": "ERROR"}
    file = store.path / "verdicts" / "quick" / "test2026.large.json"
    file.write_text("{")
    assert check([broken], store)[1] == []
    assert "by design" in json.loads(file.read_bytes())["reason"]


def test_a_killed_worker_leaves_the_stored_verdicts_and_the_other_claims_alone(store, tmp_path):
    check([claim("killed", value=-2.0)], store)
    deadly = claim("killed", runs=lambda seed, at: {"only": Mortal(kills="always", marks=str(tmp_path))})
    done = Check([deadly, claim("sound")], "quick", store)
    with local_executor(1) as executor:
        notes = [update.note for update in done.run(executor) if update.note]
    assert [verdict.status for verdict in done.verdicts] == [Status.ERROR, Status.PASS]
    assert "killed at it twice" in done.verdicts[0].reason
    assert kept(store) == {"test2026.killed": "FAIL", "test2026.sound": "PASS"}
    assert any("a worker was killed" in note for note in notes)
    assert any("keeps its FAIL" in note for note in notes)


def test_verdicts_are_kept_as_they_come_in(store):
    """Interrupted after the first of two: that one is there, corrected as if the other had failed."""
    slow = claim("slow", runs=lambda seed, at: {f"{n}": Toy(number=10 * seed + n, seconds=0.01) for n in range(4)})
    done = Check([claim("fast"), slow], "quick", store)
    with ThreadPoolExecutor(1) as executor:
        updates = done.run(executor)
        for update in updates:
            if update.verdict is not None:
                assert update.verdict.id == "test2026.fast"
                break
        next(updates)
        assert kept(store) == {"test2026.fast": "PASS"}
        [data], _ = load_verdicts(store, "quick")
        assert data["p_holm"] == pytest.approx(2 * data["p"])
        updates.close()


def test_a_file_that_cannot_be_written_loses_no_other(store, monkeypatch):
    write = verdict_files.save_verdict

    def full(store, verdict):
        if verdict.id == "test2026.first":
            raise OSError(28, "No space left on device")
        write(store, verdict)

    monkeypatch.setattr(verdict_files, "save_verdict", full)
    done, _ = check([claim("first"), claim("second")], store)
    assert [verdict.status for verdict in done.verdicts] == [Status.PASS] * 2
    assert kept(store) == {"test2026.second": "PASS"}
    [sentence] = done.unsaved
    assert "test2026.first could not be kept" in sentence
    assert "No space left" in sentence


@pytest.mark.parametrize("folder", ["runs", "locks", "verdicts/quick"])
def test_a_store_that_cannot_be_written_is_found_before_training(store, monkeypatch, folder):
    """Permissions bind no administrator, so that the file system's answer is made up here."""
    write = writable._write_one

    def refuse(place, name):
        if place == store.path / folder:
            raise OSError(30, "Read-only file system")
        write(place, name)

    monkeypatch.setattr(writable, "_write_one", refuse)
    with pytest.raises(StoreError, match=f"{folder} cannot be written .Read-only file system.; make room or"):
        check([claim()], store)
    assert not list(store.folders())


def test_a_store_that_turns_read_only_is_an_error_of_what_needs_it(store, monkeypatch):
    """A claim that asks for more runs, in a store where a damaged record cannot be set aside."""
    check([claim("more"), claim("sound", value=3.0)], store)
    victim = store.folder(Constant(value=2.0, seed=10))

    def more(seed, at, records):
        (victim / "trajectory.parquet").write_bytes(b"nonsense")
        return {"extra": records["only"].experiment}

    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Store, "set_aside", refuse)
    asking = claim("more", refine=more, rounds=1, tiers={"quick": Tier((10,), {"value": 2.0, "fails": False})})
    done, _ = check([asking, claim("sound", value=3.0)], store)
    assert [verdict.status for verdict in done.verdicts] == [Status.ERROR, Status.PASS]
    reason = done.verdicts[0].reason
    assert (
        "trajectory.parquet does not match its checksum, and it cannot be set aside (Read-only file system)" in reason
    )
    assert f"let the store {store.path} be written" in reason


@pytest.mark.parametrize("where", ["refine", "measure"])
def test_a_record_that_is_damaged_while_a_claim_is_checked_is_trained_again(store, where):
    """Once, with a note; a claim whose records are damaged again and again is an ERROR."""
    victim, times = Constant(value=2.0, seed=10), [1]

    def damage():
        if times[0]:
            times[0] -= 1
            (store.folder(victim) / "trajectory.parquet").write_bytes(b"nonsense")
            store.read(victim)

    def more(seed, at, records):
        if where == "refine":
            damage()
        return {}

    def measured(records, at):
        if where == "measure":
            damage()
        yield from claim().measure(records, at)

    tiers = {"quick": Tier((10, 11), {"value": 2.0, "fails": False})}
    asking = claim("more", refine=more, measure=measured, rounds=1, tiers=tiers)
    done, notes = check([asking], store)
    assert done.verdicts[0].status is not Status.ERROR, done.verdicts[0].reason
    assert any("does not match its checksum; set aside as" in note for note in notes)
    assert store.usable(victim) == (True, "")
    times[0] = 2
    done, _ = check([asking], store)
    assert done.verdicts[0].status is Status.ERROR
    assert "Its records: " in done.verdicts[0].reason


def test_a_store_that_fills_up_is_named_with_what_to_do(store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grokscape.landscape.records.store.flush", full)
    done, _ = check([claim()], store)
    assert done.verdicts[0].status is Status.ERROR
    assert f"the store {store.path} cannot be written (No space left on device); make room" in done.verdicts[0].reason


def test_numbers_of_numpy_in_a_claim_are_kept_as_numbers(store):
    def measured(records, at):
        yield Measurement("size", np.float32(2.0), censored=np.False_)
        yield Measurement("curve", np.float64(1.0), at=np.int64(3))

    tiers = {"quick": Tier(np.arange(10, 18), {"value": 2.0, "fails": False})}
    done, _ = check([claim(measure=measured, tiers=tiers, calibration_seeds=np.arange(3))], store)
    assert not done.unsaved
    assert done.verdicts[0].status is Status.INVALID, done.verdicts[0].reason  # the control is as large
    [data], _ = load_verdicts(store, "quick")
    assert data["seeds"] == list(range(10, 18))
    assert data["evidence"][1]["at"] == 3


def test_an_id_too_long_for_a_file_name_is_refused_when_the_claim_is_made(store):
    longest = claim("x" * (LONGEST_ID - len("test2026.")))
    keep_verdict(store, check([longest], store)[0].verdicts[0])
    assert kept(store) == {longest.id: "PASS"}
    with pytest.raises(InvalidInput, match=rf"has {LONGEST_ID + 1} characters, expected {LONGEST_ID} at most"):
        claim("x" * (LONGEST_ID + 1 - len("test2026.")))
