"""Mutated descriptions: each must be refused by name, or be planned, within a second.

``python -m tests.stress.descriptions --mutations 1000`` mutates the JSON of experiments of every registered kind,
rebuilds each and asks what the planner asks, and prints a table of what came of them.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import random
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokscape.landscape.description import _KINDS, Description, from_data
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.experiment import Experiment
from grokscape.landscape.models import Dense, Model
from grokscape.landscape.optimisers import Optimiser
from grokscape.landscape.scheduling.plan import ancestry
from grokscape.landscape.tasks import BinaryOperation, Task
from grokscape.landscape.training.run import Run
from grokscape.landscape.training.schedule import Schedule
from grokscape.landscape.training.stop import Stop
from tests.landscape.test_description import EXAMPLES

#: Seconds that one may take, and bytes that this process may grow by.
SECONDS, MEMORY = 1.0, 4 * 2**30

#: What takes the place of a value.
STRANGE: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 7, 0.5, -0.5, 1.5, -0.0, 1e308, -1e308, 5e-324, 1e-300, 710.0, -1e5,
    float("nan"), float("inf"), -float("inf"), 20, 60, 1000, 10**5, 10**9, 10**11, 10**12, 2**31, 2**53 + 1, 2**63 - 1,
    2**63, -(2**63) - 1, 10**30, 10**400, "", "x", "0", "1e3", "nan", "\x00", "\ud800", "x" * 100_000, "\x1b[2J",
    [], [[]], [None], [1, 2, 3], [0.1, 0.2], ["x"], [10**12], [2**63], [1] * 200_000, list(range(5000)), {},
    {"kind": 3}, {"kind": []}, {"kind": "nothing_known"}, {"kind": "adamw"}, {"kind": "run"},
    {"kind": "schedule", "every": 1}, {"kind": "dense", "widths": [10**9, 10**9]},
    {"kind": "hidden_parity", "examples": 10**9}, {"kind": "binary_operation", "p": 10**9},
    {"kind": "binary_operation", "p": 4093},
    {"kind": "permutations", "n": 20}, {"kind": "sparse_parity", "n": 60}, {"kind": "lstm", "layers": 10**6}, {"x": 1},
]  # fmt: skip


def hosts() -> list[dict[str, Any]]:
    """Return the JSON of experiments in which every built-in kind appears."""
    found: list[Description] = []
    for example in EXAMPLES:
        if isinstance(example, Experiment):
            found.append(example)
        elif isinstance(example, Task):
            fitting = (model for model in EXAMPLES if isinstance(model, Model) and _fits(model, example))
            found.append(Run(task=example, model=next(fitting, Dense()), n_train=5, seed=1, steps=100, loss="mse"))
        elif isinstance(example, Model):
            fits = (task for task in EXAMPLES if isinstance(task, Task) and _fits(example, task))
            found.append(
                Run(task=next(fits, BinaryOperation(p=5)), model=example, n_train=5, seed=1, steps=100, loss="mse")
            )
        elif isinstance(example, Optimiser):
            found.append(Run(optimiser=example, n_train=5, seed=1, steps=100))
        elif isinstance(example, Schedule):
            found.append(Run(record=example, n_train=5, seed=1, steps=100, keep=(3, 5)))
        elif isinstance(example, Stop):
            found.append(Run(stop=(example,), n_train=5, seed=1, steps=100, start=Run(n_train=3, seed=2, steps=9)))
    return [json.loads(json.dumps(description.to_data())) for description in found]


def _fits(model: Model, task: Task) -> bool:
    try:
        model.multiplications(task)
        model.activations(task)
    except Exception:
        return False
    return True


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to every value inside a JSON object."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def mutated(data: Any, rng: random.Random) -> Any:
    """Return a copy with one to three mutations."""
    data = copy.deepcopy(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        path = rng.choice(list(places(data)) or [()])
        if not path:
            return rng.choice(STRANGE)
        holder = data
        for key in path[:-1]:
            holder = holder[key]
        deed, key = rng.random(), path[-1]
        if deed < 0.72:
            holder[key] = copy.deepcopy(rng.choice(STRANGE))
        elif deed < 0.80:
            del holder[key]
        elif deed < 0.86 and isinstance(holder, dict):
            holder[rng.choice(["", "x", "start", "task", "__class__"])] = rng.choice(STRANGE)
        elif deed < 0.92:
            holder[key] = [holder[key]] * rng.choice((1, 2, 5000))
        elif deed < 0.96 and isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
            holder[key] = -holder[key] * 10 ** rng.choice((0, 3, 9, 20))
        else:
            for _ in range(rng.choice((3, 90, 2000))):  # inside itself, again and again
                holder = {"kind": "run", "n_train": 1, "seed": 1, "steps": 1, "start": holder}
            return holder
    return data


def plan(data: Any) -> None:
    """Rebuild a description and ask of it what the planner asks."""
    description = from_data(data)
    assert from_data(json.loads(description.canonical)) == description
    assert len(description.identity) == 32
    repr(description).encode("ascii", "backslashreplace")
    list(description.parts())
    hash(description)
    if not isinstance(description, Experiment):
        return
    for experiment in ancestry([description]).values():
        assert isinstance(experiment.batch_key, str)
        assert experiment.work >= 0
        assert isinstance(experiment.parents, tuple)
    assert description.memory(10) >= 0


#: A refusal says which field, or which kind, it is about, and what was expected.
NAMED = re.compile(r"\w+\.\w+ |\w+ reads |a description must be |descriptions are more than |has no field |the kind |"
                   r"the data of \w+ are not here|holds other data")  # fmt: skip


@dataclass
class Outcome:
    """What came of one mutation."""

    what: str
    told: str
    seconds: float


class TooLong(BaseException):
    """A mutation did not end in time."""


def tried(data: Any) -> Outcome:
    """Plan mutated data with a limit of time."""

    def late(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, 5 * SECONDS)
    began = time.process_time()  # others may be at work on this machine
    try:
        plan(data)
        what, told = "accepted", ""
    except InvalidInput as refusal:
        told = str(refusal)
        what = "refused" if NAMED.search(told) and len(told) < 2000 else "refused, but not by name"
    except TooLong:
        what, told = "did not end", ""
    except Exception as error:
        what, told = f"unnamed {type(error).__name__}", str(error)[:200]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    seconds = time.process_time() - began
    if seconds > SECONDS and what in ("accepted", "refused"):
        what = f"{what}, late"
    return Outcome(what, told, seconds)


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """Let this process grow by little, so that what asks for much is an error here and no trouble to others."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    statistics = Path("/proc/self/statm")
    used = int(statistics.read_text().split()[0]) * resource.getpagesize() if statistics.exists() else 2**40
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def run(mutations: int, seed: int) -> list[tuple[Any, Outcome]]:
    """Try so many mutations, spread evenly over all kinds."""
    rng, originals = random.Random(seed), hosts()
    with little_memory():
        cases = [mutated(originals[number % len(originals)], rng) for number in range(mutations)]
        return [(case, tried(case)) for case in cases]


