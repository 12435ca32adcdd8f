"""Catches a store that loses, mixes up or silently accepts wrong data, or that touches what is not its own.

What happens when processes are killed in the middle is tested in `test_interruption`.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import pickle
import pickletools
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.errors import StoreError
from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome, Snapshot
from grokscape.landscape.learners import TwoCircuits
from grokscape.landscape.records import store as store_module
from grokscape.landscape.records.files import write_atomically
from grokscape.landscape.records.store import Damaged, Store, describe
from grokscape.landscape.training.run import Run
from tests.landscape.helpers import (
    assert_same_bits,
    assert_same_trajectory,
    assert_same_weights,
    small_run,
    train_alone,
)

HEADER, TRAJECTORY, WEIGHTS = "run.json", "trajectory.parquet", "weights.safetensors"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "Ünïcode folder with spaces" / "store")


@pytest.fixture(scope="module")
def trained() -> tuple[Run, Outcome]:
    run = small_run(steps=10, keep=(0, 5))
    return run, train_alone(run)


def flip(file: Path, offset: int) -> None:
    """Change one bit of a file."""
    content = bytearray(file.read_bytes())
    content[offset] ^= 1
    file.write_bytes(bytes(content))


def tree(path: Path) -> dict[str, bytes | None]:
    """Return every file's content, and None for folders."""
    return {str(p.relative_to(path)): p.read_bytes() if p.is_file() else None for p in sorted(path.rglob("*"))}


# -- round trips ------------------------------------------------------------------------------------------------------


