"""Quadratic perceptrons whose weights are written by hand, so that their logits are known, and verdicts on them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from grokscape.landscape.models import Perceptron
from grokscape.landscape.tasks import BinaryOperation
from grokscape.landscape.training.run import Run
from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.judge import judge
from grokscape.predictions.terms import Tier
from tests.predictions.made_up.steps import trained

P, PHASES, NOISE = 11, 8, 24
SMALL = {"task": BinaryOperation(p=P), "model": Perceptron(width=PHASES + NOISE, activation="quadratic")}


def weights_of(run, *, rule=1.0, noise=0.0):
    """A quadratic perceptron whose logits are cos(w (a + b - c)) (1 + cos(w (a - b))) / 2 times `rule`, and noise.

    Neurons (cos(w a + u) + cos(w b + u))^2 are read by cos(w c + 2 u); over eight phases u all other products cancel.
    """
    rng = np.random.default_rng(run.seed)
    angles, phases = 2 * math.pi * np.arange(P)[:, None] / P, 2 * math.pi * np.arange(PHASES) / PHASES
    operand, read = np.cos(angles + phases), np.cos(angles + 2 * phases).T / PHASES
    hidden = np.concatenate([np.stack([operand, operand]), rng.normal(size=(2, P, NOISE))], 2)
    output = np.concatenate([rule * read, noise * rng.normal(size=(NOISE, P))])
    return {"hidden": hidden, "output": output}


def made(run, *, test=1.0, train=1.0, **parts):
    weights = weights_of(run, **parts)
    return dataclasses.replace(trained(run, test=test, train=train), load_weights=lambda step: weights)


def run_on(fraction, seed=0, **changes):
    return Run(**SMALL, n_train=round(fraction * P * P), seed=seed, steps=100, **changes)


def judged(claim, behave, **setting):
    """Judge a claim about small networks made by ``behave(arm, run)``."""
    small = {"quick": Tier(claim.tiers["quick"].seeds, {**claim.tiers["quick"].setting, **SMALL, **setting})}
    claim = dataclasses.replace(claim, tiers=small)
    observations = []
    for arm, at in claim.arms("quick").items():
        for seed in claim.tiers["quick"].seeds:
            records = {label: behave(arm, run) for label, run in claim.runs(seed, at).items()}
            observations += [
                Observation(m.quantity, m.value, m.at, m.censored, arm=arm, seed=seed)
                for m in claim.measure(records, at)
            ]
    return judge(claim, "quick", Evidence(tuple(observations)))
