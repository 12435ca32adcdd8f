"""One comparison after another, printed: who trains how fast, and whether all train the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.func import functional_call

from grokscape.landscape.models import Dense, Transformer
from grokscape.landscape.objectives import OBJECTIVES
from grokscape.landscape.scheduling.worker import ENVIRONMENT
from grokscape.landscape.training.run import Run
from tests.benchmark import torch_side, ways
from tests.benchmark.comparisons import Comparison, numbers, perceptrons, products
from tests.benchmark.numbers import Parameters
from tests.benchmark.turns import ONE_THREAD, Entry, Processes, Race, Times

TRAINER, GENERAL, COMPILED = "trainer", "trainer, general path", "trainer, torch.compile"
LOOP, PRODUCTS = "PyTorch loop", "matrix products alone"

#: Processes and what their environments have: Grokscape's own workers', or a user's who keeps to one thread.
WORKER, PLAIN, JAX = "worker", "plain", "jax"
_PLAIN = {**dict.fromkeys(ENVIRONMENT), **ONE_THREAD}
ENVIRONMENTS: Mapping[str, Mapping[str, str | None]] = {
    WORKER: ENVIRONMENT,
    PLAIN: _PLAIN,
    JAX: {**_PLAIN, "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "JAX_PLATFORMS": "cpu"},
}

#: Steps after which all must have trained the same, of how many runs, and by how much losses may differ: rounding
#: errors, amplified.
CHECKED, OF_RUNS, TOLERANCE = 5, 16, 1e-3


@dataclass(frozen=True)
class Result:
    """How long everyone took for a step of all runs of a comparison.

    Attributes
    ----------
    name : str
    times : Times
    apart : float
        Largest relative difference of a run's loss from the trainer's, after a few steps.
    rivals : tuple of Way
        Those of JAX.
    """

    name: str
    times: Times
    apart: float
    rivals: tuple[ways.Way, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether all train the same."""
        return self.apart <= TOLERANCE

    @property
    def verdict(self) -> str:
        """Whether all train the same, in words."""
        said = "agree" if self.agrees else "DO NOT AGREE"
        return f"losses after {CHECKED} steps {said}: {self.apart:.0e} of a loss apart at most"


def compare(comparison: Comparison, processes: Processes, *, rounds: int, jax: bool, compile: bool) -> Result:
    """Time everyone who can train the runs of a comparison, and print it."""
    runs = comparison.runs
    print(f"\n{comparison.name}: {comparison.title}")
    entries = [
        Entry(TRAINER, WORKER, torch_side.Trainer, (runs,)),
        Entry(GENERAL, WORKER, torch_side.general, (runs,)),
        Entry(LOOP, PLAIN, torch_side.Loop, (runs,)),
        Entry(PRODUCTS, PLAIN, torch_side.Products, (len(runs), products(runs[0]))),
    ]
    if compile:
        entries.insert(2, Entry(COMPILED, WORKER, torch_side.Trainer, (runs, "cpu", True)))
    rivals: tuple[ways.Way, ...] = ()
    if jax:
        rivals = ways.OF_FEATURES if isinstance(runs[0].model, Dense) else ways.OF_TOKENS
        rivals += ways.OF_TABLES if isinstance(runs[0].model, Transformer) else ()
        data = numbers(runs)
        entries += [Entry(way.name, JAX, ways.training, (data, way)) for way in rivals]
    with Race(processes, entries) as race:
        race.advance(CHECKED)
        apart = distance(runs, race.weights())
        warm = math.ceil(comparison.warm / comparison.steps)
        times = race.times(steps=comparison.steps, rounds=rounds, warm=warm)
    result = Result(comparison.name, times, apart, rivals)
    show(result)
    return result


def without_jax(processes: Processes) -> str:
    """Return why JAX cannot be compared in its process, or ""."""
    absent = ways.missing()
    try:
        return absent or processes.ask(JAX, ways.load)
    except (ImportError, RuntimeError) as error:  # for want of a device, or of libraries that fit each other
        return f"{error!s:.200}"


