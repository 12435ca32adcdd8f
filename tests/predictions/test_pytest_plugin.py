"""The pytest plugin: what each verdict becomes, selection, expectations, and JUnit's XML."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.checking.known_outcomes import KnownOutcome, apply, surprises
from grokscape.predictions.verdict import Status, Verdict
from tests.paths import PYTHONPATH

MODULE = """
from grokscape.predictions import Tier
from tests.predictions.made_up.claims import claim
holds = claim("holds")
fails = claim("fails", value=-2.0)
controlled = claim("controlled", control=3.0)
broken = claim("broken", measure=lambda records, at: 1 / 0)
few = claim("few", tiers={"quick": Tier((10, 11), {"value": 2.0, "fails": False})})
needy = claim("needy", needs={"no_such_package_anywhere": "install it"})
"""


@pytest.fixture
def run(pytester, monkeypatch, request):
    monkeypatch.setenv("PYTHONPATH", PYTHONPATH)
    pytester.makepyfile(my_claims=MODULE, test_other="def test_other(): pass")

    def run(*arguments):
        return pytester.runpytest_subprocess(
            "--grokscape", "quick", "--grokscape-module", "my_claims.py", "--grokscape-workers", "1", *arguments
        )

    return run


def test_each_verdict_becomes_what_pytest_calls_it(run, pytester):
    result = run("-k", "test2026", "-rs", "--junitxml=out.xml")
    result.assert_outcomes(passed=1, failed=1, errors=2, skipped=2)
    result.stdout.fnmatch_lines(
        ["*ERROR at setup of test2026.broken*", "*INCONCLUSIVE: Size is*", "*NOT RUN: It needs*"], consecutive=False
    )
    cases = {case.get("name"): case for case in ET.parse(pytester.path / "out.xml").iter("testcase")}
    assert set(cases) == {f"test2026.{n}" for n in ("holds", "fails", "controlled", "broken", "few", "needy")}
    properties = {p.get("name"): p.get("value") for p in cases["test2026.fails"].iter("property")}
    assert properties["verdict"] == "FAIL"
    assert properties["size"].endswith("must exceed 1")
    assert "must exceed 1" in cases["test2026.fails"].find("failure").text
    assert cases["test2026.controlled"].find("error") is not None


def test_only_claims_are_collected_unless_paths_are_given(run):
    assert "test_other" not in run("--collect-only", "-q").stdout.str()
    both = run("--collect-only", "-q", "test_other.py").stdout.str()
    assert "test_other" in both
    assert "varma2023.ungrokking" in both


def test_an_expected_verdict_is_an_xfail_and_another_fails(run):
    result = run("-k", "fails or controlled", "--grokscape-expect", "test2026.fails=FAIL:known at this scale",
                 "--grokscape-expect", "test2026.controlled=FAIL:wrongly expected")  # fmt: skip
    result.assert_outcomes(xfailed=1, failed=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--grokscape-expect", "nonsense"], "is not ID=VERDICT:reason"),
        (["--grokscape-expect", "test2026.unknown=FAIL:why"], "no claim matches"),
        (["--grokscape-module", "absent.py"], "does not import"),
    ],
)
def test_misuse(run, arguments, message):
    result = run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()


def test_an_unknown_tier(pytester):
    result = pytester.runpytest_subprocess("--grokscape", "huge")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "expected one of quick, standard, paper" in result.stderr.str()


def test_without_the_option_the_plugin_does_nothing(pytester):
    pytester.makepyfile("def test_it():\n    import sys\n    assert 'torch' not in sys.modules")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


#: Loads the plug-in and runs its hooks' imports as a foreign test run does, after pytest itself and what it loads.
FOREIGN = """
import sys
import pytest
before = set(sys.modules)
import grokscape.predictions.pytest_plugin
print(*sorted(name for name in set(sys.modules) - before))
"""


def test_a_foreign_test_run_imports_nothing_but_the_plugin(request):
    """Beside the two packages that it lies in, and what finds their public names when somebody asks for one."""
    done = subprocess.run([sys.executable, "-c", FOREIGN], capture_output=True, text=True, check=True)
    packages = {"grokscape", "grokscape.predictions", "grokscape.predictions.pytest_plugin", "lazy_loader"}
    ours = {name for name in done.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names}
    assert ours == packages


def test_expectations_are_read():
    assert KnownOutcome.parse("a.b=not run: because: so") == KnownOutcome("a.b", Status.NOT_RUN, "because: so")
    for bad in ("a.b", "a.b=FAIL", "a.b=FAIL:", "a.b=MAYBE:why"):
        with pytest.raises(InvalidInput, match="ID=VERDICT:reason"):
            KnownOutcome.parse(bad)


def test_surprises():
    def verdict(id, status):
        return Verdict(id=id, tier="quick", status=status, reason="Because.")

    expected = [KnownOutcome("a.x", Status.FAIL, "known"), KnownOutcome("a.y", Status.FAIL, "known")]
    found = [verdict("a.x", Status.FAIL), verdict("a.y", Status.PASS), verdict("a.z", Status.INVALID)]
    told = surprises(expected, found)
    assert [sentence.split(":")[0] for sentence in told] == ["a.y", "a.z"]
    assert [v.accepted for v in apply(expected, found)] == ["known", "", ""]
    assert surprises([], [verdict("a.q", status) for status in (Status.INCONCLUSIVE, Status.NOT_RUN)]) == []
    with pytest.raises(InvalidInput, match="not among the claims"):
        apply([KnownOutcome("b.x", Status.PASS, "why")], found)


ACTING = """
from tests.predictions.made_up.claims import claim
text = "\\x1b[2J\\ud800 \\u202e \\x00"
def breaks(records, at):
    raise ValueError(text)
broken = claim("broken", claim=text, measure=breaks)
"""


def test_texts_that_would_act_are_shown_and_are_valid_xml(pytester, monkeypatch, request):
    monkeypatch.setenv("PYTHONPATH", PYTHONPATH)
    pytester.makepyfile(my_claims=ACTING)
    options = ("--grokscape", "quick", "--grokscape-module", "my_claims.py", "--grokscape-workers", "1")
    result = pytester.runpytest_subprocess(*options, "-k", "test2026", "--junitxml=out.xml", "--color=no")
    result.assert_outcomes(errors=1)
    told = result.stdout.str()
    assert r"\x1b[2J\ud800 \u202e \x00" in told
    assert not {"\x1b", "\u202e", "\x00"} & set(told)
    [case] = ET.parse(pytester.path / "out.xml").iter("testcase")
    reason = {p.get("name"): p.get("value") for p in case.iter("property")}["reason"]
    assert reason == r"Measuring: ValueError: \x1b[2J\ud800 \u202e \x00 (my_claims.py:4, seed 10, arm 'claim')"


@pytest.mark.parametrize("workers", ["0", "99999999999999999999"])
def test_a_number_of_workers_that_no_machine_has_is_misuse(run, workers):
    result = run("--grokscape-workers", workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--grokscape-workers is {workers}, expected at *"])
