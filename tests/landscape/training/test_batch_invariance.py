"""Catches numbers of a run that depend on the batch it is trained in: on this processor, or on another one.

Bits can be compared on the processor at hand alone. What makes them differ elsewhere can be seen anywhere: products of
other shapes, or of matrices that lie otherwise in memory, when a batch holds other numbers of runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from landscape.models import LSTM, Dense, NormalisedPerceptron, Perceptron, Tempered, Transformer
from landscape.tasks import SparseParity, TeacherStudent
from landscape.training import gradients
from landscape.training.batch_invariance import batch_dependence
from landscape.training.gradients import paired, pieces
from landscape.training.trainer import Ensemble
from landscape.training.worker import ENVIRONMENT
from tests.landscape.helpers import MemorySession, small_run

VALUES = TeacherStudent(examples=40, widths=(6, 6))
SHAPES: dict[str, dict[str, Any]] = {
    "perceptron": {"model": Perceptron(width=16)},
    "embedded": {"task": SparseParity(n=5, k=2), "model": Perceptron(width=12, bias=True, embedding=3), "n_train": 20},
    "squared error": {"model": Perceptron(width=16, activation="quadratic"), "loss": "mse"},
    "normalised": {"model": NormalisedPerceptron(width=16)},
    "tempered": {"model": Tempered(of=Perceptron(width=16), temperature=2.0)},
    "transformer": {"model": Transformer(width=8, heads=2, hidden=16)},
    "dense": {"task": VALUES, "model": Dense(widths=(9, 7), activation="tanh"), "loss": "mse"},
    "lstm": {"model": LSTM(width=8)},
    "fixed norm": {"model": Perceptron(width=16), "fixed_norm": 3.0},
}

#: Parts of the names of operations that add up numbers, whose rounding can depend on the order and so on the layout.
SUMMING = ("mm.", "dot.", "sum", "mean", "softmax", "norm", "backward", "scatter_add", "index_add", "index_put")

Layout = tuple[str, list[tuple[tuple[int, ...], tuple[int, ...]]]]


class Watch(TorchDispatchMode):
    """Notes every operation that adds up, with shapes and strides of the tensors that go in and come out."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Layout] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in pytree.tree_leaves((args, kwargs, out)) if isinstance(leaf, Tensor)]
        if any(part in str(func) for part in SUMMING):
            self.seen.append((str(func), [(tuple(one.shape), one.stride()) for one in tensors]))
        return out


def layouts(runs: int, shape: dict[str, Any]) -> list[Layout]:
    """Return what a step and a record of an ensemble compute."""
    ensemble = Ensemble([small_run(**shape, seed=seed) for seed in range(runs)], MemorySession())
    ensemble.advance()  # at first a stack tries whether it can run networks together
    with Watch() as watch:
        ensemble.advance()
        ensemble.measure()
    return watch.seen


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_adds_up_finds_a_run_laid_out_alike_in_every_batch(shape: str) -> None:
    two, three, five = (layouts(runs, SHAPES[shape]) for runs in (2, 3, 5))
    assert [name for name, _ in two] == [name for name, _ in three] == [name for name, _ in five]
    for (name, of_two), (_, of_three), (_, of_five) in zip(two, three, five, strict=True):
        for (shape_2, stride_2), (shape_3, stride_3), (shape_5, stride_5) in zip(
            of_two, of_three, of_five, strict=True
        ):
            growing = [b - a for a, b in zip(shape_2, shape_3, strict=True)]  # what one run adds to each dimension
            assert [a + 3 * more for a, more in zip(shape_2, growing, strict=True)] == list(shape_5), name
            assert sum(map(bool, growing)) <= 1, name
            if any(growing):  # runs follow one another in memory, and each is laid out as in any other batch
                across = next(axis for axis, more in enumerate(growing) if more)
                inner = [axis for axis in range(len(shape_2)) if axis != across]
                assert [stride_2[a] for a in inner] == [stride_3[a] for a in inner] == [stride_5[a] for a in inner], (
                    name
                )


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_that_is_alone_is_computed_as_one_of_two(shape: str) -> None:
    alone, two = (layouts(runs, SHAPES[shape]) for runs in (1, 2))
    assert alone
    assert alone == two


def test_pieces_hold_no_single_run_unless_all_do() -> None:
    assert pieces(1, 5) == 1
    assert pieces(7, 1) == 7
    for most in range(2, 12):
        for runs in range(2, 40):
            cut = [len(piece) for piece in torch.arange(runs).tensor_split(pieces(runs, most))]
            assert min(cut) > 1
            assert max(cut) <= most + 1
            assert max(cut) - min(cut) <= 1


def test_pairing_repeats_one_run_and_leaves_several_as_they_are() -> None:
    several = torch.arange(6.0).view(3, 2)
    assert paired(several) is several
    assert torch.equal(paired(several[:1]), several[[0, 0]])


def test_large_runs_are_stepped_one_by_one_in_any_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradients, "CACHE", 1)
    for runs in (1, 3):
        ensemble = Ensemble([small_run(seed=seed) for seed in range(runs)], MemorySession())
        ensemble.advance()
        with Watch() as watch:
            ensemble.gradients(ensemble.rows)
        batches = {shapes[0][0][0] for name, shapes in watch.seen if name == "aten.bmm.default"}
        assert batches == {1}


#: As far as a processor can pretend to be another one.
PROCESSORS = [
    {},
    {"ATEN_CPU_CAPABILITY": "default"},
    {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    {"ATEN_CPU_CAPABILITY": "avx512", "MKL_ENABLE_INSTRUCTIONS": "AVX512"},
    {"MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
]

PROGRAM = """
import torch
torch.set_num_threads(1)
from landscape.models import Transformer, Perceptron
from landscape.tasks import BinaryOperation
from landscape.training import gradients
from landscape.training.batch_invariance import batch_dependence
from tests.landscape.helpers import assert_same_bits, small_run, train, train_alone

gradients.RECORD_AFTER = 4
reason = batch_dependence()
if reason:
    print("SKIP", reason)
else:
    for dtype in ("float32", "float64"):
        for model in (Transformer(width=36, heads=4, hidden=70), Perceptron(width=67)):
            runs = [
                small_run(task=BinaryOperation(p=13), model=model, n_train=83, seed=s, steps=8, dtype=dtype)
                for s in range(5)
            ]
            alone = {run.identity: train_alone(run) for run in runs[:2]}
            for batch in (runs[1::-1], runs[:3], runs):
                together = train(batch)
                for identity, outcome in alone.items():
                    assert_same_bits(outcome, together[identity])
    print("SAME")
"""


@pytest.mark.skipif(bool(batch_dependence()), reason=batch_dependence() or "kept")
@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda told: "-".join(told.values()) or "as it is")
def test_bits_are_the_same_in_every_batch_as_other_processors_see_it(processor: dict[str, str]) -> None:
    if processor.get("ATEN_CPU_CAPABILITY") == "avx512" and "AVX512" not in torch.backends.cpu.get_cpu_capability():
        pytest.skip("this processor has no AVX-512 and cannot pretend to have it")
    environment = os.environ | ENVIRONMENT | processor
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    if done.stdout.startswith("SKIP"):
        pytest.skip(done.stdout)
    assert "SAME" in done.stdout


def test_the_probe_notices_products_that_depend_on_where_matrices_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    honest, calls = torch.bmm, 0

    def another(left: Tensor, right: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return honest(left, right) * (1 + 1e-6 * (len(left) == 3))

    monkeypatch.setattr(torch, "bmm", another)
    assert "round by where their matrices lie" in batch_dependence.__wrapped__()
    assert calls == 4
