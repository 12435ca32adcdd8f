"""Catches a store from a stranger that reaches out of itself, waits for ever, or ends a command with one odd file."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy

from grokscape.landscape.errors import InvalidInput, StoreError
from grokscape.landscape.experiment import COLUMNS, Outcome, Snapshot
from grokscape.landscape.learners import EmbeddingDecoder, TwoCircuits
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.records import inside, snapshots, strict_json, trajectories
from grokscape.landscape.records.store import Damaged, Store, describe
from grokscape.landscape.records.writable import refuse_unwritable_store
from grokscape.landscape.scheduling.session import StoreSession
from grokscape.landscape.training.run import Run
from grokscape.landscape.training.stop import Stop
from tests.landscape.helpers import assert_same_bits, small_run, train_alone

HEADER, TRAJECTORY, WEIGHTS = "run.json", "trajectory.parquet", "weights.safetensors"
posix = pytest.mark.skipif(os.name != "posix", reason="links and FIFOs")


@pytest.fixture(scope="module")
def trained() -> tuple[Run, Outcome]:
    run = small_run(steps=10, keep=(0, 5))
    return run, train_alone(run)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "letter").write_text("private")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def seal(folder: Path, change: Callable[[dict[str, Any]], object] = lambda header: None) -> None:
    """Change a header and make all checksums fit."""
    header = json.loads((folder / HEADER).read_bytes())
    for name in header["files"]:
        header["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    change(header)
    del header["sha256"]
    header["sha256"] = hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()
    (folder / HEADER).write_text(json.dumps(header))


def parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


# -- nothing outside ---------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("part", ["runs", "verdicts", "progress", "locks", "aside"])
def test_a_store_whose_part_is_a_link_is_refused(store: Store, outside: Path, part: str) -> None:
    (store.path / part).rmdir()
    (store.path / part).symlink_to(outside)
    with pytest.raises(StoreError, match=f"{part} is a symbolic link, expected a folder"):
        Store(store.path)
    assert [path.name for path in outside.iterdir()] == ["letter"]


@posix
def test_a_store_that_is_itself_a_link_is_the_users_choice(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    link = store.path.parent / "link"
    link.symlink_to(store.path)
    Store(link).write(run, outcome, {})
    assert Store(link).usable(run) == store.usable(run) == (True, "")


@posix
@pytest.mark.parametrize("name", [HEADER, TRAJECTORY, WEIGHTS])
@pytest.mark.parametrize("how", ["link", "fifo", "folder", "huge"])
def test_what_is_no_sensible_file_is_neither_followed_nor_opened(
    store: Store, outside: Path, trained: tuple[Run, Outcome], name: str, how: str
) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    path = store.folder(run) / name
    if how == "huge":
        os.truncate(path, 2**40)
    else:
        kept = path.rename(outside / name)
        {"link": lambda: path.symlink_to(kept), "fifo": lambda: os.mkfifo(path), "folder": path.mkdir}[how]()
    with pytest.raises(Damaged, match="is larger than" if how == "huge" else "is a "):
        store.read(run)
    usable, complaint = store.usable(run)
    assert (usable, str(path) in complaint) == (False, True)


@posix
def test_a_record_that_lies_elsewhere_is_no_record(store: Store, outside: Path, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    store.folder(run).rename(outside / "record")
    store.folder(run).symlink_to(outside / "record")
    assert run not in store
    assert "is a symbolic link, expected a folder" in store.usable(run)[1]
    assert len(list((outside / "record").iterdir())) == 3
    store.write(run, outcome, {})
    assert store.usable(run) == (True, "")


@pytest.mark.parametrize("name", ["/dev/zero", "../../../outside/letter", "more.bin", "a\x00b"])
def test_a_header_names_its_own_two_files_and_no_others(
    store: Store, outside: Path, trained: tuple[Run, Outcome], name: str
) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    digest = hashlib.sha256(b"private").hexdigest()
    seal(store.folder(run), lambda header: header["files"].update({name: digest}))
    with pytest.raises(Damaged, match=f"names other files than {TRAJECTORY} and {WEIGHTS}"):
        store.read(run)


@posix
def test_prune_and_verify_remove_and_move_links_and_not_what_they_lead_to(store: Store, outside: Path) -> None:
    for place in ("aside/x", "locks/x", "progress/x", "runs/x", "runs/.writing-x", "verdicts/quick"):
        (store.path / place).symlink_to(outside)
        os.utime(store.path / place, (0, 0), follow_symlinks=False)
    assert {path.name for path, _ in store.verify()} == {"x", "quick"}
    assert (store.path / "aside" / "x").is_symlink()
    store.prune(keep=set())
    assert [path.name for path in (store.path / "aside").iterdir()] == []
    assert (outside / "letter").read_text() == "private"


@posix
@pytest.mark.parametrize("how", ["link", "hard link", "fifo", "folder"])
def test_an_odd_lock_is_set_aside_and_named(
    store: Store, outside: Path, trained: tuple[Run, Outcome], how: str
) -> None:
    lock, letter = store.path / "locks" / f"{trained[0].identity}.lock", outside / "letter"
    make = {"link": lambda: lock.symlink_to(letter), "hard link": lambda: os.link(letter, lock), "folder": lock.mkdir}
    make.get(how, lambda: os.mkfifo(lock))()
    with store.claim(trained[0]) as held:
        assert held
    assert str(lock) in store.complaints[0]
    assert letter.read_text() == "private"


@posix
def test_verdicts_are_not_written_through_a_link(store: Store, outside: Path) -> None:
    (store.path / "verdicts" / "quick").symlink_to(outside)
    assert store.place("verdicts", "quick", "a.b.json").parent.lstat().st_mode & 0o170000 == 0o040000
    assert "quick is a symbolic link" in store.complaints[0]
    assert len(list(outside.iterdir())) == 1


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_store_that_cannot_be_written_can_be_read(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    (store.path / "aside").rmdir()
    store.path.chmod(0o555)
    try:
        assert Store(store.path).usable(run) == (True, "")
    finally:
        store.path.chmod(0o755)


def test_a_store_whose_folders_cannot_be_made_can_be_read(
    store: Store, trained: tuple[Run, Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    (store.path / "aside").rmdir()

    def no(*arguments: Any, **options: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", no)
    monkeypatch.setattr(Path, "rename", no)
    reader = Store(store.path)
    assert reader.usable(run) == (True, "")
    (store.folder(run) / WEIGHTS).write_bytes(b"")
    [(_, reason)] = reader.verify()
    assert reason.endswith("it cannot be set aside (Read-only file system)")


# -- one odd file ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[" * 100_000, "nested more than"),
        ('{"a":' * 300 + "1" + "}" * 300, "nested more than"),
        ("{}", "no header"),
        ("[]", "no header"),
        ('{"sha256": NaN}', "NaN"),
        ('{"sha256": 1e400}', "out of range"),
        ('{"sha256": ' + "9" * 5000 + "}", "5000 digits"),
        ("\xff", "utf-8"),
    ],
)
def test_odd_json_is_damage(store: Store, trained: tuple[Run, Outcome], content: str, reason: str) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    (store.folder(run) / HEADER).write_bytes(content.encode("latin-1"))
    with pytest.raises(Damaged, match=reason):
        store.read(run)
    [(path, _)] = store.verify()
    assert path == store.folder(run)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda h: h.update(format=99), "format 99, expected 1"),
        (lambda h: h.update(format=True), "format True"),
        (lambda h: h.pop("format"), "format None"),
        (lambda h: h.pop("files"), "names other files"),
        (lambda h: h.pop("experiment"), "describes no experiment"),
        (lambda h: h.update(experiment={"kind": ["run"]}), "describes no experiment"),
        (lambda h: h.update(info=[]), "how the training went"),
        (lambda h: h["info"].update(last_step="[red]x"), "expected a number of steps"),
        (lambda h: h["info"].update(last_step=7), "ended at step 7|lacks the weights"),
        (lambda h: h["info"].pop("last_step"), "lacks the weights of the last step"),
        (lambda h: h["info"].update(seconds=1e300), "expected a duration"),
        (lambda h: h["files"].update({WEIGHTS: None}), "no SHA-256"),
    ],
)
def test_a_header_of_another_form_under_a_valid_checksum_is_damage(
    store: Store, trained: tuple[Run, Outcome], change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    seal(store.folder(run), change)
    with pytest.raises(Damaged, match=reason):
        store.read(run)
    assert not store.usable(run)[0]


@pytest.mark.parametrize("header", ["[" * 100_000, '{"format": NaN}', '{"format": 1.0}', '{"format": true}', "folder"])
def test_an_odd_store_header_is_refused(store: Store, header: str) -> None:
    (store.path / "store.json").unlink()
    if header == "folder":
        (store.path / "store.json").mkdir()
    else:
        (store.path / "store.json").write_text(header)
    with pytest.raises(StoreError, match=r"store\.json cannot be read|has store format"):
        Store(store.path)


ONE = {"step": [0], "split": ["train"], "quantity": ["loss"], "value": [1.0]}
LONG = pa.DictionaryArray.from_arrays(np.zeros(300, np.int8), ["x" * 10**6])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Parquet"),
        (b"PAR1" + b"x" * 100 + b"PAR1", "Parquet|metadata|footer"),
        (parquet(**{**ONE, "more": [1]}), "has the columns step, split, quantity, value, more"),
        (parquet(**{**ONE, "step": ["0"]}), "column step is of type"),
        (parquet(**{**ONE, "step": pa.array([None], pa.int64())}), "no finite number"),
        (parquet(**{**ONE, "step": [float("inf")]}), "no finite number"),
        (parquet(**{**ONE, "split": [b"\xff"]}), "column split is of type"),
        (parquet(**{**ONE, "quantity": pa.array([None], pa.string())}), "without a text"),
        (parquet(**{**ONE, "value": [True]}), "column value is of type"),
        (parquet(**{**ONE, "step": pa.array([0], pa.date32())}), "column step is of type"),
        (parquet(**{name: values * 2 for name, values in ONE.items()}), "twice at one step"),
        (parquet(step=np.arange(300), split=LONG, quantity=LONG, value=np.zeros(300)), "when it is unpacked"),
    ],
)
def test_a_table_that_no_record_has_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        trajectories.decode(content)


def test_a_table_of_too_many_rows_is_refused_by_its_footer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trajectories, "MOST_ROWS", 2)
    content = parquet(step=[0, 1, 2], split=["a"] * 3, quantity=["b"] * 3, value=[0.0] * 3)
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *arguments, **options: pytest.fail("it was read"))
    with pytest.raises(ValueError, match="3 rows, more than 2"):
        trajectories.decode(content)


ZEROS = pa.ListArray.from_arrays(pa.array([0, 10**6], pa.int32()), pa.array(np.zeros(10**6, np.int8)))


@pytest.mark.parametrize(
    ("table", "options", "reason"),
    [
        ({**ONE, "extra": ZEROS}, {}, "has the columns step, split, quantity, value, extra"),
        ({**ONE, "value": ZEROS}, {}, "has the columns step, split, quantity, value.list.element"),
        ({name: values * 101 for name, values in ONE.items()}, {"row_group_size": 1}, "101 groups of rows"),
        (ONE | {"split": ["x" * 3000]}, {}, "would unpack to"),
        (ONE, {"use_dictionary": False, "column_encoding": {"split": "DELTA_BYTE_ARRAY"}}, "DELTA_BYTE_ARRAY"),
        (ONE, {"compression": "gzip"}, "compressed by GZIP"),
    ],
)
def test_little_that_stands_for_much_is_refused_by_the_footer(
    monkeypatch: pytest.MonkeyPatch, table: dict[str, Any], options: dict[str, Any], reason: str
) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table(table), buffer, **options)
    monkeypatch.setattr(trajectories, "LARGEST_UNPACKED", 2000 if "x" * 3000 in table["split"] else 2**29)
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *arguments, **options: pytest.fail("it was read"))
    assert len(buffer.getvalue()) < 100_000
    with pytest.raises(ValueError, match=reason):
        trajectories.decode(buffer.getvalue())


def test_a_table_comes_back_as_pandas_reads_it(trained: tuple[Run, Outcome]) -> None:
    table = trained[1].trajectory
    content = trajectories.encode(table)
    pd.testing.assert_frame_equal(trajectories.decode(content), pd.read_parquet(io.BytesIO(content)))
    assert trajectories.decode(trajectories.encode(table[:0])).empty


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"10/x": np.ones(3, np.float32)}, "lacks the weights of step 0"),
        ({"no step": np.ones(3)}, "not the step and the name"),
        ("shape", "have the shape"),
        ("type", "are float16, expected float32"),
        ("name", "have the shape None|have the shape"),
    ],
)
def test_weights_that_do_not_fit_are_set_aside(
    store: Store, trained: tuple[Run, Outcome], arrays: Any, reason: str
) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    file = store.folder(run) / WEIGHTS
    kept = safetensors.numpy.load(file.read_bytes())
    if isinstance(arrays, str):
        change = {
            "shape": lambda name, a: (name, a.T.copy()),
            "type": lambda name, a: (name, a.astype(np.float16)),
            "name": lambda name, a: (f"{name}x", a),
        }[arrays]
        arrays = dict(change(name, array) for name, array in kept.items())
    file.write_bytes(safetensors.numpy.save(arrays))
    seal(store.folder(run))
    usable, complaint = store.usable(run)
    assert not usable
    assert any(part in complaint for part in reason.split("|"))


def test_what_could_not_be_read_again_is_not_written(store: Store) -> None:
    toy = TwoCircuits(steps=5)
    twice = pd.DataFrame([(1, "", "x", 1.0), (1, "", "x", 2.0)], columns=list(COLUMNS))
    with pytest.raises(InvalidInput, match="a quantity twice at one step"):
        store.write(toy, Outcome(twice), {})
    with pytest.raises(InvalidInput, match="none of its last step"):
        store.write(toy, Outcome(twice[:1], {3: {"w": np.ones(1)}}, {"last_step": 4}), {})
    with pytest.raises(InvalidInput, match="NaN"):
        store.write(toy, Outcome(twice[:1], {}, {"note": float("nan")}), {})
    assert list(store.folders()) == []


# -- snapshots ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def interrupted() -> tuple[Run, Snapshot]:
    run = small_run(steps=40, keep=(5,), stop=(Stop(quantity="loss", split="train", below=-1.0),))
    saved: list[Snapshot] = []

    class Session(StoreSession):
        def snapshot(self, experiment: Any) -> Snapshot | None:
            return None

        def save(self, experiment: Any, snapshot: Snapshot) -> None:
            saved.append(snapshot)

        def wants_snapshot(self) -> bool:
            return True

    for _ in Run.train([run], Session(None)):  # type: ignore[arg-type]
        pass
    return run, saved[-1]


def test_a_sound_snapshot_fits(store: Store, interrupted: tuple[Run, Snapshot]) -> None:
    run, snapshot = interrupted
    store.save_snapshot(run, snapshot)
    assert store.load_snapshot(run) is not None
    [outcome] = [outcome for _, outcome in Run.train([run], StoreSession(store))]
    assert_same_bits(outcome, train_alone(run))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: {"step": 999},
        lambda s: {"step": 0},
        lambda s: {"step": 9},
        lambda s: {"rows": s.rows.assign(step=np.nan)},
        lambda s: {"rows": s.rows.assign(quantity=1)},
        lambda s: {"arrays": {**s.arrays, "parameters": s.arrays["parameters"][:-1]}},
        lambda s: {"arrays": {**s.arrays, "parameters": s.arrays["parameters"].astype(np.float64)}},
        lambda s: {"arrays": {**s.arrays, "held": np.zeros(3, np.int64)}},
        lambda s: {"arrays": {n: a for n, a in s.arrays.items() if n != "state/mean"}},
        lambda s: {"arrays": {n: a for n, a in s.arrays.items() if not n.startswith("kept/")}},
        lambda s: {"arrays": {**s.arrays, "kept/": np.zeros(1)}},
    ],
)
def test_a_snapshot_that_does_not_fit_is_set_aside_and_named(
    store: Store, interrupted: tuple[Run, Snapshot], change: Callable[[Snapshot], dict[str, Any]]
) -> None:
    run, snapshot = interrupted
    fields = {"step": snapshot.step, "rows": snapshot.rows, "arrays": snapshot.arrays}
    store.save_snapshot(run, Snapshot(**{**fields, **change(snapshot)}))
    assert store.load_snapshot(run) is None
    assert str(store.snapshot_file(run)) in store.complaints[0]
    assert not store.snapshot_file(run).exists()


def test_a_snapshot_that_is_too_large_to_be_read_is_named_once(
    store: Store, interrupted: tuple[Run, Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "LARGEST", 10)
    for _ in range(2):
        store.save_snapshot(*interrupted)
    assert len(store.complaints) == 1
    assert "larger than 10 bytes" in store.complaints[0]
    assert store.load_snapshot(interrupted[0]) is None


def test_a_snapshot_of_another_run_is_not_gone_on_from(store: Store, interrupted: tuple[Run, Snapshot]) -> None:
    """It fits, and would silently be another training's record."""
    run, snapshot = interrupted
    other = run.replace(seed=1)
    store.save_snapshot(run, snapshot)
    store.snapshot_file(run).rename(store.snapshot_file(other))
    assert store.load_snapshot(other) is None
    assert "not the snapshot of this experiment" in store.complaints[0]


