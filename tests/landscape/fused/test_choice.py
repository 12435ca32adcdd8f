"""Catches a training that ends, or a wrong gradient that is used, where compiled code is absent, broken or lying."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from grokscape.landscape import models
from grokscape.landscape.errors import DataMissing
from grokscape.landscape.fused import Fused
from grokscape.landscape.models import (
    LSTM,
    Dense,
    EdgeNetwork,
    Model,
    NormalisedPerceptron,
    Perceptron,
    Tempered,
    Transformer,
)
from grokscape.landscape.stack import Stack
from grokscape.landscape.tasks import BinaryOperation, Molecules, Task, TeacherStudent, TokenTask
from grokscape.landscape.training import arithmetic
from tests.landscape.helpers import MemorySession, assert_same_bits, small_run, train, train_alone


class Lying(Fused):
    """Offers a gradient made from the right one."""

    def __init__(self, honest: Fused, change: Any, of: str) -> None:
        self.honest, self.change, self.of = honest, change, of

    def gradient(self, *given: Any) -> Any:
        gradient = self.honest.gradient(*given)
        return (lambda rows: self.change(gradient(rows))) if self.of == "gradient" else gradient

    def outputs(self, *given: Any) -> Any:
        outputs = self.honest.outputs(*given)
        return (lambda row: self.change(outputs(row))) if self.of == "output" else outputs


def raise_(error: Exception) -> None:
    raise error


LIES = {
    "shape": lambda found: found[:, :-1],
    "one run": lambda found: found[0],
    "kind": lambda found: found.double(),
    "no tensor": lambda found: found.numpy(),
    "numbers": lambda found: found * 1.01,
    "none": lambda found: found * torch.nan,
    "breaks": lambda found: raise_(ZeroDivisionError("by nought")),
}


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arithmetic, "_proven", {})


@pytest.mark.parametrize("of", ["gradient", "output"])
@pytest.mark.parametrize("lie", LIES)
def test_wrong_compiled_code_is_not_used_and_named_once(lie: str, of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    honest = Perceptron.fused
    run = small_run()
    monkeypatch.setattr(Perceptron, "fused", lambda self, task: Lying(honest(self, task), LIES[lie], of))
    session = MemorySession()
    outcome = train_alone(run, session)
    (note,) = session.notes
    assert note.startswith("Perceptron is trained by PyTorch alone: its compiled code fails (")
    assert {"shape": "of shape (", "numbers": "off by", "breaks": "by nought"}.get(lie, of) in note
    assert outcome.info["arithmetic"] == arithmetic.ONLY_STEPS_COMPILED
    monkeypatch.setattr(Perceptron, "fused", lambda self, task: None)
    assert_same_bits(outcome, train_alone(run))


@pytest.mark.parametrize("error", [ImportError("Numba needs NumPy 1.26 or less"), AttributeError("njit")])
def test_without_a_compiler_training_goes_on_with_one_note(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def importing(name: str, *given: Any, **more: Any) -> Any:
        if name.startswith("numba"):
            raise error
        return real(name, *given, **more)

    for name in [name for name in sys.modules if name.startswith(("numba", "grokscape.landscape.fused."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("grokscape.landscape.fused.steps", raising=False)
    monkeypatch.setattr(builtins, "__import__", importing)
    arithmetic.why_not_compiled.cache_clear()
    try:
        session = MemorySession()
        outcome = train([small_run(seed=s) for s in range(2)], session)
    finally:
        monkeypatch.undo()
        arithmetic.why_not_compiled.cache_clear()
    (note,) = session.notes
    assert str(error) in note
    assert 'pip install "grokscape[fast]"' in note
    assert {one.info["arithmetic"] for one in outcome.values()} == {arithmetic.BY_PYTORCH}


def test_what_offers_nothing_needs_no_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Perceptron, "fused", lambda self, task: None)
    session = MemorySession()
    assert train_alone(small_run(), session).info["arithmetic"] == arithmetic.ONLY_STEPS_COMPILED
    assert session.notes == []


def test_switched_off_is_no_surprise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(arithmetic.SWITCH, "0")
    session = MemorySession()
    assert train_alone(small_run(), session).info["arithmetic"] == arithmetic.BY_PYTORCH
    assert session.notes == []


UNWRITABLE = """
from tests.landscape.helpers import MemorySession, small_run, train_alone
session = MemorySession()
outcome = train_alone(small_run(), session)
print(outcome.info["arithmetic"], "|", *session.notes)
"""


def test_where_no_cache_can_be_written_code_is_compiled_anew_and_told(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    (tmp_path / "file").write_text("in the way")
    environment = os.environ | {"GROKSCAPE_CACHE": str(tmp_path / "file"), "HOME": str(tmp_path / "file")}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", UNWRITABLE],
        env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith(f"{arithmetic.COMPILED} | compiled code cannot be kept on disk")


def test_a_run_that_goes_on_by_another_arithmetic_says_both(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    run, session = small_run(), MemorySession(snapshots=True, die_at_save=2)
    with pytest.raises(Exception):  # noqa: B017 - whatever stands for an interruption
        train_alone(run, session)
    session.die_at_save = None
    monkeypatch.setenv(arithmetic.SWITCH, "0")
    outcome = train_alone(run, session)
    assert outcome.info["arithmetic"] == f"{arithmetic.COMPILED}, then {arithmetic.BY_PYTORCH}"
    del session.saved[run.identity].arrays["arithmetic"]  # of before this was kept
    assert arithmetic.of_snapshot(session.saved[run.identity].arrays) == [arithmetic.BEFORE]


def test_parameters_stay_where_they_are_while_steps_are_taken() -> None:
    """Compiled steps hold on to the memory of the rows; an in-place change elsewhere must reach them."""
    from grokscape.landscape.training.network_ensemble import NetworkEnsemble

    ensemble = NetworkEnsemble([small_run(fixed_norm=2.0)], MemorySession())
    place = ensemble.rows.data_ptr()
    for _ in range(3):
        ensemble.advance()
    assert ensemble.rows.data_ptr() == place
    assert float(ensemble.rows.norm()) == pytest.approx(2.0, rel=1e-6)


def test_the_stack_gives_back_what_it_spread() -> None:
    stack = Stack(torch.nn.Linear(3, 5))
    compact = torch.arange(20.0)
    rows: Tensor = stack.spread(compact)
    assert rows.shape == (stack.width,) == (32,)
    assert torch.equal(stack.compact(rows), compact)
    assert stack.tensors(rows)["bias"].tolist() == [15, 16, 17, 18, 19]
    assert {span.start % 16 for span in stack.slices().values()} == {0}


def test_one_network_on_a_kink_is_no_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a neuron's input is 0 up to rounding, two right gradients may differ by all that it says."""
    pytest.importorskip("numba")
    honest, calls = Perceptron.fused, []

    def off_at_first(found: Tensor) -> Tensor:
        calls.append(found)
        return found * 1.01 if len(calls) == 1 else found

    monkeypatch.setattr(Perceptron, "fused", lambda self, task: Lying(honest(self, task), off_at_first, "gradient"))
    session = MemorySession()
    assert train_alone(small_run(), session).info["arithmetic"] == arithmetic.COMPILED
    assert session.notes == []