def test_record_comes_back_bit_for_bit(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    assert run not in store
    assert store.usable(run) == (False, "")
    with pytest.raises(KeyError, match="no record"):
        store.read(run)
    store.write(run, outcome, {"torch": "0.0"})
    for reader in (store, Store(store.path)):
        assert run in reader
        assert reader.usable(run) == (True, "")
        record = reader.read(run)
        assert record.experiment == run
        assert_same_trajectory(record.trajectory, outcome.trajectory)
        assert record.trajectory["step"].dtype == np.int64
        assert record.info == outcome.info | {"torch": "0.0"}
        assert_same_weights({step: record.weights(step) for step in (0, 5, 10)}, outcome.weights)
        assert_same_weights({10: record.weights()}, {10: outcome.weights[10]})
        with pytest.raises(KeyError, match=r"keep=\(7,\)"):
            record.weights(7)
    assert list(store.verify()) == []


def test_layout_is_that_of_format_1(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    assert json.loads((store.path / "store.json").read_text()) == {"format": 1}
    folder = store.path / "runs" / run.identity
    assert sorted(file.name for file in folder.iterdir()) == [HEADER, TRAJECTORY, WEIGHTS]
    header = json.loads((folder / HEADER).read_text())
    assert header["experiment"] == run.to_data()
    for name in (TRAJECTORY, WEIGHTS):
        assert header["files"][name] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert [path.name for path in (store.path / "runs").iterdir()] == [run.identity]


def test_learner_without_weights(store: Store) -> None:
    toy = TwoCircuits(steps=5)
    outcome = train_alone(toy)
    store.write(toy, outcome, {})
    record = store.read(toy)
    assert_same_trajectory(record.trajectory, outcome.trajectory)
    with pytest.raises(KeyError):
        record.weights()


def test_unusual_arrays_and_numbers(store: Store) -> None:
    run = TwoCircuits(steps=4)  # a learner, of which the store knows no shapes
    grid = np.arange(12.0).reshape(3, 4)
    arrays = {
        "transposed": grid.T,
        "strided": grid[:, ::2],
        "scalar": np.array(3.5),
        "empty": np.zeros((0, 4), dtype=np.float32),
        "name/with/slashes": np.array([np.nan, np.inf, -0.0, 5e-324]),
    }
    rows = [(0, "", "x", np.nan), (1, "", "x", np.inf), (2, "", "x", -0.0), (3, "", "x", 5e-324), (4, "", "x", 0.1)]
    outcome = Outcome(pd.DataFrame(rows, columns=list(COLUMNS)), {4: arrays}, {"last_step": 4})
    store.write(run, outcome, {})
    record = store.read(run)
    assert_same_trajectory(record.trajectory, outcome.trajectory)
    assert_same_weights({4: record.weights()}, {4: arrays})


def test_first_record_stands(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    store.write(run, outcome, {"who": "first"})
    store.write(run, outcome, {"who": "second"})
    assert store.read(run).info["who"] == "first"
    assert len(list((store.path / "runs").iterdir())) == 1
    assert list((store.path / "aside").iterdir()) == []


def test_writing_ends_the_snapshot(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    store.save_snapshot(run, Snapshot(3, outcome.trajectory, {"parameters": np.zeros(3)}))
    store.write(run, outcome, {})
    assert store.load_snapshot(run) is None
    assert list((store.path / "progress").iterdir()) == []


def test_failed_writing_leaves_nothing(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    with pytest.raises(TypeError, match="not JSON serializable"):
        store.write(run, outcome, {"unserialisable": object()})
    assert run not in store
    assert list((store.path / "runs").iterdir()) == []


def test_writers_at_the_same_time_leave_one_sound_record(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    start, errors = threading.Barrier(4), []

    def write(name: str) -> None:
        try:
            start.wait(10)
            for _ in range(10):
                store.write(run, outcome, {"who": name})
                store.read(run)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [path.name for path in (store.path / "runs").iterdir()] == [run.identity]
    assert list(store.verify()) == []


def test_experiments_lists_records_and_describes_them(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    [(folder, header)] = list(store.experiments())
    assert folder == store.folder(run)
    assert describe(header) == repr(run)
    header["experiment"]["kind"] = "from another world"
    assert "from another world" in describe(header)


# -- damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [HEADER, TRAJECTORY, WEIGHTS])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0], ids=["first-byte", "middle", "last-byte"])
def test_one_flipped_bit_is_noticed_named_and_set_aside(
    store: Store, trained: tuple[Run, Outcome], name: str, place: float
) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    file = store.folder(run) / name
    flip(file, int(place * (file.stat().st_size - 1)))
    with pytest.raises(Damaged) as complaint:
        store.read(run)
    assert str(file) in str(complaint.value)
    usable, sentence = store.usable(run)
    assert not usable
    assert str(file) in sentence
    assert run not in store
    [aside] = (store.path / "aside").iterdir()
    assert str(aside) in sentence
    assert sorted(p.name for p in aside.iterdir()) == [HEADER, TRAJECTORY, WEIGHTS]
    store.write(run, outcome, {})
    assert store.usable(run) == (True, "")


@pytest.mark.parametrize("name", [HEADER, TRAJECTORY, WEIGHTS])
@pytest.mark.parametrize("how", ["flipped", "missing", "truncated"])
def test_verify_names_and_sets_aside_what_is_damaged_and_nothing_else(
    store: Store, trained: tuple[Run, Outcome], name: str, how: str
) -> None:
    run, outcome = trained
    other = run.replace(seed=1)
    store.write(run, outcome, {})
    store.write(other, train_alone(other), {})
    file = store.folder(run) / name
    if how == "flipped":
        flip(file, file.stat().st_size // 3)
    elif how == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1])
    [(path, reason)] = list(store.verify())
    assert path == store.folder(run)
    assert str(file) in reason
    assert not store.folder(run).exists()
    assert store.usable(other) == (True, "")
    assert list(store.verify()) == []


def test_every_byte_of_the_header_matters(store: Store) -> None:
    """A flipped bit is noticed wherever it is, but for the letter case of an exponent, which means the same number."""
    toy = TwoCircuits(steps=1)
    store.write(toy, train_alone(toy), {})
    file = store.folder(toy) / HEADER
    sound = file.read_bytes()
    for offset in range(len(sound)):
        content = bytearray(sound)
        content[offset] ^= 1 << offset % 8
        if bytes(content).lower() == sound.lower() and content[offset : offset + 2] == b"E-":
            continue
        file.write_bytes(bytes(content))
        with pytest.raises(Damaged):
            store.check(store.folder(toy))


def test_damaged_record_makes_way_for_a_new_one(store: Store, trained: tuple[Run, Outcome]) -> None:
    """Also where nobody looked before writing."""
    run, outcome = trained
    store.write(run, outcome, {})
    (store.folder(run) / HEADER).unlink()
    assert run not in store
    store.write(run, outcome, {})
    assert store.usable(run) == (True, "")
    assert len(list((store.path / "aside").iterdir())) == 1


def test_record_under_a_wrong_name_is_noticed(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    other = run.replace(seed=1)
    store.write(run, outcome, {})
    store.folder(run).rename(store.folder(other))
    with pytest.raises(Damaged, match="another experiment"):
        store.read(other)
    [(path, reason)] = list(store.verify())
    assert path == store.folder(other)
    assert "another experiment" in reason


def test_foreign_files_and_folders_among_the_runs_are_set_aside(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    runs = store.path / "runs"
    (runs / "notes.txt").write_text("mine")
    (runs / "holiday").mkdir()
    (runs / "holiday" / "photo.jpg").write_bytes(b"\xff\xd8")
    (runs / "list").mkdir()
    (runs / "list" / HEADER).write_text("[1, 2]")
    assert {path.name for path, _ in store.verify()} == {"notes.txt", "holiday", "list"}
    assert [path.name for path in runs.iterdir()] == [run.identity]
    kept = {path.name.rsplit("-", 1)[0]: path for path in (store.path / "aside").iterdir()}
    assert kept["notes.txt"].read_text() == "mine"
    assert (kept["holiday"] / "photo.jpg").read_bytes() == b"\xff\xd8"


def test_record_of_an_unknown_kind_is_no_damage(store: Store, trained: tuple[Run, Outcome]) -> None:
    """Whoever verifies need not have loaded everything that was ever trained."""

    class Foreign:
        kind = "never registered"
        identity = ""

        def to_data(self) -> dict[str, Any]:
            return {"kind": self.kind, "size": 3}

    foreign: Any = Foreign()
    canonical = json.dumps(foreign.to_data(), sort_keys=True, separators=(",", ":"))
    foreign.identity = hashlib.sha256(canonical.encode()).hexdigest()[:32]
    store.write(foreign, trained[1], {})
    assert list(store.verify()) == []
    [(_, header)] = store.experiments()
    assert describe(header) == json.dumps({"kind": "never registered", "size": 3})


# -- opening ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ('{"format": 2}', "store format 2"),
        ('{"format": "1"}', "store format 1"),
        ("{}", "cannot be read"),
        ("not json", "cannot be read"),
        ("[]", "cannot be read"),
    ],
    ids=["newer", "text", "no-format", "no-json", "list"],
)
def test_other_formats_are_refused_and_left_alone(tmp_path: Path, header: str, complaint: str) -> None:
    folder = tmp_path / "store"
    (folder / "runs" / "something").mkdir(parents=True)
    (folder / "store.json").write_text(header)
    (folder / "runs" / "something" / "new.bin").write_bytes(b"\x00\x01")
    before = tree(folder)
    with pytest.raises(StoreError, match=complaint):
        Store(folder)
    assert tree(folder) == before


def test_other_folders_and_files_are_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("also work")
    before = tree(tmp_path)
    for name in ("folder", "file"):
        with pytest.raises(StoreError, match="is no Grokscape store"):
            Store(tmp_path / name)
    assert tree(tmp_path) == before


def test_empty_folder_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    Store(tmp_path / "new")
    assert json.loads((tmp_path / "new" / "store.json").read_text()) == {"format": 1}


def test_store_whose_creation_was_killed_can_be_opened(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / ".store.json-k1ll3d").write_text('{"for')
    Store(tmp_path / "store")
    assert (tmp_path / "store" / "runs").is_dir()


def test_several_may_create_one_store_at_once(tmp_path: Path) -> None:
    errors: list[Exception] = []

    def create(path: Path, start: threading.Barrier) -> None:
        start.wait(10)
        try:
            Store(path)
        except Exception as error:
            errors.append(error)

    for attempt in range(40):
        start = threading.Barrier(4)
        arguments = (tmp_path / str(attempt), start)
        threads = [threading.Thread(target=create, args=arguments) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []


def test_atomic_writing_replaces_and_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file"
    write_atomically(target, b"old")
    write_atomically(target, b"new")
    assert tree(tmp_path) == {"file": b"new"}

    def no_space(handle: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(store_module.os, "fsync", no_space)
    with pytest.raises(OSError, match="no space left"):
        write_atomically(target, b"newer")
    assert tree(tmp_path) == {"file": b"new"}


def test_a_file_is_written_from_pieces_and_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_atomically(target, (piece for piece in (b"one, ", b"two")))
    with pytest.raises(ZeroDivisionError):
        write_atomically(target, (b"%d" % (1 // number) for number in (1, 0)))
    assert tree(tmp_path) == {"file": b"one, two"}


# -- trainings under way ----------------------------------------------------------------------------------------------


def test_snapshot_comes_back_bit_for_bit(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = TwoCircuits(steps=10), trained[1]  # a learner, of which the store knows no shapes
    assert store.load_snapshot(run) is None
    arrays = {"parameters": np.array([0.1, np.nan], dtype=np.float32), "held": np.array([], dtype=np.int64)}
    store.save_snapshot(run, Snapshot(1, outcome.trajectory[:5], arrays))
    store.save_snapshot(run, Snapshot(7, outcome.trajectory, arrays))
    loaded = store.load_snapshot(run)
    assert loaded is not None
    assert loaded.step == 7
    assert_same_trajectory(loaded.rows, outcome.trajectory)
    assert_same_weights({7: loaded.arrays}, {7: arrays})
    assert len(list((store.path / "progress").iterdir())) == 1


@pytest.mark.parametrize("how", ["first-byte", "middle", "last-byte", "truncated", "empty"])
def test_damaged_snapshot_is_set_aside_and_forgotten(store: Store, trained: tuple[Run, Outcome], how: str) -> None:
    run, outcome = trained
    store.save_snapshot(run, Snapshot(7, outcome.trajectory, {"parameters": np.ones(100)}))
    [file] = (store.path / "progress").iterdir()
    size = file.stat().st_size
    if how in ("truncated", "empty"):
        file.write_bytes(file.read_bytes()[: size - 1 if how == "truncated" else 0])
    else:
        flip(file, {"first-byte": 0, "middle": size // 2, "last-byte": size - 1}[how])
    assert store.load_snapshot(run) is None
    assert not file.exists()
    assert len(list((store.path / "aside").iterdir())) == 1
    assert store.load_snapshot(run) is None


def test_claim_is_exclusive_while_it_lasts(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, _ = trained
    other: Experiment = run.replace(seed=1)
    with store.claim(run) as first, Store(store.path).claim(run) as second, store.claim(other) as unrelated:
        assert (first, second, unrelated) == (True, False, True)
    with store.claim(run) as again:
        assert again


# -- pruning ----------------------------------------------------------------------------------------------------------


def test_prune_removes_what_is_not_kept_and_first_only_says_so(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    other = run.replace(seed=1)
    store.write(run, outcome, {})
    store.write(other, outcome, {})
    store.save_snapshot(run.replace(seed=2), Snapshot(1, outcome.trajectory, {"parameters": np.ones(1)}))
    (store.path / "runs" / ".writing-killed").mkdir()
    (store.path / "runs" / ".writing-killed" / "part").write_text("x")
    (store.path / "aside" / "old").write_text("x")
    (store.path / "verdicts" / "quick").mkdir()
    (store.path / "verdicts" / "quick" / "claim.json").write_text("{}")
    for path in (*(store.path / "progress").iterdir(), store.path / "runs" / ".writing-killed"):
        os.utime(path, (0, 0))
    before = tree(store.path)
    announced = store.prune(keep={run.identity}, dry_run=True)
    assert tree(store.path) == before
    assert {path.name for path in announced} == {
        other.identity,
        ".writing-killed",
        "old",
        f"{run.replace(seed=2).identity}.safetensors",
    }
    assert store.prune(keep={run.identity}) == announced
    assert not any(path.exists() for path in announced)
    after = {name for name, content in tree(store.path).items() if content is not None}
    expected = {f"runs/{run.identity}/{name}" for name in (HEADER, TRAJECTORY, WEIGHTS)}
    assert after == expected | {"store.json", "verdicts/quick/claim.json"}
    assert store.usable(run) == (True, "")


def test_prune_leaves_trainings_under_way_alone(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = TwoCircuits(steps=10), trained[1]  # a learner, of which the store knows no shapes
    store.save_snapshot(run, Snapshot(1, outcome.trajectory, {"parameters": np.ones(1)}))
    (store.path / "runs" / ".writing-now").mkdir()
    with store.claim(run):
        assert store.prune(keep=set()) == []
    assert store.load_snapshot(run) is not None


# -- nothing is executed ----------------------------------------------------------------------------------------------


def test_nothing_is_pickled(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    store.save_snapshot(run.replace(seed=2), Snapshot(1, outcome.trajectory, {"parameters": np.ones(1)}))
    assert is_pickle(pickle.dumps({"a": 1}))
    assert [name for name, content in tree(store.path).items() if content and is_pickle(content)] == []
    imports = [node for node in ast.walk(ast.parse(Path(store_module.__file__).read_text())) if _is_import(node)]
    imported = {alias.name for node in imports for alias in node.names} | {getattr(n, "module", "") for n in imports}
    assert not imported & {"pickle", "torch", "joblib", "dill", "cloudpickle", "marshal", "shelve"}


def is_pickle(content: bytes) -> bool:
    try:
        return bool(list(pickletools.genops(content)))
    except Exception:
        return False


def _is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def test_outcome_of_a_store_is_the_outcome(store: Store, trained: tuple[Run, Outcome]) -> None:
    run, outcome = trained
    store.write(run, outcome, {})
    record = store.read(run)
    assert_same_bits(Outcome(record.trajectory, {s: record.weights(s) for s in (0, 5, 10)}, record.info), outcome)
