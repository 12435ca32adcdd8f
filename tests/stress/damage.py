"""Ways to damage a store, each a function of the store's path, what lies outside of it, and a source of chance."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.numpy

Damage = Callable[[Path, Path, random.Random], None]

PARTS = ("runs", "verdicts", "progress", "locks", "aside")
HOSTILE = "[red]\x1b[2J</td>\n\x00\ud800$(reboot)"
DAMAGES: dict[str, Damage] = {}


def damage(function: Damage) -> Damage:
    DAMAGES[function.__name__.replace("_", " ")] = function
    return function


def files(store: Path) -> list[Path]:
    """Return the regular files of a store."""
    found = (Path(folder) / name for folder, _, names in os.walk(store) for name in names)
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def a_file(store: Path, chance: random.Random) -> Path:
    """Return a file; those of which there are few as often as those of which there are many.

    None that another damage has made larger than any memory: the damages read them whole.
    """
    by_name: dict[str, list[Path]] = {}
    for path in files(store):
        if path.stat().st_size > 2**24:
            continue
        by_name.setdefault(path.suffix if path.parent.name in ("quick", "locks", "progress") else path.name, []).append(
            path
        )
    return chance.choice(by_name[chance.choice(sorted(by_name))])


def a_run(store: Path, chance: random.Random) -> Path:
    return chance.choice(sorted(p for p in (store / "runs").iterdir() if (p / "run.json").is_file()))


def clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def odd(path: Path, outside: Path, chance: random.Random) -> None:
    """Put something at a path that is no regular file."""
    clear(path)
    what = chance.choice(
        ["link to file", "link to folder", "broken link", "loop", "zero", "fifo", "socket", "device", "folder"]
    )
    if what == "link to file":
        path.symlink_to(chance.choice([outside / "letter.txt", outside / "run.json", outside / "deeper" / "more.txt"]))
    elif what == "link to folder":
        path.symlink_to(chance.choice([outside, outside / "deeper", outside / "record"]))
    elif what == "broken link":
        path.symlink_to(outside / "nothing")
    elif what == "loop":
        path.symlink_to(path)
    elif what == "zero":
        path.symlink_to("/dev/zero")
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "socket":
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as bound:  # a path may be too long
            bound.bind(str(path))
    elif what == "device":
        try:
            os.mknod(path, 0o020666, os.makedev(1, 5))  # like /dev/zero
        except OSError:
            path.symlink_to("/dev/zero")
    else:
        (path / "in it").mkdir(parents=True)
        (path / "in it" / "file").write_text("x")


def seal(folder: Path) -> None:
    """Make the checksums of a run fit whatever its files are now."""
    header = json.loads((folder / "run.json").read_bytes())
    for name in header.get("files", {}) if isinstance(header, dict) else ():
        if (folder / str(name)).is_file() and isinstance(header["files"], dict):
            header["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    write_sealed(folder / "run.json", header)


def write_sealed(path: Path, data: Any) -> None:
    """Write JSON with the checksum that it should have."""
    if isinstance(data, dict):
        data = {name: value for name, value in data.items() if name != "sha256"}
        data["sha256"] = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(data))


# -- bytes ------------------------------------------------------------------------------------------------------------


@damage
def flipped_bits(store: Path, outside: Path, chance: random.Random) -> None:
    path = a_file(store, chance)
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 1, 1, 5]) if content else 0):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(content))


@damage
def cut_or_emptied(store: Path, outside: Path, chance: random.Random) -> None:
    path = a_file(store, chance)
    path.write_bytes(path.read_bytes()[: chance.choice([0, 1, chance.randrange(path.stat().st_size + 1)])])


@damage
def lengthened(store: Path, outside: Path, chance: random.Random) -> None:
    path = a_file(store, chance)
    path.write_bytes(path.read_bytes() + chance.choice([b"\x00", b"}", chance.randbytes(100)]))


@damage
def replaced_by_noise(store: Path, outside: Path, chance: random.Random) -> None:
    a_file(store, chance).write_bytes(chance.randbytes(chance.choice([3, 300, 30000])))


@damage
def replaced_by_another_file(store: Path, outside: Path, chance: random.Random) -> None:
    one, other = a_file(store, chance), a_file(store, chance)
    one.write_bytes(other.read_bytes())


@damage
def exchanged_runs(store: Path, outside: Path, chance: random.Random) -> None:
    one, other = a_run(store, chance), a_run(store, chance)
    spare = store / "runs" / "spare"
    one.rename(spare)
    if other != one:
        other.rename(one)
    spare.rename(other)


@damage
def huge_and_hollow(store: Path, outside: Path, chance: random.Random) -> None:
    os.truncate(a_file(store, chance), 2 ** chance.choice([33, 40]))


# -- what is no file --------------------------------------------------------------------------------------------------


@damage
def odd_file(store: Path, outside: Path, chance: random.Random) -> None:
    odd(a_file(store, chance), outside, chance)


@damage
def odd_run(store: Path, outside: Path, chance: random.Random) -> None:
    odd(a_run(store, chance), outside, chance)


@damage
def odd_part(store: Path, outside: Path, chance: random.Random) -> None:
    odd(store / chance.choice([*PARTS, "verdicts/quick"]), outside, chance)


@damage
def missing(store: Path, outside: Path, chance: random.Random) -> None:
    clear(
        chance.choice([a_file(store, chance), a_run(store, chance), store / chance.choice([*PARTS, "verdicts/quick"])])
    )


@damage
def linked_run(store: Path, outside: Path, chance: random.Random) -> None:
    """A sound record that lies elsewhere."""
    folder = a_run(store, chance)
    clear(outside / "record")
    folder.rename(outside / "record")
    folder.symlink_to(outside / "record")


@damage
def hard_link_in_locks(store: Path, outside: Path, chance: random.Random) -> None:
    folder = a_run(store, chance)
    lock = store / "locks" / f"{folder.name}.lock"
    clear(lock)
    with contextlib.suppress(OSError):
        os.link(outside / "letter.txt", lock)
    clear(folder)


@damage
def odd_lock_or_snapshot(store: Path, outside: Path, chance: random.Random) -> None:
    folder = a_run(store, chance)
    clear(folder)
    odd(store / chance.choice([f"locks/{folder.name}.lock", f"progress/{folder.name}.safetensors"]), outside, chance)


@damage
def foreign_entries(store: Path, outside: Path, chance: random.Random) -> None:
    for _ in range(3):
        folder = store / chance.choice([*PARTS, "verdicts/quick", "."])
        name = chance.choice([b"\xff\xfe.json", b"[bold]x[/].json", b"a\nb\x1b[31m.json", b"y" * 255, b".hidden", b"~"])
        path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
        if chance.random() < 0.5:
            odd(path, outside, chance)
        else:
            clear(path)
            path.write_bytes(chance.choice([b"", b"{}", chance.randbytes(10)]))
        with contextlib.suppress(OSError):
            os.utime(path, (0, 0), follow_symlinks=False)


@damage
def left_behind(store: Path, outside: Path, chance: random.Random) -> None:
    for name in ("verdicts/quick/.a.b.json-abcd1234", ".store.json-abcd1234", "progress/x.job", "progress/.x-12345678"):
        path = store / name
        if chance.random() < 0.3:
            odd(path, outside, chance)
        else:
            path.write_text("{")
        with contextlib.suppress(OSError):
            os.utime(path, (0, 0), follow_symlinks=False)
    (store / "runs" / ".writing-x").mkdir()
    (store / "runs" / ".writing-x" / "out").symlink_to(outside)
    os.utime(store / "runs" / ".writing-x", (0, 0))
    (store / "aside" / "out").symlink_to(outside)
    (store / "aside" / "folder").mkdir()
    (store / "aside" / "folder" / "out").symlink_to(outside)


@damage
def without_permission(store: Path, outside: Path, chance: random.Random) -> None:
    path = chance.choice([a_file(store, chance), a_run(store, chance), store / chance.choice(PARTS)])
    path.chmod(chance.choice([0o000, 0o200, 0o400]))


# -- JSON -------------------------------------------------------------------------------------------------------------


def odd_value(chance: random.Random) -> Any:
    return chance.choice(
        [None, True, -1, 0.5, 10**400, 2**70, "", HOSTILE, "x" * 10**5, [], {}, [[]], {"": HOSTILE}, float("nan"),
         float("inf"), -1e308, ["../outside"], {"kind": "run"}, {"kind": ["run"]}, "/dev/zero", "../outside/letter.txt"]
    )  # fmt: skip


def mutate(data: Any, chance: random.Random) -> Any:
    """Return JSON data with one part dropped, added or replaced."""
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((value, key))
            walk(value[key])

    walk(data)
    holder, key = chance.choice(places)
    how = chance.random()
    if how < 0.3:
        del holder[key]
    elif how < 0.45 and isinstance(holder, dict):
        holder[HOSTILE] = odd_value(chance)
    else:
        holder[key] = odd_value(chance)
    return data


def deep(chance: random.Random) -> str:
    """Return JSON that is nested too deeply, as a whole or in one place."""
    depth = chance.choice([150, 900, 5000, 10**5])
    nest = chance.choice(["[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth])
    return chance.choice([nest, f'{{"format": {nest}}}', f'{{"id": "stress2026.networks", "criteria": {nest}}}'])


def a_json_file(store: Path, chance: random.Random) -> Path:
    kind = chance.random()
    verdicts = sorted((store / "verdicts" / "quick").glob("[!.]*.json"))
    if kind < 0.1:
        return store / "store.json"
    return chance.choice(verdicts) if kind < 0.45 and verdicts else a_run(store, chance) / "run.json"


@damage
def mutated_json(store: Path, outside: Path, chance: random.Random) -> None:
    path = a_json_file(store, chance)
    path.write_text(json.dumps(mutate(json.loads(path.read_bytes()), chance)))


@damage
def nested_or_odd_json(store: Path, outside: Path, chance: random.Random) -> None:
    path = a_json_file(store, chance)
    path.write_text(
        chance.choice([deep(chance), deep(chance), "{}", "[]", "null", "1e400", "9" * 5000, '"\\ud800"', "\ufeff{}"])
    )


@damage
def sealed_header(store: Path, outside: Path, chance: random.Random) -> None:
    """An odd header under a valid checksum."""
    path = a_run(store, chance) / "run.json"
    data = json.loads(path.read_bytes())
    for _ in range(chance.choice([1, 1, 3])):
        data = mutate(data, chance)
    write_sealed(path, data)


@damage
def sealed_files(store: Path, outside: Path, chance: random.Random) -> None:
    """A header that names other files, with checksums that are theirs."""
    folder = a_run(store, chance)
    header = json.loads((folder / "run.json").read_bytes())
    letter = hashlib.sha256((outside / "letter.txt").read_bytes()).hexdigest()
    name = chance.choice(
        [str(outside / "letter.txt"), "../../../outside/letter.txt", "/dev/zero", "letter\x00", "a" * 300, "fifo"]
    )
    if name == "fifo":
        os.mkfifo(folder / name)
    header["files"] = {**header["files"], name: letter} if chance.random() < 0.5 else {name: letter}
    write_sealed(folder / "run.json", header)


# -- bad under a valid checksum ---------------------------------------------------------------------------------------


def bad_table(table: pd.DataFrame, chance: random.Random) -> bytes:
    """Return Parquet that no record can have."""
    how = chance.randrange(13)
    arrow = None
    if how == 0:
        table = table.rename(columns={"value": "worth"})
    elif how == 1:
        table = table.drop(columns=chance.choice(list(table.columns)))
    elif how == 2:
        table = table.assign(step=table["step"].astype(str))
    elif how == 3:
        table = table.assign(value="x")
    elif how == 4:
        table = table.assign(split=1.5)
    elif how == 5:
        table = pd.concat([table, table])
    elif how == 6:
        table = table.assign(step=np.nan)
    elif how == 7:
        table = table.assign(quantity=[None] * len(table))
    elif how == 8:
        table = table.assign(step=pd.period_range("2020", periods=len(table), freq="D"))
    elif how == 9:
        arrow = pa.table({"step": pa.array([[1]]), "split": [{"a": 1}], "quantity": [b"\xff"], "value": [True]})
    elif how == 10:  # few bytes that stand for many rows
        zeros = np.zeros(10**7 + 1)
        text = pa.DictionaryArray.from_arrays(np.zeros(len(zeros), np.int8), ["x"])
        arrow = pa.table({"step": zeros.astype(np.int64), "split": text, "quantity": text, "value": zeros})
    elif how == 11:  # few bytes that stand for one very long row
        zeros = pa.ListArray.from_arrays(pa.array([0, 10**7], pa.int32()), pa.array(np.zeros(10**7, np.int8)))
        arrow = pa.table({"step": [1], "split": ["a"], "quantity": ["b"], "value": [1.0], "extra": zeros})
    else:
        long = pa.DictionaryArray.from_arrays(np.zeros(3000, np.int8), ["x" * 10**6])
        arrow = pa.table({"step": np.arange(3000), "split": long, "quantity": long, "value": np.zeros(3000)})
    buffer = io.BytesIO()
    if arrow is not None:
        pq.write_table(arrow, buffer)
    else:
        table.to_parquet(buffer, index=chance.random() < 0.3 or how == 5, compression=chance.choice(["snappy", "gzip"]))
    return buffer.getvalue()


@damage
def sealed_table(store: Path, outside: Path, chance: random.Random) -> None:
    folder = a_run(store, chance)
    path = folder / "trajectory.parquet"
    content = path.read_bytes()
    path.write_bytes(
        chance.choice(
            [b"", content[:-3], b"PAR1" + chance.randbytes(200) + b"PAR1", bad_table(pd.read_parquet(path), chance)]
        )
    )
    seal(folder)


@damage
def sealed_weights(store: Path, outside: Path, chance: random.Random) -> None:
    folder = chance.choice([a_run(store, chance) for _ in range(5)])
    path = folder / "weights.safetensors"
    arrays = safetensors.numpy.load(path.read_bytes())
    header = json.dumps({"0/w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    bad = [b"", b"\xff" * 50, len(header).to_bytes(8, "little") + header, (2**60).to_bytes(8, "little")]
    bad += [safetensors.numpy.save({"no step": np.ones(3)}), safetensors.numpy.save({"-1/w": np.ones(3)})]
    if arrays:
        bad += [
            safetensors.numpy.save({name: np.ones((2, 3), array.dtype) for name, array in arrays.items()}),
            safetensors.numpy.save({name: array.astype(np.float16) for name, array in arrays.items()}),
            safetensors.numpy.save(dict(list(arrays.items())[:1])),
            safetensors.numpy.save({f"{name}x": array for name, array in arrays.items()}),
        ]
    path.write_bytes(chance.choice(bad))
    seal(folder)


@damage
def sealed_snapshot(store: Path, outside: Path, chance: random.Random) -> None:
    """A snapshot that nothing can go on from, under a valid checksum, of a run that is to be trained."""
    folder = a_run(store, chance)
    clear(folder)
    snapshots = sorted((store / "progress").glob("*.safetensors"))
    rows = json.dumps([[0, 10], ["train", "train"], ["loss", "loss"], [1.0, 0.5]])
    meta = {"step": "10", "rows": rows, "identity": folder.name}
    meta[chance.choice(list(meta))] = chance.choice(
        ["", "x", "[" * 5000, "1e400", "-5", "999999", json.dumps([[1], [2], [3], ["x"]])]
    )
    arrays = {
        "parameters": np.ones(chance.choice([1, 3, 200]), np.float32),
        "held": np.zeros(chance.choice([0, 2]), np.int64),
    }
    payload = chance.choice(
        [b"", b"x" * 40, safetensors.numpy.save(arrays), safetensors.numpy.save(arrays, metadata=meta)]
    )
    content = hashlib.sha256(payload).digest() + payload
    if snapshots and chance.random() < 0.4:  # sound, but of another run
        content = chance.choice(snapshots).read_bytes()
    (store / "progress" / f"{folder.name}.safetensors").write_bytes(content)