def main() -> int:
    """Print a table of what came of the mutations; the exit status says whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for original in hosts():
        found = tried(original)
        if found.what != "accepted" and "not here" not in found.told:
            print(f"not mutated: {found} {str(original)[:300]}")
    results = run(options.mutations, options.seed)
    counts = Counter(outcome.what for _, outcome in results)
    print(f"{'what came of it':<32}{'mutations':>10}{'slowest (s)':>14}")
    for what, count in counts.most_common():
        slowest = max(outcome.seconds for _, outcome in results if outcome.what == what)
        print(f"{what:<32}{count:>10}{slowest:>14.3f}")
    bad = [(case, outcome) for case, outcome in results if outcome.what not in ("accepted", "refused")]
    for case, outcome in bad[:40]:
        print(f"\n{outcome.what} ({outcome.seconds:.2f} s): {outcome.told[:300]!r}\n  {json.dumps(case)[:400]}")
    kinds = {kind for kind in _KINDS if _KINDS[kind].__module__.startswith("grokscape.landscape.")}
    missing = kinds - {kind for original in hosts() for kind in re.findall(r'"kind": "(\w+)"', json.dumps(original))}
    print(f"\n{len(kinds) - len(missing)} of {len(kinds)} kinds {sorted(missing) or ''}")
    return 1 if bad or missing else 0


if __name__ == "__main__":
    sys.exit(main())
