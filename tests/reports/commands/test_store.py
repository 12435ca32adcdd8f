"""``grokscape store``: what is listed, what is set aside, and what pruning keeps."""

from __future__ import annotations

from pathlib import Path

from grokscape.landscape.records.store import Store
from grokscape.reports.cli import main
from tests.reports.commands.claim_files import HALVING, check


def test_store_commands(here, capsys):
    check("test2026.holds")
    capsys.readouterr()
    assert main(["store", "ls"]) == 0
    told = capsys.readouterr().out
    assert "16 runs" in told
    assert "Constant(" in told
    assert main(["store", "verify"]) == 0
    victim = next(iter(Store("grokscape-store").folders()))
    (victim / "run.json").write_text("{}")
    capsys.readouterr()
    assert main(["store", "verify"]) == 1
    assert victim.name in capsys.readouterr().out
    assert main(["store", "prune", "--dry-run", "--module", "my_claims.py"]) == 0
    assert "would remove" in capsys.readouterr().out
    assert len(list(Path("grokscape-store/runs").iterdir())) == 15
    assert main(["store", "prune", "--module", "my_claims.py"]) == 0
    assert len(list(Path("grokscape-store/runs").iterdir())) == 15  # all are of a known claim
    assert main(["store", "prune"]) == 0
    assert not list(Path("grokscape-store/runs").iterdir())


def test_prune_keeps_what_refinement_reached(here, capsys):
    Path("my_claims.py").write_text(HALVING)
    check("test2026.halving")
    runs = Path("grokscape-store/runs")
    assert len(list(runs.iterdir())) == 32
    assert main(["store", "prune", "--module", "my_claims.py"]) == 0
    assert len(list(runs.iterdir())) == 32
    Path("other.py").write_text(HALVING.replace("halving()", "halving(refine=None, rounds=0)"))
    assert main(["store", "prune", "--module", "other.py"]) == 0
    assert len(list(runs.iterdir())) == 16


def test_prune_removes_nothing_if_a_refinement_breaks(here, capsys):
    Path("my_claims.py").write_text(HALVING)
    check("test2026.halving")
    Path("other.py").write_text(HALVING.replace("halving()", "halving(refine=lambda seed, at, records: 1 / 0)"))
    assert main(["store", "prune", "--module", "other.py"]) == 2
    assert "fix its runs or its refinement" in capsys.readouterr().err
    assert len(list(Path("grokscape-store/runs").iterdir())) == 32
