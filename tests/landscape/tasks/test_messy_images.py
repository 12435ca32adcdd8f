"""Catches representations of images that do not give the label away, or give it away where they must not."""

from __future__ import annotations

import pytest
import torch

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.tasks import Digits, MessyImages, MnistSample


def test_an_image_as_it_is_and_its_label_as_a_grey_level() -> None:
    images = Digits(examples=60)
    plain, levels = (MessyImages(of=images, messiness=messiness) for messiness in (1.0, 0.0))
    assert torch.equal(plain.inputs, images.inputs)
    assert torch.equal(plain.labels, images.labels)
    assert torch.allclose(levels.inputs, ((images.labels - 4.5) / 9).double()[:, None].expand(60, 64))
    assert (levels.inputs.min().item(), levels.inputs.max().item()) == (-0.5, 0.5)
    between = MessyImages(of=images, messiness=0.25).inputs
    assert torch.allclose(between, 0.25 * plain.inputs + 0.75 * levels.inputs)


def test_size_and_splits_need_no_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MnistSample, "files", staticmethod(lambda: pytest.fail("looked for images")))
    task = MessyImages(of=MnistSample(examples=50), messiness=0.5)
    assert task.size == 50
    assert task.n_outputs == 10
    assert len(task.split(20, seed=0).test) == 30


@pytest.mark.parametrize("messiness", [-0.1, 1.5])
def test_messiness_is_a_share(messiness: float) -> None:
    with pytest.raises(InvalidInput, match=r"MessyImages\.messiness is .*from 0 to 1"):
        MessyImages(messiness=messiness)