def test_a_snapshot_of_embeddings_is_held_to_their_sizes(store: Store) -> None:
    toy = EmbeddingDecoder(symbols=4, n_train=6, seed=0, steps=30, widths=(8,), outputs=5, decoder=AdamW())
    session = StoreSession(store, interval=0.0)
    outcome = train_alone(toy, session)
    snapshot = store.load_snapshot(toy)
    assert snapshot is not None
    store.save_snapshot(toy, Snapshot(snapshot.step, snapshot.rows, {**snapshot.arrays, "held": np.zeros(1)}))
    assert store.load_snapshot(toy) is None
    store.write(toy, outcome, {})
    assert store.usable(toy) == (True, "")


@pytest.mark.parametrize("rows", ["[" * 5000, "{}", "[[1], [2]]", '[[1], ["a"], ["b"], [{}]]'])
def test_a_snapshot_whose_records_are_odd_is_refused(rows: str) -> None:
    meta = {"step": "3", "rows": rows, "identity": "x"}
    payload = safetensors.numpy.save({"parameters": np.ones(2)}, metadata=meta)
    with pytest.raises(ValueError, match="records cannot be read"):
        snapshots.decode(hashlib.sha256(payload).digest() + payload, "x")


# -- words, numbers and leftovers --------------------------------------------------------------------------------------


