"""Many small runs on a graphics device: ``python -m tests.benchmark --device cuda``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from tests.benchmark import torch_side, ways
from tests.benchmark.compare import (
    CHECKED,
    COMPILED,
    JAX,
    LOOP,
    PLAIN,
    TRAINER,
    WORKER,
    Result,
    distance,
    spread,
    without_jax,
)
from tests.benchmark.comparisons import numbers, perceptrons
from tests.benchmark.turns import Entry, Processes, Race

ROOT = Path(__file__).parent.parent.parent

#: On a device, JAX leaves memory to the others, and its float32 products are float32, as PyTorch's are.
ON_A_DEVICE = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "JAX_DEFAULT_MATMUL_PRECISION": "highest"}


def environments(device: str) -> dict[str, dict[str, str | None]]:
    """Return what the processes' environments have that differs from a user's own."""
    platform = device.partition(":")[0]
    return {WORKER: {}, PLAIN: {}, JAX: {**ON_A_DEVICE, "JAX_PLATFORMS": platform}}


def available(device: str) -> str:
    """Return the name of a device, or "" if it is not here."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device) if torch.cuda.is_available() else ""
    return device


def compare_on(
    device: str,
    processes: Processes,
    *,
    rounds: int,
    counts: Sequence[int] = (256, 2048),
    steps: int = 100,
    compile: bool = False,
) -> list[Result]:
    """Time ensembles of small perceptrons on a device beside a loop and JAX, and print steps a second.

    Parameters
    ----------
    device : str
    processes : Processes
    rounds : int
    counts : sequence of int
        Runs of each ensemble.
    steps : int
        Of a turn; a loop takes one, for on a device it is slower by orders of magnitude.
    compile : bool
        Time ``torch.compile`` too.
    """
    absent = without_jax(processes)
    if absent:
        print(f"JAX is left out: {absent}")
    results = []
    for count in counts:
        runs = perceptrons(23, 264, 64, count)
        entries = [
            Entry(TRAINER, WORKER, torch_side.Trainer, (runs, device)),
            Entry(LOOP, PLAIN, torch_side.Loop, (runs, device), steps=1),
        ]
        if compile:
            entries.append(Entry(COMPILED, WORKER, torch_side.Trainer, (runs, device, True)))
        if not absent:
            data = numbers(runs)
            entries += [Entry(way.name, JAX, ways.training, (data, way)) for way in ways.OF_TOKENS if way.is_usual]
        with Race(processes, entries) as race:
            race.advance(CHECKED)
            apart = distance(runs, race.weights())
            times = race.times(steps=steps, rounds=rounds, warm=3, processor=False)
        results.append(Result(f"{count} runs", times, apart))
        print(f"\n{count} perceptrons, p = 23, 264 examples, width 64: steps a second, of all runs together")
        for name in times.seconds:
            ratio = f"    {spread(times.ratio(name, TRAINER))} of the trainer's time" if name != TRAINER else ""
            print(f"  {name:34} {count * 1e3 / times.ms(name):12,.0f}{ratio}")
        print(f"  {results[-1].verdict}")
    return results


def cuda_tests_pass() -> bool:
    """Run the tests that need a CUDA device, which have it in their names; print how they ended."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-k", "cuda", "tests/landscape"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print("\n".join(["", "tests with CUDA in their names:", *done.stdout.strip().splitlines()[-15:]]))
    return done.returncode == 0 and "CUDA device" not in done.stdout  # which is why they would be skipped
