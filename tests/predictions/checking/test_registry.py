"""Finding claims, and refusing those that cannot be checked honestly."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.checking import registry
from grokscape.predictions.checking.registry import load
from grokscape.predictions.checking.retired import RETIRED, Retirement
from grokscape.predictions.terms import Gate, Setting, Tier
from tests.predictions.made_up.claims import claim

OWN = """
from tests.predictions.made_up.claims import claim
mine = claim("{name}")
"""


def test_builtin_claims_are_found():
    found = load().claims
    assert {"power2022.delayed_generalisation", "varma2023.ungrokking"} <= set(found)
    assert all(id == claim.id for id, claim in found.items())


def test_a_file_of_ones_own(tmp_path):
    file = tmp_path / "my_claims.py"
    file.write_text(OWN.format(name="mine"))
    found = load([str(file)])
    assert found.claims["test2026.mine"].theory == "testing"
    assert found.modules == (str(file),)


def test_a_plugin(monkeypatch, tmp_path):
    (tmp_path / "grokscape_plugin_for_tests.py").write_text(OWN.format(name="plugged"))
    monkeypatch.syspath_prepend(tmp_path)
    point = importlib.metadata.EntryPoint("tests", "grokscape_plugin_for_tests", registry.GROUP)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point] if group == registry.GROUP else [])
    found = load()
    assert "test2026.plugged" in found.claims
    assert found.modules == ("grokscape_plugin_for_tests",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("raise RuntimeError('boom')", "does not import .*boom"),
        ("import no_such_module_anywhere", "no_such_module_anywhere"),
        ("x = 1", "holds no claims"),
        (OWN.format(name="a") + "from dataclasses import replace\n"
         "from grokscape.predictions.checking.registry import load\nx = replace(mine, id='varma2023.ungrokking',"
         " source=load().claims['varma2023.ungrokking'].source)", r"varma2023\.ungrokking.*taken"),
        ("from tests.predictions.made_up.claims import claim\nx = claim(controls=())", "no controls; add a Control"),
    ],
)  # fmt: skip
def test_modules_that_are_refused(tmp_path, content, message):
    file = tmp_path / "bad_claims.py"
    file.write_text(content)
    with pytest.raises(InvalidInput, match=message):
        load([str(file)])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidInput, match=r"absent\.py"):
        load([str(tmp_path / "absent.py")])


def test_select_by_glob_and_refuse_what_matches_nothing():
    found = load()
    assert {c.id for c in found.select(["varma2023.toy*"])} == {id for id in found.claims if ".toy" in id}
    assert [c.id for c in found.select(["varma2023.ungrokking", "varma*.ungrokking"])] == ["varma2023.ungrokking"]
    with pytest.raises(InvalidInput) as refusal:
        found.select(["varma2024.ungroking"])
    told = str(refusal.value)
    assert told.startswith(
        f"no claim matches 'varma2024.ungroking'; of {len(found.claims)} nearest are varma2023.ungro"
    )
    assert told.endswith("; grokscape list shows all")
    assert len(told) < 250
    with pytest.raises(InvalidInput, match="none is like it; grokscape list"):
        found.select(["\u2603"])


def test_retired_ids_are_never_used_again_and_say_what_became_of_them(monkeypatch, tmp_path):
    gone = Retirement(since="0.2", why="its control could pass", successor="test2026.better")
    monkeypatch.setitem(RETIRED, "test2026.gone", gone)
    monkeypatch.setitem(RETIRED, "test2026.lost", Retirement(since="0.2", why="its data are gone"))
    file = tmp_path / "my_claims.py"
    file.write_text(OWN.format(name="gone"))
    with pytest.raises(InvalidInput, match=r"uses the id 'test2026.gone', but .* retired in version 0.2: its control"):
        load([str(file)])
    with pytest.raises(InvalidInput, match=r"^the claim 'test2026.gone' was retired .* check test2026.better in its"):
        load().select(["test2026.gone"])
    with pytest.raises(InvalidInput, match="nothing took its place"):
        load().select(["test2026.l*"])


def test_no_retired_id_is_in_use_and_each_successor_is():
    known = load().claims
    assert not RETIRED.keys() & known.keys()
    assert {gone.successor for gone in RETIRED.values() if gone.successor} <= known.keys()


@pytest.mark.parametrize(
    ("line", "old"),
    [
        ("from landscape import Run", "landscape"),
        ("from predictions import Prediction", "predictions"),
        ("from predictions.rules import Exceeds", "predictions"),
        ("import reports.cli", "reports"),
    ],
)
@pytest.mark.parametrize("own_folder", [False, True])
def test_a_file_written_against_the_old_names_is_told_the_new_ones(tmp_path, line, old, own_folder):
    """In a process of its own: tests may import what they find in the repository."""
    (tmp_path / "my_claims.py").write_text(line)
    if own_folder:  # everybody's names: the user's own packages may have them
        (tmp_path / old).mkdir()
        (tmp_path / old / "__init__.py").write_text("")
    program = "from grokscape.predictions.checking.registry import imported; imported('my_claims.py')"
    source = Path(registry.__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stderr.strip().splitlines()[-1]
    assert "module 'my_claims.py' does not import (" in told
    assert f"write from grokscape.{old} import ..." in told


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "other2026.large"}, "must be test2026"),
        ({"id": "test2026.Large"}, "lower case"),
        ({"criteria": ()}, "no criteria"),
        ({"tiers": {}}, "no tiers"),
        ({"tiers": {"huge": Tier((9,), {})}}, "'huge'"),
        ({"calibration_seeds": (10,)}, "calibration seed 10"),
    ],
)
def test_claims_that_are_refused(changes, message):
    with pytest.raises(InvalidInput, match=message):
        claim(**changes)


def test_controls_need_names_of_their_own():
    control = claim().controls[0]
    with pytest.raises(InvalidInput, match="names that differ"):
        claim(controls=(control, control))
    with pytest.raises(InvalidInput, match="names that differ"):
        claim(controls=(dataclasses.replace(control, name="claim"),))


@pytest.mark.parametrize("limits", [{}, {"above": 1.0, "below": 2.0}])
def test_a_gate_has_one_limit(limits):
    with pytest.raises(InvalidInput, match="neither or both"):
        Gate(quantity="x", **limits)


def test_a_setting_says_what_it_lacks():
    setting = Setting({"p": 37})
    assert setting.p == setting["p"] == 37
    with pytest.raises(AttributeError, match="no 'q', only p"):
        _ = setting.q


def test_an_arm_changes_only_what_it_says():
    arms = claim().arms("quick")
    assert dict(arms["claim"]) == {"value": 2.0, "fails": False}
    assert dict(arms["small"]) == {"value": 0.0, "fails": False}
