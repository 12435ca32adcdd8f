"""Whether a run's bits depend on its batch, on every shape claims train: ``python -m tests.stress.batches``.

Each shape (task, model, size of the training set, loss, precision) of a tier's runs is trained for a few steps alone,
as one of three, and as the last of four others, by compiled code and by PyTorch; records and weights must agree in
every bit. Prints what differs; the exit status says whether anything did.
"""

from __future__ import annotations

import os

from grokscape.landscape.scheduling.worker import ENVIRONMENT

os.environ.update(ENVIRONMENT)

import argparse
import dataclasses
import sys
import time

import torch

from grokscape.landscape.errors import Unavailable
from grokscape.landscape.scheduling.plan import ancestry
from grokscape.landscape.training import arithmetic
from grokscape.landscape.training.batch_invariance import batch_dependence
from grokscape.landscape.training.run import Run
from grokscape.landscape.training.schedule import Schedule
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.checking.registry import load
from tests.landscape.helpers import assert_same_bits, train, train_alone


def shapes(tier: str) -> dict[str, Run]:
    """Return one run for each shape that claims train at a tier."""
    found: dict[str, Run] = {}
    for claim in load([]).claims.values():
        if tier not in claim.tiers:
            continue
        try:
            experiments = ancestry(Pending.of(claim, tier, vet=False).experiments).values()
        except Unavailable:
            continue
        for run in experiments:
            if isinstance(run, Run):
                key = (run.task.canonical, run.model.canonical, run.optimiser.kind, str(run.n_train), run.loss)
                found.setdefault("|".join((*key, str(run.fixed_norm is None))), run)
    return found


def differs(run: Run, steps: int) -> str:
    """Return what differs between a run alone and in a batch; "" if nothing does."""
    short = dataclasses.replace(
        run, steps=steps, record=Schedule(per_decade=1, every=max(1, steps // 3)), stop=(), keep=(), start=None, seed=0
    )
    batch = [dataclasses.replace(short, seed=seed) for seed in range(5)]
    alone = train_alone(batch[1])
    for others in (batch[:3], batch[4:0:-1]):
        try:
            assert_same_bits(alone, train(others)[batch[1].identity])
        except AssertionError as error:
            return str(error).splitlines()[0]
    return ""


def main() -> int:
    """Compare all shapes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", default="quick")
    parser.add_argument("--steps", type=int, default=24, help="(%(default)s)")
    parser.add_argument("--most", type=float, default=5e10, help="multiplications of one comparison (%(default)g)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("the probe says:", batch_dependence() or "products do not depend on where matrices begin")
    found, began, compared, left_out, wrong = shapes(options.tier), time.monotonic(), 0, 0, 0
    for number, run in enumerate(found.values()):
        if run.model.multiplications(run.task) * (3 * run.n_train * options.steps + 4 * run.task.size) > options.most:
            left_out += 1
            continue
        for switch in ("1", "0"):
            os.environ[arithmetic.SWITCH] = switch
            for dtype in ("float32", "float64"):
                difference = differs(dataclasses.replace(run, dtype=dtype), options.steps)
                compared += 1
                if difference:
                    wrong += 1
                    print(f"DIFFERS {dtype} compiled={switch} {run!r:.300}: {difference}")
        if sys.stderr.isatty():
            print(f"\r{number + 1}/{len(found)} shapes, {time.monotonic() - began:.0f} s", end="", file=sys.stderr)
    print(f"{compared} comparisons of {len(found) - left_out} shapes ({left_out} too large), {wrong} differ")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
