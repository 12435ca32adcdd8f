"""The README's examples run, and the claim it teaches to write comes to a verdict."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(), flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example_runs(tmp_path, number):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLES[number]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_claim_to_start_from_comes_to_a_verdict(tmp_path):
    (claim,) = [example for example in EXAMPLES if "Prediction(" in example]
    (tmp_path / "my_claims.py").write_text(claim)
    command = [
        sys.executable,
        "-m",
        "grokscape.reports.cli",
        "check",
        "me2026.*",
        "--module",
        "my_claims.py",
        "--json",
        "out.json",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (verdict,) = json.loads((tmp_path / "out.json").read_text())["verdicts"]
    assert verdict["status"] == "PASS"
    assert len([line for line in claim.splitlines() if line]) <= 30


def test_the_readme_has_the_two_commands_and_every_verdict():
    text = README.read_text()
    assert "grokscape check\n```" in text
    assert "<!-- tests -->" in text
    from grokscape.predictions.verdict import Status

    for status in Status:
        assert f"| {status.value} |" in text
