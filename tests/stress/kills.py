"""Kills a whole ``grokscape check`` at random moments, again and again: ``python -m tests.stress.kills --kills 100``.

Afterwards the same command finishes, nothing that was stored is lost, and every record is that of an undisturbed check
byte for byte. Trainings leave a snapshot at every record, so that many are killed while one is being written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling import session
from grokscape.landscape.scheduling.worker import ENVIRONMENT
from tests.paths import PYTHONPATH
from tests.stress import commands
from tests.stress.small_claims import claims

CLAIMS = """
from grokscape.landscape.scheduling import session
from tests.stress import small_claims

session.StoreSession.wants_snapshot = lambda self: True
networks, refined = small_claims.claims(steps={steps}).values()
"""
#: Long enough to be killed in.
STEPS = 400


class Forked:
    """A check in a copy of this process, trainings and all: started at once, because everything is loaded."""

    def __init__(self, folder: Path, store: Path, steps: int) -> None:
        self.status: int | None = None
        self.pid = os.fork()
        if self.pid:
            return
        try:
            os.setsid()
            session.StoreSession.wants_snapshot = lambda self: True  # type: ignore[method-assign]
            arguments = ["check", "--store", str(store), "--report", str(folder / "report.html")]
            answer = commands.run(arguments, claims(steps), 300)
            (folder / "said").write_text(answer.output + answer.errors)
            os._exit(3 if answer.status is None else answer.status)
        finally:
            os._exit(4)

    def poll(self) -> int | None:
        return self._ended(os.WNOHANG)

    def wait(self, timeout: float = 0.0) -> int | None:
        return self._ended(0)

    def _ended(self, how: int) -> int | None:
        if self.status is None:
            pid, status = os.waitpid(self.pid, how)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status


def start(folder: Path, store: Path, steps: int, forked: bool) -> subprocess.Popen[bytes] | Forked:
    """Start a check in a group of processes of its own."""
    if forked:
        return Forked(folder, store, steps)
    module = folder / "claims.py"
    module.write_text(CLAIMS.format(steps=steps))
    command = [
        sys.executable,
        "-m",
        "grokscape.reports.cli",
        "check",
        "stress2026.*",
        "--module",
        str(module),
        "--workers",
        "1",
    ]
    command += ["--store", str(store), "--report", str(folder / "report.html")]
    with (folder / "said").open("wb") as said:
        environment = os.environ | ENVIRONMENT | {"PYTHONPATH": PYTHONPATH}
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )


def records(store: Path) -> dict[str, tuple[str, ...]]:
    """Return the checksums of trajectory and weights of each finished run."""
    names = ("trajectory.parquet", "weights.safetensors")
    return {
        folder.name: tuple(hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names)
        for folder in Store(store).folders()
    }


def verdicts(store: Path) -> dict[str, object]:
    """Return what the store keeps of each claim."""
    found = (json.loads(file.read_bytes()) for file in (store / "verdicts" / "quick").glob("[!.]*.json"))
    return {data["id"]: (data["status"], data["criteria"], data["evidence"]) for data in found}


def finish(folder: Path, store: Path, steps: int, forked: bool) -> None:
    """Let a check come to its end."""
    process = start(folder, store, steps, forked)
    assert process.wait(300) in (0, 1), (folder / "said").read_text()


def kill_once(folder: Path, store: Path, steps: int, chance: random.Random, forked: bool) -> str:
    """Start a check and kill it, worker and all, some time after its training began; say at what it was killed."""
    before = {path.name for path in store.rglob("*.json")} if store.exists() else set()
    process = start(folder, store, steps, forked)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if store.exists() and any((store / "progress").glob("*")):
            break
        time.sleep(0.005)
    time.sleep(chance.uniform(0.0, 1.5) * chance.random())
    # Half of the time a moment at which something is being written, if it comes soon.
    for _ in range(400 if chance.random() < 0.5 else 0):
        if any(store.glob("progress/.*")) or any(store.glob("runs/.writing-*")):
            break
        time.sleep(0.001)
    if process.poll() is not None:
        return "too late"
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # a copy of this process that has no group of its own yet
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    if any(store.glob("runs/.writing-*")):
        return "while writing a record"
    if any(store.glob("progress/.*")):
        return "while writing a snapshot"
    return "between trainings" if before else "at the start"


def run(
    kills: int, seed: int, *, steps: int = STEPS, most: int = 12, forked: bool = False, loud: bool = False
) -> Counter[str]:
    """Kill so many checks, at most so many of one store; return how many were killed at what, and what was lost.

    Started as commands, or ten times as fast as copies of this process (`forked`).
    """
    tally: Counter[str] = Counter()
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        undisturbed = folder / "undisturbed"
        finish(folder, undisturbed, steps, False)
        expected = records(undisturbed)
        number = 0
        while tally["kills"] < kills:
            number += 1
            store = folder / f"store-{number}"
            complaints: list[tuple[Path, str]] = []
            for _ in range(min(chance.randint(1, most), kills - tally["kills"])):
                kept = records(store) if (store / "store.json").exists() else {}
                where = kill_once(folder, store, steps, chance, forked)
                if where == "too late":
                    break
                tally["kills"] += 1
                tally[f"killed {where}"] += 1
                if (store / "store.json").exists():
                    now = records(store)
                    tally["lost records"] += sum(now.get(identity) != sums for identity, sums in kept.items())
                    complaints += Store(store).verify()
                if loud:
                    print(dict(tally), flush=True)
            tally["damaged records"] += sum("runs" in path.parts for path, _ in complaints)
            finish(folder, store, steps, forked)
            tally["stores finished"] += 1
            tally["different records"] += records(store) != expected
            tally["different verdicts"] += verdicts(store) != verdicts(undisturbed)
            aside = list((store / "aside").iterdir())
            tally["set aside"] += len(aside)
            if aside:  # nothing should be: say what it was, and what the check said of it
                print([path.name for path in aside], complaints, (folder / "said").read_text(), flush=True)
    return tally


def main() -> int:
    """Run the large form and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--forked", action="store_true", help="as copies of this process: ten times as fast")
    options = parser.parse_args()
    tally = run(options.kills, options.seed, forked=options.forked, loud=True)
    print("\n".join(f"{name:<32}{count:>6}" for name, count in sorted(tally.items())))
    faults = ("lost records", "damaged records", "different records", "different verdicts")
    return 1 if any(tally[fault] for fault in faults) else 0


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
        os.execve(sys.executable, [sys.executable, "-m", "tests.stress.kills", *sys.argv[1:]], os.environ | ENVIRONMENT)
    sys.exit(main())
