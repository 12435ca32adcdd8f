"""Adam in NumPy against PyTorch's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from grokscape.landscape.learners.adam import adam


@dataclass
class Bowl:
    place: np.ndarray

    @property
    def gradient(self) -> np.ndarray:
        return np.array([4.0, 0.5, 1e-3]) * self.place**3 + 0.1


def test_adam_takes_the_steps_of_pytorch() -> None:
    start = np.array([1.0, -2.0, 3.0])
    found = [bowl.place for _, bowl in adam(Bowl, start, 0.05, 200)]
    place = torch.tensor(start, requires_grad=True)
    optimiser = torch.optim.Adam([place], lr=0.05)
    for step in range(201):
        assert found[step] == pytest.approx(place.detach().numpy(), rel=1e-10, abs=1e-12)
        place.grad = torch.from_numpy(Bowl(place.detach().numpy().copy()).gradient)
        optimiser.step()
    assert len(found) == 201
    assert start.tolist() == [1.0, -2.0, 3.0]
