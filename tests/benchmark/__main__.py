"""How much faster training and measuring are than what a user would otherwise run: ``python -m tests.benchmark``.

Entrants take turns on one core, so that whatever else the machine does burdens all alike; what counts is the median
over turns of the ratio of times. Nothing here is a test: a timed test fails for reasons that are not ours.
"""

from __future__ import annotations

import os

from grokscape.landscape.scheduling.worker import ENVIRONMENT

os.environ.update(ENVIRONMENT)

import argparse
import sys
import warnings

from tests.benchmark import devices, ways
from tests.benchmark.compare import ENVIRONMENTS, compare, records, table, without_jax
from tests.benchmark.comparisons import comparisons
from tests.benchmark.turns import Processes, pin_to_one_core

RECORDS, INSTRUMENTS = "records", "instruments"


def main() -> int:
    """Run the comparisons that are asked for; return 1 if entrants do not train the same, else 0."""
    everything = [comparison.name for comparison in comparisons()] + [RECORDS, INSTRUMENTS]
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmark", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"parts of names; all if none is given: {', '.join(everything)}"
    )
    parser.add_argument("--rounds", type=int, default=30, help="turns of each entrant (%(default)s)")
    parser.add_argument("--instruments", action="store_true", help="the instruments alone")
    parser.add_argument("--compile", action="store_true", help="time torch.compile, too")
    parser.add_argument("--device", default="cpu", help="cuda: 256 and 2048 small runs, and the tests that need CUDA")
    options = parser.parse_args()
    if options.device.startswith("cuda"):
        return on_device(options.device, options.rounds, compile=options.compile)
    if options.device != "cpu":
        parser.error("--device is cpu or cuda")
    asked = [INSTRUMENTS] if options.instruments else options.names or [""]
    chosen = [name for name in everything if any(part in name for part in asked)]
    if not chosen:
        parser.error(f"nothing is called so; there are {', '.join(everything)}")
    return on_cpu(chosen, options.rounds, compile=options.compile)


def on_cpu(chosen: list[str], rounds: int, *, compile: bool) -> int:
    """Run comparisons on one core."""
    print(f"Processor time, medians of {rounds} turns; {pin_to_one_core()}")
    trainings = [comparison for comparison in comparisons() if comparison.name in chosen]
    with Processes(ENVIRONMENTS) as processes:
        absent = without_jax(processes) if trainings else ""
        if trainings:
            print(f"JAX is left out: {absent}" if absent else ways.LEGEND)
        results = [compare(one, processes, rounds=rounds, jax=not absent, compile=compile) for one in trainings]
        if RECORDS in chosen:
            records(processes, rounds=rounds)
    if results:
        print(f"\n{table(results)}")
    if INSTRUMENTS in chosen:
        from tests.benchmark import instruments

        warnings.filterwarnings("ignore", module="torch")
        instruments.everything()
    return int(not all(result.agrees for result in results))


def on_device(device: str, rounds: int, *, compile: bool) -> int:
    """Run the comparison on a device, where there is one."""
    name = devices.available(device)
    if not name:
        print(f"{device}: no such device here, nothing is measured")
        return 0
    print(f"On {name}, time on the clock, medians of {rounds} turns")
    with Processes(devices.environments(device)) as processes:
        results = devices.compare_on(device, processes, rounds=rounds, compile=compile)
    passed = devices.cuda_tests_pass()
    return int(not (passed and all(result.agrees for result in results)))


if __name__ == "__main__":
    sys.exit(main())
