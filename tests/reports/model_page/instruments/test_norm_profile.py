"""What the page says about a norm profile follows from its numbers."""

from __future__ import annotations

import dataclasses

import numpy as np

from grokscape.landscape.measures.norm_profile.profile import norm_profile
from grokscape.reports.model_page.instruments.norm_profile import NORM_PROFILE

SCALES = np.geomspace(0.1, 10, 9)


def profile(problem, train, test, converged=True):
    """A norm profile of four seeds whose losses are these functions of log10 of the scale, with a little noise."""
    found = norm_profile(problem, SCALES, seeds=range(4), steps=1)
    noise = 0.02 * np.random.default_rng(0).standard_normal((2, 1, len(SCALES), 4))
    curves = [np.exp(f(np.log10(SCALES)))[None, :, None] for f in (train, test)]
    end = dict(found.end)
    for split, curve, own in zip(("train", "test"), curves, noise, strict=True):
        end[split, "loss"] = curve * np.exp(own)
    resting = np.full(found.converged.shape, True)
    resting[:, 0, :] = converged
    return dataclasses.replace(found, end=end, converged=resting)


def test_the_lu_mechanism(problem):
    found = profile(problem, lambda x: -np.minimum(3 * (x + 1), 3), lambda x: 3 * x**2)
    summary = NORM_PROFILE.summary(found)
    assert summary.sentence.startswith("The training loss has an L. The test loss has a U; its minimum lies at ")
    assert summary.sentence.endswith(" times the initial norm; 4 of 4 seeds agree.")
    critical = summary.quantities[-1]
    assert critical.low < 1 < critical.high
    assert critical.text in summary.sentence
    assert summary.converged
    assert summary.warnings == ()


def test_no_shape_is_said_to_be_none_and_why(problem):
    summary = NORM_PROFILE.summary(profile(problem, lambda x: -8 * x, lambda x: x, converged=False))
    assert summary.sentence.startswith("The training loss has neither an L nor a U that is certain.")
    assert "in 0 of 4 seeds its minimum lies inside the norms measured" in summary.sentence
    assert "agree" not in summary.sentence
    assert not summary.converged
    assert any("32 of 36 networks came to rest" in warning for warning in summary.warnings)
    assert any(warning.startswith("Test loss: left side") for warning in summary.warnings)
