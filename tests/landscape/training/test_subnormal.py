"""Catches subnormal numbers that trainings keep, or a thread that is left counting otherwise than before."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grokscape.landscape.training.network_ensemble import NetworkEnsemble
from grokscape.landscape.training.subnormal import SUBNORMAL, flushed, flushes
from tests.landscape.helpers import MemorySession, small_run

needs_flushing = pytest.mark.skipif(not torch.set_flush_denormal(False), reason="this processor cannot flush")


@needs_flushing
def test_they_count_as_nought_inside_and_not_outside() -> None:
    tiny = torch.full((3,), SUBNORMAL)
    assert not flushes()
    with flushed():
        assert flushes()
        assert (tiny * 1.0).tolist() == [0, 0, 0]
    assert not flushes()
    with pytest.raises(ZeroDivisionError), flushed():
        raise ZeroDivisionError
    assert (tiny * 1.0).tolist() != [0, 0, 0]
    torch.set_flush_denormal(True)  # as somebody may have chosen
    try:
        with flushed():
            pass
        assert flushes()
    finally:
        torch.set_flush_denormal(False)


@needs_flushing
@pytest.mark.parametrize("compiled", ["1", "0"])
def test_moments_of_weights_without_gradient_vanish(compiled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROKSCAPE_COMPILED", compiled)
    ensemble = NetworkEnsemble([small_run()], MemorySession())
    ensemble.state["mean"].fill_(2e-38)
    ensemble.gradients = lambda rows: torch.zeros_like(rows)  # type: ignore[method-assign, assignment]
    ensemble.stretch = None
    ensemble.advance(8)
    moments = ensemble.state["mean"].numpy()
    assert ((moments == 0) | (np.abs(moments) >= np.finfo(np.float32).tiny)).all()
    assert (moments == 0).all()
    assert not flushes()