def test_describing_builds_nothing() -> None:
    """The sizes of a description may be any; one that is built asks for them."""
    data = small_run().to_data()
    assert describe({"experiment": data}) == repr(small_run())
    data["task"]["p"], data["steps"] = 10**30, -5
    assert f"p={10**30}" in describe({"experiment": data})


def test_names_are_shown_in_one_printable_line() -> None:
    assert inside.shown("a\x1b[31m\n\udcffé") == "a\\x1b[31m\\n\\udcffé"


def test_json_keeps_what_descriptions_need() -> None:
    assert strict_json.parse('{"a": [1, -2.5e-3, null, true, "é"]}') == {"a": [1, -2.5e-3, None, True, "é"]}
    assert strict_json.parse(str(2**128 - 1)) == 2**128 - 1
    start = small_run()
    for seed in range(60):
        start = start.replace(start=start, seed=seed)
    assert strict_json.parse(start.canonical) == start.to_data()


def test_prune_removes_what_killed_writes_left_and_no_younger_or_other_files(store: Store) -> None:
    (store.path / "verdicts" / "quick").mkdir()
    old = [
        ".store.json-abcd_123",
        "verdicts/quick/.a.b.json-abcd_123",
        "progress/.x.safetensors-abcd_123",
        "progress/x.job",
    ]
    kept = ["notes", ".hidden", ".store.json-toolongforit", "verdicts/quick/a.b.json"]
    for name in (*old, *kept):
        (store.path / name).write_text("x")
        os.utime(store.path / name, (0, 0))
    (store.path / "verdicts/quick/.c.d.json-abcd_123").write_text("x")
    assert {str(path.relative_to(store.path)) for path in store.prune(keep=set())} == set(old)
    assert (store.path / "verdicts/quick/.c.d.json-abcd_123").exists()


def test_prune_leaves_a_lock_that_somebody_has_held_for_long(store: Store, trained: tuple[Run, Outcome]) -> None:
    lock = store.path / "locks" / f"{trained[0].identity}.lock"
    with store.claim(trained[0]):
        os.utime(lock, (0, 0))
        assert store.prune(keep=set()) == []
        assert lock.exists()
    os.utime(lock, (0, 0))
    assert store.prune(keep=set()) == [lock]


SHELVES = ("runs", "progress", "locks", "verdicts", "verdicts/quick")


def test_a_probe_that_a_kill_left_is_no_damage_and_goes_in_time(store: Store) -> None:
    refuse_unwritable_store(store, "quick")
    probes = [store.path / shelf / ".probe-iak724em" for shelf in SHELVES]
    for probe in probes:
        probe.write_bytes(bytes(4096))
    assert list(store.verify()) == []
    assert store.prune(keep=set(), dry_run=True) == []
    for probe in probes:
        os.utime(probe, (0, 0))
    assert sorted(store.prune(keep=set())) == sorted(probes)
    assert not any(probe.exists() for probe in probes)
