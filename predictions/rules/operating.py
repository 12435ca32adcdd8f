"""How often a rule errs, by simulation."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from grokscape.predictions.rules.rule import LEVEL, Decision, Rule


@dataclass(frozen=True)
class Operating:
    """The operating characteristics of a rule.

    Attributes
    ----------
    false_pass : float
        Share of corroborations where the truth lies at the edge of the null (the worst edge, for two).
    power : float
        Share of corroborations where the truth is the effect that the rule was designed for.
    trials : int
        Simulations behind each share.
    """

    false_pass: float
    power: float
    trials: int


def operating(
    rule: Rule, *, seeds: int, effect: float, spread: float, level: float = LEVEL, trials: int = 1000, seed: int = 0
) -> Operating:
    """Simulate a rule under its null and under an effect.

    Parameters
    ----------
    rule : Rule
    seeds : int
        Seeds in a sample.
    effect, spread : float
        What calibration found: the quantity, and its standard deviation between seeds.
    level : float
        Confidence of the interval under the effect; a correction for several claims asks for more than `LEVEL`.
    trials, seed : int
    """
    rng = np.random.default_rng(seed)

    def share(centre: float, level: float) -> float:
        drawn = (rule.draw(rng, seeds, centre, spread) for _ in range(trials))
        return sum(rule.decide(sample, level).outcome is Decision.CORROBORATED for sample in drawn) / trials

    return Operating(max(share(edge, LEVEL) for edge in rule.null), share(effect, level), trials)


@functools.cache
def foreseen(rule: Rule, *, effect: float, spread: float, seeds: int = 1000, seed: int = 0) -> Decision:
    """Return what a rule decides where seeds as calibration found them are so many that chance has no say."""
    return rule.decide(rule.draw(np.random.default_rng(seed), seeds, effect, spread)).outcome
