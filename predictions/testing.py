"""The contract that Grokscape's own claims are held to, for anybody who writes claims.

In a test file of your own::

    from grokscape.predictions.checking.registry import load
    from grokscape.predictions.testing import check_claim, parametrize_claims


    @parametrize_claims(load(["my_claims.py"]).select(["my2027.*"]))
    def test_claims(claim, check):
        check(claim)

And for each claim, that its verdict follows what happens: PASS on records made up to behave as it says, FAIL on others
(see `verdict_on`)::

    def test_my_claim():
        check_claim(my_claim, behave=as_claimed, otherwise=the_other_way_round)
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from grokscape.landscape.description import from_data
from grokscape.landscape.errors import Unavailable
from grokscape.landscape.experiment import COLUMNS, Experiment, Weights
from grokscape.landscape.records.record import Record
from grokscape.predictions.checking.claim_functions import asked, measured
from grokscape.predictions.checking.pending import Pending
from grokscape.predictions.evidence import CLAIM, Evidence, Observation
from grokscape.predictions.judge import judge
from grokscape.predictions.prediction import Prediction
from grokscape.predictions.rules import Decision, operating
from grokscape.predictions.rules.operating import foreseen
from grokscape.predictions.terms import Tier
from grokscape.predictions.verdict import Status, Verdict

if TYPE_CHECKING:
    import pytest

#: ``behave(arm, seed, label, experiment) -> Record``: what a training leaves behind in a world that somebody made up.
Behave = Callable[[str, int, str, Any], Record]

#: How often a rule may pass what is not so, and how often it must pass what calibration found.
FALSE_PASSES, POWER = 0.05, 0.8


def check_claim(
    claim: Prediction, *, behave: Behave | None = None, otherwise: Behave | None = None, tier: str = "quick"
) -> None:
    """Hold a claim to the contract.

    Parameters
    ----------
    claim : Prediction
    behave, otherwise : callable, optional
        Worlds in which the claim holds, and in which it does not; its verdict there must be PASS and FAIL.
    tier : str
        At which they are judged.

    Raises
    ------
    AssertionError
        Says what is wrong.
    """
    for check in CHECKS:
        check(claim)
    for world, wanted in ((behave, Status.PASS), (otherwise, Status.FAIL)):
        if world is not None:
            found = verdict_on(claim, world, tier=tier)
            assert found.status is wanted, f"{claim.id}: expected {wanted}, found {found.status}: {found.reason}"


def parametrize_claims(
    claims: Iterable[Prediction], *, expected_failures: Mapping[str, Mapping[str, str]] | None = None
) -> pytest.MarkDecorator:
    """Return a decorator that runs a test, with arguments ``claim`` and ``check``, for every claim and every check.

    Parameters
    ----------
    claims : iterable of Prediction
    expected_failures : mapping, optional
        Claim id -> name of a check -> why it fails; one that passes all the same is then a failure.
    """
    import pytest

    def marks(claim: Prediction, check: Callable[[Prediction], None]) -> Sequence[pytest.MarkDecorator]:
        reason = (expected_failures or {}).get(claim.id, {}).get(check.__name__)
        return () if reason is None else (pytest.mark.xfail(reason=reason, strict=True),)

    cases = [
        pytest.param(claim, check, id=f"{claim.id}-{check.__name__}", marks=marks(claim, check))
        for claim in claims
        for check in CHECKS
    ]
    return pytest.mark.parametrize(("claim", "check"), cases)


# -- The contract ------------------------------------------------------------------------------------------------------


def check_error_rates(claim: Prediction) -> None:
    """At the seeds of each tier a rule passes falsely 1 time in 20 at most, and what calibration found 4 times in 5.

    Where many seeds like those of calibration would falsify a criterion there is no power to ask for.
    """
    for name, tier in claim.tiers.items():
        for criterion in claim.criteria:
            found, rule = criterion.calibrated, criterion.rule
            where = f"{claim.id}, {criterion.quantity!r} at {name}"
            assert found is not None, f"{where}: not calibrated; run grokscape calibrate {claim.id}"
            rates = operating(rule, seeds=len(tier.seeds), effect=found.effect, spread=found.spread, trials=2000)
            assert rates.false_pass <= FALSE_PASSES, f"{where}: false positives {rates.false_pass:.2%}; add seeds"
            if foreseen(rule, effect=found.effect, spread=found.spread) is not Decision.FALSIFIED:
                assert rates.power >= POWER, f"{where}: power {rates.power:.2%}; add seeds, or ask for less"


def check_controls_differ(claim: Prediction) -> None:
    """Every control sets something differently from the claim, at every tier."""
    for tier in claim.tiers:
        arms = {name: dict(at) for name, at in claim.arms(tier).items()}
        for control in claim.controls:
            assert arms[control.name] != arms[CLAIM], f"{claim.id}: the control {control.name!r} is the claim at {tier}"


def check_explained(claim: Prediction) -> None:
    """A reader learns where thresholds come from, why controls must fail, and on which seeds it was calibrated."""
    for criterion in claim.criteria:
        what = f"{claim.id}, {criterion.quantity!r}"
        assert len(criterion.threshold_from) > 10, f"{what}: threshold_from says too little"
        assert criterion.calibrated is None or criterion.calibrated.seeds, f"{what}: calibrated on which seeds?"
    for control in claim.controls:
        assert control.why, f"{claim.id}: why must the control {control.name!r} fail?"
    texts = [claim.claim, claim.where, claim.theory, claim.notes, claim.source.title, claim.source.authors]
    texts += [criterion.threshold_from for criterion in claim.criteria] + [control.why for control in claim.controls]
    unfilled = [text for text in texts if "TODO" in text]
    assert not unfilled, f"{claim.id} is not filled in yet: {unfilled[0]}"


def check_runs(claim: Prediction) -> None:
    """What is trained follows from seed and setting alone, differs between seeds, and survives a file."""
    for name, tier in claim.tiers.items():
        for arm, at in claim.arms(name).items():
            trained = set()
            for seed in tier.seeds[:2]:
                try:
                    first, again = (asked("runs", claim.runs, seed, at, arm=arm, seed=seed) for _ in range(2))
                except Unavailable:  # data that are not here
                    return
                where = f"{claim.id} at {name}, arm {arm!r}, seed {seed}"
                assert first, f"{where}: runs gives nothing to train"
                assert first == again, f"{where}: runs gives other runs when it is asked again"
                for label, run in first.items():
                    data = json.loads(json.dumps(run.to_data(), allow_nan=False))
                    assert from_data(data).identity == run.identity, f"{where}: the run {label!r} does not survive JSON"
                trained.add(frozenset(run.identity for run in first.values()))
            assert len(trained) == len(tier.seeds[:2]), f"{claim.id} at {name}, arm {arm!r}: seeds train the same"


def check_measurement(claim: Prediction) -> None:
    """What is decided and drawn is measured, as far as made-up records can tell (see `checking.trial`)."""
    first = {name: Tier(tier.seeds[:1], tier.setting) for name, tier in claim.tiers.items()}
    for tier in first:
        try:
            Pending.of(dataclasses.replace(claim, tiers=first), tier)
        except Unavailable:  # data that are not here
            return


#: What `parametrize_claims` runs, each with a claim.
CHECKS: tuple[Callable[[Prediction], None], ...] = (
    check_error_rates,
    check_controls_differ,
    check_explained,
    check_runs,
    check_measurement,
)


# -- Worlds that somebody made up --------------------------------------------------------------------------------------


def verdict_on(
    claim: Prediction, behave: Behave, *, tier: str = "quick", seeds: Sequence[int] | None = None
) -> Verdict:
    """Judge a claim on made-up records.

    Parameters
    ----------
    claim : Prediction
    behave : callable
        ``behave(arm, seed, label, experiment) -> Record``; `made_up_record` makes one. The arm is ``"claim"`` or the
        name of a control.
    tier : str
    seeds : sequence of int, optional
        Other than those of the tier.

    Returns
    -------
    Verdict
        Not corrected for other claims.
    """
    return judge(claim, tier, evidence_of(claim, behave, tier=tier, seeds=seeds))


def evidence_of(
    claim: Prediction, behave: Behave, *, tier: str = "quick", seeds: Sequence[int] | None = None
) -> Evidence:
    """Return what a claim measures on made-up records, those that it asks for by `refine` included."""
    observations: list[Observation] = []
    for arm, at in claim.arms(tier).items():
        for seed in claim.tiers[tier].seeds if seeds is None else seeds:
            runs = dict(claim.runs(seed, at))
            records = {label: behave(arm, seed, label, run) for label, run in runs.items()}
            for _ in range(claim.rounds):
                assert claim.refine is not None
                more = {label: run for label, run in claim.refine(seed, at, records).items() if label not in records}
                records |= {label: behave(arm, seed, label, run) for label, run in more.items()}
            observations += measured(claim.measure, records, at, arm=arm, seed=seed)
    return Evidence(observations)


def made_up_record(
    experiment: Experiment,
    quantities: Mapping[tuple[str, str], Any],
    *,
    steps: Sequence[int] | np.ndarray,
    weights: Weights | None = None,
) -> Record:
    """Return a record that nobody trained.

    Parameters
    ----------
    experiment : Experiment
    quantities : mapping
        (split, quantity) -> a number, or one for each step.
    steps : sequence of int
    weights : dict of str to array, optional
        At whatever step they are asked for.

    Examples
    --------
    >>> from grokscape.landscape import Run
    >>> run = Run(n_train=100, seed=0, steps=1000)
    >>> made_up_record(run, {("test", "accuracy"): [0.0, 1.0]}, steps=[0, 1000]).final("accuracy", "test")
    1.0
    """
    steps = np.asarray(steps)
    splits, names = (np.repeat([place[i] for place in quantities], len(steps)) for i in (0, 1))
    values = [np.broadcast_to(np.asarray(value, float), steps.shape) for value in quantities.values()]
    columns = (np.tile(steps, len(quantities)), splits, names, np.concatenate([np.empty(0), *values]))
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    return Record(experiment, table, {"last_step": int(steps[-1])}, lambda _: dict(weights or {}))
