"""Damages stores at random and runs every command on them: ``python -m tests.stress.damaged_stores --stores 5000``.

Nothing may raise or hang, nothing outside a store may be opened or changed, and no verdict may differ from that of the
undamaged store.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import stat
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.session import StoreSession
from grokscape.landscape.scheduling.worker import ENVIRONMENT
from grokscape.landscape.training.run import Run
from grokscape.predictions.checking.verdict_files import load_verdicts
from tests.stress import commands
from tests.stress.damage import DAMAGES
from tests.stress.small_claims import claims, networks

COMMANDS = {
    "store ls": ["store", "ls"],
    "store verify": ["store", "verify"],
    "store prune --dry-run": ["store", "prune", "--dry-run"],
    "store prune": ["store", "prune"],
    "report": ["report", "--report", "report.html"],
    "check": ["check", "--report", "report.html", "--json", "verdicts.json"],
}


class Watch:
    """Notes what this process opens below a folder, if it is watched; every way to open a file comes by here."""

    def __init__(self) -> None:
        self.folder, self.store = "", ""
        self.seen: list[str] = []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.folder or event not in ("open", "os.listdir", "os.scandir", "os.truncate", "os.chmod", "os.utime"):
            return
        path = arguments[0]
        if isinstance(path, bytes | str | os.PathLike) and os.fsdecode(path).startswith(self.store):
            real = os.path.realpath(os.fsdecode(path))
            if real.startswith(self.folder) or _is_odd(real):
                self.seen.append(f"{event} {os.fsdecode(path)!r} -> {real}")


def _is_odd(path: str) -> bool:
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@dataclass
class Tally:
    """What came of all commands."""

    stores: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    damages: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def note(self, fault: str, where: str, what: str) -> None:
        self.faults[fault] += 1
        self.examples.append(f"{fault}: {where}\n{what}")

    def table(self) -> str:
        rows = [("stores", self.stores), ("commands", sum(self.commands.values())), *sorted(self.commands.items())]
        rows += [(f"exit status {status}", count) for status, count in sorted(self.statuses.items())]
        rows += [(f"damaged: {name}", count) for name, count in sorted(self.damages.items())]
        rows += [
            (fault, self.faults[fault])
            for fault in ("tracebacks", "too slow", "escapes", "wrong verdicts", "mute refusals")
        ]
        return "\n".join(f"{name:<40}{count:>8}" for name, count in rows)


def make(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Check the claims once; return the store, and the verdicts by claim."""
    path = folder / "sound" / "store"
    path.parent.mkdir()
    answer = commands.run(
        ["check", "--store", str(path), "--report", str(folder / "r.html"), "--json", str(folder / "v.json")],
        claims(),
        300,
    )
    assert answer.status is not None, answer.errors
    # A snapshot of a run that no claim asks for, as an interrupted training leaves it.
    store = Store(path)
    first = networks(99, next(iter(claims().values())).arms("quick")["claim"])["first"]
    assert isinstance(first, Run)
    session = StoreSession(store, interval=0.0)
    for _ in Run.train([first], session):
        pass
    assert list((path / "progress").iterdir())
    os.utime(path / "progress", (0, 0))
    return path, verdicts_in(folder / "v.json")


def verdicts_in(file: Path) -> dict[str, Any]:
    return {verdict["id"]: essence(verdict) for verdict in json.loads(file.read_bytes())["verdicts"]}


def essence(verdict: dict[str, Any]) -> dict[str, Any]:
    """Return what of a verdict must be the same whenever it is measured again."""
    return {name: verdict[name] for name in ("status", "reason", "criteria", "controls", "gates", "evidence", "runs")}


def make_outside(folder: Path) -> Path:
    """Make what nobody may touch."""
    outside = folder / "outside"
    (outside / "deeper").mkdir(parents=True)
    (outside / "record").mkdir()
    for name in ("letter.txt", "run.json", "deeper/more.txt", "record/run.json"):
        (outside / name).write_text('{"private": true}')
    os.mkfifo(outside / "fifo")
    return outside


def picture(folder: Path) -> dict[str, Any]:
    """Return what lies in a folder, content and times."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(path)] = (status.st_mode, status.st_ino, status.st_mtime_ns, content)
    return found


def try_store(seed: int, sound: Path, expected: dict[str, Any], room: Path, watch: Watch, tally: Tally) -> None:
    """Damage one copy of a store and run some commands on it."""
    chance = random.Random(seed)
    folder = room / "one"
    folder.mkdir()
    outside = make_outside(folder)
    store = folder / "store"
    shutil.copytree(sound, store)
    names = chance.choices(list(DAMAGES), k=chance.choice([1, 1, 2, 3]))
    done = []
    for name in names:
        try:
            DAMAGES[name](store, outside, chance)
        except (OSError, IndexError, KeyError, ValueError, TypeError, AttributeError, MemoryError):
            continue  # what it wanted to damage has been damaged already
        done.append(name)
    tally.damages.update(done)
    tally.stores += 1
    before = picture(outside)
    for name in chance.sample(list(COMMANDS), k=3):
        arguments = [str(folder / word) if word.endswith((".html", ".json")) else word for word in COMMANDS[name]]
        where = f"seed {seed}: {', '.join(done)}: {name}"
        tally.commands[name] += 1
        watch.folder, watch.store, watch.seen = str(outside), str(store), []
        answer = commands.run([*arguments, "--store", str(store)], claims(), drawn=seed % 10 == 0)
        watch.folder = ""
        tally.statuses[str(answer.status)] += 1
        if answer.slow:
            tally.note("too slow", where, answer.output + answer.errors)
        elif answer.status not in (0, 1, 2):
            tally.note("tracebacks", where, answer.errors)
        if answer.status == 2 and str(store) not in answer.errors:
            tally.note("mute refusals", where, answer.errors)
        if watch.seen or picture(outside) != before:
            tally.note("escapes", where, "\n".join(watch.seen))
        if name == "check" and answer.status in (0, 1):
            found = verdicts_in(folder / "verdicts.json")
            if found != expected:
                tally.note("wrong verdicts", where, answer.output)
        if name in ("check", "report") and answer.status in (0, 1):
            for verdict in load_verdicts(Store(store), "quick")[0]:
                if essence(verdict) != expected[verdict["id"]]:
                    tally.note("wrong verdicts", where, verdict["id"])
    for path in [store, *store.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


def run(stores: int, seed: int, seconds: float = float("inf"), loud: bool = False) -> Tally:
    """Damage so many stores, or as many as the time allows."""
    tally, watch, began = Tally(), Watch(), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        sound, expected = make(Path(name))
        for number in range(stores):
            try_store(seed + number, sound, expected, Path(name), watch, tally)
            if loud and tally.examples:
                print("\n".join(tally.examples), flush=True)
                tally.examples.clear()
            if loud and number % 100 == 99:
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
                print(number + 1, dict(tally.faults), f"{time.monotonic() - began:.0f} s, {memory:.2f} GB", flush=True)
            if time.monotonic() - began > seconds:
                break
    return tally


def main() -> int:
    """Run the large form and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stores", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0, help="of the first store; the next has the next")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop earlier")
    options = parser.parse_args()
    tally = run(options.stores, options.seed, 60 * options.minutes, loud=True)
    print(tally.table())
    return 1 if tally.faults else 0


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
        # Records are the same bit for bit, whoever they are trained beside, only where these were set from the start.
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.stress.damaged_stores", *sys.argv[1:]],
            os.environ | ENVIRONMENT,
        )
    sys.exit(main())
