"""Catches verdicts that reproduce and are said not to, and the other way round; and files that cannot be compared."""

from __future__ import annotations

import dataclasses
import json

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions.checking.against import Comparison, Outcome, compare, counted, read_against
from grokscape.predictions.checking.published import publish
from grokscape.predictions.verdict import Status, Verdict
from tests.predictions.made_up.claims import claim
from tests.predictions.made_up.verdicts import corrected, verdict_on

VALUES = (2.0, 2.1, 2.2, 1.9, 1.8, 2.3, 2.4, 2.05)
ONE = claim("one")


def data(verdict):
    return json.loads(json.dumps(verdict.to_data()))


def held(now, before):
    [found] = compare([now], {} if before is None else {before["id"]: before})
    return found


@pytest.fixture
def verdict():
    return corrected([verdict_on(ONE, VALUES)])[0]


def test_the_same_numbers_are_the_same_digits(verdict):
    later = dataclasses.replace(verdict, provenance={"date": "2027-01-01"}, cost={"seconds": 9.0}, accepted="known")
    assert held(later, data(verdict)) == Comparison("test2026.one", Outcome.SAME_DIGITS)


def test_another_digit_shows_with_its_name(verdict):
    [other] = corrected([verdict_on(ONE, (*VALUES[:-1], 2.06))])
    found = held(other, data(verdict))
    assert found.outcome is Outcome.SAME_VERDICT
    assert found.detail == "size: estimate was 2.075, is 2.08"


def test_other_digits_of_a_curve_or_a_control_show(verdict):
    before = data(verdict)
    before["evidence"][-1]["value"] += 1e-15
    found = held(verdict, before)
    assert (found.outcome, "other evidence" in found.detail) == (Outcome.SAME_VERDICT, True)
    before = data(verdict)
    before["controls"][0]["criteria"][0]["p"] /= 2
    assert held(verdict, before).detail == "numbers of its controls differ"


def test_another_verdict_is_different(verdict):
    [falsified] = corrected([verdict_on(ONE, [-value for value in VALUES])])
    found = held(falsified, data(verdict))
    assert (found.outcome, found.detail) == (Outcome.DIFFERENT, "PASS before, FAIL now")
    broken = Verdict("test2026.one", "quick", Status.ERROR, "why")
    assert held(broken, data(verdict)).detail == "PASS before, ERROR now"


def test_what_one_side_did_not_judge_is_not_there(verdict):
    idle = Verdict("test2026.one", "quick", Status.NOT_RUN, "It needs data.")
    assert held(verdict, None).outcome is Outcome.NOT_THERE
    assert held(verdict, data(idle)).detail == "NOT RUN before"
    assert held(idle, data(verdict)).detail == "PASS before, NOT RUN now"


def test_a_claim_that_is_checked_alone_does_not_turn():
    """Alone its p-value is multiplied by the size of its family; before, others of it had smaller ones."""
    claims = [claim(f"c{n}") for n in range(8)]
    every = corrected([verdict_on(one, VALUES, family=8) for one in claims])
    few = corrected([verdict_on(claims[0], VALUES[:7], family=8)])
    assert (every[0].status, few[0].status) == (Status.INCONCLUSIVE, Status.INCONCLUSIVE)
    found = [*corrected([dataclasses.replace(verdict, p=1e-4 * n, family=8) for n, verdict in enumerate(every)])]
    found = corrected([dataclasses.replace(verdict, status=Status.PASS) for verdict in found])
    last = dataclasses.replace(found[-1], p=0.03)
    whole = corrected([*(dataclasses.replace(v, status=Status.PASS) for v in found[:-1]),
                       dataclasses.replace(last, status=Status.PASS)])  # fmt: skip
    [alone] = corrected([dataclasses.replace(last, status=Status.PASS)])
    assert (whole[-1].status, alone.status) == (Status.PASS, Status.INCONCLUSIVE)
    [one] = compare([alone], {verdict.id: data(verdict) for verdict in whole})
    assert one.outcome is Outcome.SAME_DIGITS


def test_counts():
    found = [Comparison("a1.x", Outcome.SAME_DIGITS), Comparison("a1.y", Outcome.NOT_THERE)] * 2
    assert counted(found) == "2 same digits, 2 not there"


@pytest.fixture
def folder(tmp_path, verdict):
    publish([ONE], [verdict], tmp_path)
    (tmp_path / "all.json").write_text(json.dumps({"verdicts": [data(verdict)], "against": {}}))
    (tmp_path / "one.json").write_text(json.dumps(data(verdict)))
    return tmp_path


@pytest.mark.parametrize("name", [".", "test2026/verdicts.json", "all.json", "one.json"])
def test_every_form_that_is_written_is_read(folder, verdict, name):
    found = read_against(folder / name, "quick", ["test2026.one"], ["test2026.one"])
    assert compare([verdict], found) == [Comparison("test2026.one", Outcome.SAME_DIGITS)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"schema": "grokscape-published/9"}',
            "its schema is 'grokscape-published/9', expected 'grok",
        ),
        ("[]", "is no file that grokscape check --json or --publish wrote"),
        ("{}", "is no file that grokscape check --json or --publish wrote"),
        ("nothing", "holds no verdicts that can be compared with"),
        ('{"verdicts": [3]}', "one of its verdicts is none"),
        ('{"verdicts": [{"id": "a1.b", "tier": "quick", "status": "PASS"}]}', "it lacks something"),
        ('{"verdicts": []}', "holds no verdicts, expected some of quick"),
    ],
)
def test_a_file_that_cannot_be_compared_says_so(tmp_path, text, message):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"x\.json") as caught:
        read_against(tmp_path / "x.json", "quick", ["test2026.one"], ["test2026.one"])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tier", "known", "chosen", "message"),
    [
        (
            "standard",
            ["test2026.one"],
            ["test2026.one"],
            "the tier quick only, expected some of standard",
        ),
        ("quick", ["other2026.x"], ["other2026.x"], "holds a verdict on 'test2026.one', but no claim is called so"),
        ("quick", ["test2026.one", "test2026.x"], ["test2026.x"], "on any of the claims that are checked"),
    ],
)
def test_another_tier_unknown_claims_and_none_that_is_checked_are_told(folder, tier, known, chosen, message):
    with pytest.raises(InvalidInput, match=message):
        read_against(folder / "test2026/verdicts.json", tier, known, chosen)


def test_a_retired_claim_is_told_as_such(tmp_path, verdict):
    old = {**data(verdict), "id": "liu2022.molecules_grok"}
    (tmp_path / "x.json").write_text(json.dumps({"verdicts": [old]}))
    with pytest.raises(InvalidInput, match="was retired in version"):
        read_against(tmp_path / "x.json", "quick", ["test2026.one"], ["test2026.one"])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidInput, match=r"there is no file .*absent\.json to hold"):
        read_against(tmp_path / "absent.json", "quick", [], [])
