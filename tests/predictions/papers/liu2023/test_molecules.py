"""Claims on molecules: what is measured of losses, and that claims pass under their effect and nowhere else."""

import math

import numpy as np
import pandas as pd
import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.models import EdgeNetwork
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.records.record import Record
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.session import StoreSession
from grokscape.landscape.sharing import forget_data
from grokscape.landscape.tasks import Molecules
from grokscape.landscape.tasks import collected_task as module
from grokscape.landscape.tasks.local_data import fingerprint
from grokscape.landscape.training.run import Run
from grokscape.predictions.evidence import Evidence, Observation
from grokscape.predictions.judge import judge
from grokscape.predictions.papers.liu2023.molecules import (
    DELAY,
    GAP,
    LEFT,
    molecules_grok,
    molecules_grok_without_decay,
)
from grokscape.predictions.verdict import Status
from tests.predictions.papers.liu2023.real_data import is_not_run_where_its_data_are_absent

STEPS = np.array([0, *np.unique(np.geomspace(1, 8000, 150).round().astype(int))])


def losses(run, *, fit, late, early=100.0, end=0.5):
    """Training loss falls to 5 at one step; the test loss is `early` until another, then `end`."""
    noise = np.exp(np.random.default_rng(run.seed).normal(0, 0.05))
    series = {
        ("train", "loss"): np.where(fit <= STEPS, 5.0, 300.0),
        ("test", "loss"): noise * np.where(late <= STEPS, end, early),
        ("", "weight_norm"): np.linspace(60, 30, len(STEPS)),
    }
    rows = [
        (int(s), split, q, float(v))
        for (split, q), values in series.items()
        for s, v in zip(STEPS, values, strict=True)
    ]
    return Record(run, pd.DataFrame(rows, columns=["step", "split", "quantity", "value"]), {}, lambda step: {})


def as_claimed(run):
    if run.labels == "random":
        return losses(run, fit=900, late=99_999, early=200)
    if run.initial_scale == 1:
        return losses(run, fit=50, late=50)
    return losses(run, fit=900, late=3000 if run.optimiser.weight_decay else 99_999)


def verdict(claim, behave):
    observations = [
        Observation(m.quantity, m.value, m.at, m.censored, arm=arm, seed=seed)
        for arm, at in claim.arms("standard").items()
        for seed in claim.tiers["standard"].seeds
        for m in claim.measure({"run": behave(claim.runs(seed, at)["run"])}, at)
    ]
    return judge(claim, "standard", Evidence(tuple(observations)))


def test_losses_when_fitted_and_in_the_end():
    at = molecules_grok.arms("standard")["claim"]
    run = molecules_grok.runs(0, at)["run"]
    found = {m.quantity: m for m in molecules_grok.measure({"run": losses(run, fit=STEPS[80], late=STEPS[110])}, at)}
    noise = np.exp(np.random.default_rng(0).normal(0, 0.05))
    assert found[GAP].value == pytest.approx(math.log(100 * noise / 5))
    assert found[LEFT].value == pytest.approx(math.log(0.5 * noise / 103))
    assert found[DELAY].value == pytest.approx(math.log(STEPS[110] / STEPS[80]))
    assert found["lowest test loss"].value == found["lowest test loss so far"].value == pytest.approx(0.5 * noise)


def test_verdicts():
    assert verdict(molecules_grok, as_claimed).status is Status.PASS
    assert verdict(molecules_grok_without_decay, as_claimed).status is Status.FAIL
    without = verdict(
        molecules_grok_without_decay, lambda run: as_claimed(run.replace(optimiser=AdamW(weight_decay=0.1)))
    )
    assert without.status is Status.PASS
    at_once = verdict(molecules_grok, lambda run: losses(run, fit=900, late=900, end=5.0))
    assert at_once.status is Status.FAIL
    everywhere = verdict(molecules_grok, lambda run: losses(run, fit=900, late=3000))
    assert everywhere.status is Status.INVALID
    unfit = verdict(molecules_grok, lambda run: losses(run, fit=99_999, late=99_999))
    assert unfit.status is Status.INVALID


def test_a_small_network_learns_molecules(tmp_path, monkeypatch):
    """Polarizability grows with the number of atoms, which a handful of alkanes and alcohols show."""
    texts = ["C" * n + end for n in range(1, 5) for end in ("", "O", "N")]
    values = [10.0 * len(text) for text in texts]
    file = tmp_path / "qm9.csv"
    file.write_text("SMILES,Polarizability_bohr3\n" + "".join(f"{t},{v}\n" for t, v in zip(texts, values, strict=True)))
    monkeypatch.setattr(Molecules, "files", staticmethod(lambda: (file,)))
    monkeypatch.setattr(Molecules, "available", 12)
    task = Molecules(examples=12, sha256=fingerprint(Molecules.load(file)))
    run = Run(
        task=task,
        model=EdgeNetwork(widths=(8, 8)),
        optimiser=AdamW(lr=1e-2, weight_decay=0.0),
        n_train=9,
        seed=0,
        steps=150,
        loss="mse",
    )
    [(_, outcome)] = Run.train([run], StoreSession(Store(tmp_path / "store"), device="cpu"))
    table = outcome.trajectory
    loss = table[(table["quantity"] == "loss") & (table["split"] == "train")]["value"]
    assert loss.iloc[-1] < 0.05 * loss.iloc[0]
    with pytest.raises(InvalidInput, match="loss"):
        run.replace(loss="cross_entropy")
    forget_data()
    module._collection.cache_clear()


def test_without_molecules_the_claim_says_how_to_get_them(tmp_path):
    is_not_run_where_its_data_are_absent("liu2023.molecules_grok", "Molecules", "standard", tmp_path)