#: Of each built-in model one that is quickly trained, on a task that it reads.
BUILT_IN: list[tuple[Model, Task]] = [
    (Dense(widths=(6,)), TeacherStudent(examples=40, widths=(4, 4))),
    (EdgeNetwork(), Molecules()),
    (LSTM(width=4), BinaryOperation(p=7)),
    (NormalisedPerceptron(width=8, bias=True), BinaryOperation(p=7)),
    (Perceptron(width=8, bias=True), BinaryOperation(p=7)),
    (Tempered(of=Perceptron(width=8), temperature=3.0), BinaryOperation(p=7)),
    (Transformer(width=8, heads=2, hidden=16), BinaryOperation(p=7)),
]


def test_every_built_in_model_is_among_those_that_are_tried() -> None:
    described = {value for value in vars(models).values() if isinstance(value, type) and issubclass(value, Model)}
    assert described - {Model} == {type(model) for model, _ in BUILT_IN}


@pytest.mark.parametrize(("model", "task"), BUILT_IN, ids=lambda value: type(value).__name__)
def test_a_built_in_model_offers_right_compiled_code_or_none(model: Model, task: Task) -> None:
    """What inherits from a model that has compiled code computes something else, and must not offer the same."""
    pytest.importorskip("numba")
    session = MemorySession()
    loss = "cross_entropy" if isinstance(task, TokenTask) else "mse"
    run = small_run(model=model, task=task, loss=loss, n_train=20, steps=5)
    try:
        outcome = train_alone(run, session)
    except DataMissing as missing:
        pytest.skip(str(missing))
    assert session.notes == []
    expected = arithmetic.COMPILED if model.fused(task) else arithmetic.ONLY_STEPS_COMPILED
    assert outcome.info["arithmetic"] == expected
