"""Catches numbers of a run that depend on the batch it is trained in: on this processor, or on another one.

Bits can be compared on the processor at hand alone. What makes them differ elsewhere can be seen anywhere: operations
on other shapes, or on what lies otherwise in memory, when a batch holds other numbers of runs.
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

from grokscape.landscape.fused.feed_forward import FeedForward
from grokscape.landscape.fused.memory import end_to_end
from grokscape.landscape.models import LSTM, Dense, NormalisedPerceptron, Perceptron, Tempered, Transformer
from grokscape.landscape.scheduling.worker import ENVIRONMENT
from grokscape.landscape.tasks import SparseParity, TeacherStudent
from grokscape.landscape.training import arithmetic
from grokscape.landscape.training.batch_invariance import _laid_out, batch_dependence
from grokscape.landscape.training.network_ensemble import NetworkEnsemble
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

#: From one place where anything may begin to the next, in bytes: products of matrices round by where they begin.
BOUNDARY = 64

#: Where a tensor lies: shape, strides, and how far from a boundary it begins.
Layout = tuple[tuple[int, ...], tuple[int, ...], int]


class Watch(TorchDispatchMode):
    """Notes every operation, with where that lies which goes in and comes out."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, list[Layout]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in pytree.tree_leaves((args, kwargs, out)) if isinstance(leaf, Tensor)]
        lying = [(tuple(one.shape), one.stride(), one.data_ptr() % BOUNDARY) for one in tensors]
        self.seen.append((str(func), lying))
        return out


def watched(runs: int, shape: dict[str, Any]) -> list[tuple[str, list[Layout]]]:
    """Return what PyTorch computes of an ensemble for its gradients, and for what it puts out."""
    ensemble = NetworkEnsemble([small_run(**shape, seed=seed) for seed in range(runs)], MemorySession())
    for row in (ensemble.rows, *ensemble.state.values()):
        assert row.data_ptr() % BOUNDARY == 0
        assert row.stride(0) * row.itemsize % BOUNDARY == 0
    ensemble.advance()
    rows = ensemble.rows.clone()
    with Watch() as watch:
        ensemble.gradients(rows)
        with torch.no_grad():
            for row in rows:
                ensemble.output(row)
    return [(name, lying) for name, lying in watch.seen if not name.startswith("aten.unbind")]  # rows of all runs


@pytest.mark.parametrize("shape", SHAPES)
def test_each_run_is_computed_by_itself_and_lies_alike(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROKSCAPE_COMPILED", "0")
    one, three = (watched(runs, SHAPES[shape]) for runs in (1, 3))
    assert any("mm." in name for name, _ in one)
    copies = [place for place, (name, _) in enumerate(one) if name == "aten.copy_.default"]
    gradient, outputs = one[: copies[0] + 1], one[copies[0] + 1 :]
    assert three == 3 * gradient + 3 * outputs


@pytest.mark.parametrize("shape", ["perceptron", "embedded", "squared error", "dense"])
def test_what_compiled_code_computes_with_lies_alike_for_every_run(shape: str) -> None:
    pytest.importorskip("numba")
    run = small_run(**SHAPES[shape])
    ensemble = NetworkEnsemble([run, small_run(**SHAPES[shape], seed=1)], MemorySession())
    assert ensemble.logs[0].arithmetic == [arithmetic.COMPILED]
    fused = run.model.fused(run.task)
    assert isinstance(fused, FeedForward)
    network, block, work = fused.network(ensemble.stack, ensemble.dtype, run.n_train)
    assert work.ctypes.data % BOUNDARY == 0
    for places in network[6:9]:  # of what layers hold, in memory that all runs use one after another
        assert (places % 16 == 0).all()
    assert block % 16 == 0 or block == run.n_train
    rows = end_to_end(ensemble.train_inputs, torch.float64)
    assert rows.ctypes.data % BOUNDARY == rows.strides[0] % BOUNDARY == 0


#: As far as a processor can pretend to be another one.
PROCESSORS = [
    {},
    {"ATEN_CPU_CAPABILITY": "default"},
    {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    {"ATEN_CPU_CAPABILITY": "avx512", "MKL_ENABLE_INSTRUCTIONS": "AVX512"},
    {"MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
    {"MKL_CBWR": "COMPATIBLE"},
    {"GROKSCAPE_COMPILED": "0"},
    {"GROKSCAPE_COMPILED": "0", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
]

PROGRAM = """
import torch
torch.set_num_threads(1)
from grokscape.landscape.models import Dense, Transformer, Perceptron
from grokscape.landscape.tasks import BinaryOperation, TeacherStudent
from grokscape.landscape.training import gradients
from grokscape.landscape.training.batch_invariance import batch_dependence
from tests.landscape.helpers import assert_same_bits, small_run, train, train_alone

gradients.RECORD_AFTER = 13
reason = batch_dependence()
if reason:
    print("SKIP", reason)
else:
    pairs = {"task": BinaryOperation(p=13)}
    values = {"task": TeacherStudent(examples=90, widths=(6, 6)), "loss": "mse"}
    for dtype in ("float32", "float64"):
        for shape in (
            pairs | {"model": Transformer(width=36, heads=4, hidden=70)},
            pairs | {"model": Perceptron(width=67)},
            pairs | {"model": Perceptron(width=19, bias=True, embedding=5)},
            values | {"model": Dense(widths=(33, 21), activation="tanh")},
        ):
            runs = [small_run(**shape, n_train=83, seed=s, steps=8, dtype=dtype) for s in range(5)]
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
    honest, calls = torch.mm, 0

    def another(left: Tensor, right: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return honest(left, right) * (1 + 1e-6 * (calls == 3))

    monkeypatch.setattr(torch, "mm", another)
    assert "round by where their matrices lie" in batch_dependence.__wrapped__()
    assert calls == 4


def test_the_probe_takes_matrices_on_boundaries_and_elsewhere_than_before() -> None:
    matrix = torch.arange(15.0).view(3, 5)
    for transposed in (False, True):
        laid = _laid_out(matrix, 3, transposed)
        assert torch.equal(laid, matrix)
        assert laid.is_contiguous() != transposed
        assert laid.data_ptr() % BOUNDARY == 0
        assert laid.storage_offset() == 48