def distance(runs: Sequence[Run], weights: Mapping[str, Parameters]) -> float:
    """Return the largest relative difference of a run's training loss to the trainer's, NaN if any loss is."""
    losses = {name: training_losses(runs[:OF_RUNS], of_runs) for name, of_runs in weights.items()}
    ours = losses.pop(TRAINER)
    return float(((torch.stack([ours, *losses.values()]) - ours) / ours).abs().max())


def training_losses(runs: Sequence[Run], weights: Parameters) -> torch.Tensor:
    """Return the training loss of each run, computed in float64 and the same way whoever trained it."""
    found = []
    for row, run in enumerate(runs):
        train = run.task.split(run.n_train, seed=run.seed).train
        inputs, labels = run.task.inputs[train], run.task.labels_of(run.seed)[train]
        parameters = {name: torch.from_numpy(value[row]).double() for name, value in weights.items()}
        network = run.model.build(run.task).double()
        outputs = functional_call(network, parameters, (inputs.double() if inputs.is_floating_point() else inputs,))
        found.append(OBJECTIVES[run.loss](outputs, labels).mean())
    return torch.stack(found).detach()


def show(result: Result) -> None:
    """Print what a comparison found."""
    times = result.times
    for name in times.seconds:
        line = f"  {name:34} {times.ms(name):9.3f} ms a step of all"
        if name == PRODUCTS:
            line += f"    {times.ratio(name, TRAINER)[1]:.0%} of the trainer's: its share of this limit"
        elif name != TRAINER:
            line += f"    {spread(times.ratio(name, TRAINER))} of the trainer's"
        print(line)
    print(f"  {result.verdict}; the clock ran {times.waited:.2f} times as long as the processor")


def spread(quartiles: tuple[float, float, float]) -> str:
    """Return a median with its quartiles."""
    low, middle, high = quartiles
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def table(results: Sequence[Result]) -> str:
    """Return all comparisons as a table in Markdown, milliseconds a step of all runs."""
    head = ("", "trainer", "PyTorch loop", "JAX as usual", "ratio", "JAX at its fastest", "ratio", "products", "share")
    rows = [head, ("---",) * len(head)]
    for result in results:
        times = result.times
        for tables in sorted({way.tables for way in result.rivals}) or [False]:
            rivals = [way for way in result.rivals if way.tables == tables]
            usual = [way.name for way in rivals if way.is_usual]
            fastest = min((way.name for way in rivals), key=times.ms, default="")
            row = [f"{result.name}{', tables in JAX' * tables}", f"{times.ms(TRAINER):.2f}", f"{times.ms(LOOP):.2f}"]
            row.append(" / ".join(f"{times.ms(name):.2f}" for name in usual))
            row.append(spread(times.ratio(min(usual, key=times.ms), TRAINER)) if usual else "")
            row.append(f"{times.ms(fastest):.2f}, {fastest.removeprefix('JAX ')}" if fastest else "")
            row.append(spread(times.ratio(fastest, TRAINER)) if fastest else "")
            row += [f"{times.ms(PRODUCTS):.2f}", f"{times.ratio(PRODUCTS, TRAINER)[1]:.0%}"]
            rows.append(tuple(row))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def records(processes: Processes, *, rounds: int) -> None:
    """Time a record of ten runs, and print what one takes."""
    print("\nrecords: a record of ten perceptrons on all inputs, milliseconds of each (quartiles)")
    for p, examples, width in ((37, 680, 128), (23, 264, 64)):
        runs = perceptrons(p, examples, width)
        with Race(processes, [Entry(TRAINER, WORKER, torch_side.Records, (runs,))]) as race:
            times = race.times(steps=10, rounds=rounds, warm=2)
        low, middle, high = (1e3 * each / len(runs) for each in times.quartiles(TRAINER))
        print(f"  p = {p}, width {width}: {middle:.3f} ({low:.3f} to {high:.3f})")
