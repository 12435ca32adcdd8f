"""What the page says about a source in words, against verdicts made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from grokscape.reports.claims_page.narrative import name, narrative
from grokscape.reports.claims_page.settings import each_in_words, in_words
from grokscape.reports.claims_page.summary import completed
from grokscape.reports.numbers import listed

Data = dict[str, Any]


def description(words: str) -> Data:
    return {"words": words, "data": {"kind": "something"}}


SETTING = {"task": description("x+y modulo 37"), "model": description("perceptron (width 128)")}


def criterion(outcome: str = "corroborated", **changes: Any) -> Data:
    return {
        "at": None, "subject": "accuracy", "requirement": {"verb": "exceed", "rest": "0.9"}, "n": 10,
        "outcome": outcome, "estimate": 0.5,
        "low": 0.4, "high": 0.6,
    } | changes  # fmt: skip


def verdict(id: str, status: str = "PASS", *criteria: Data, seeds: int = 10, **changes: Any) -> Data:
    outcome = {"FAIL": "falsified", "INCONCLUSIVE": "undecided"}.get(status, "corroborated")
    return completed(
        {
            "id": f"someone2024.{id}", "tier": "quick", "status": status, "reason": f"The reason of {id}.",
            "criteria": criteria or ([] if status == "NOT RUN" else [criterion(outcome)]), "seeds": list(range(seeds)),
            "about": {"setting": SETTING},
        } | changes
    )  # fmt: skip


def told(*verdicts: Data) -> str:
    return narrative(verdicts, "quick").paragraph


TRAINED = "What was trained: a perceptron (width 128) on x+y modulo 37, with 10 seeds"


@pytest.mark.parametrize(
    ("status", "one", "two", "three"),
    [
        ("PASS", "holds", "Both claims of this source hold", "All three claims of this source hold"),
        ("FAIL", "fails", "Both claims of this source fail", "All three claims of this source fail"),
        (
            "INCONCLUSIVE",
            "is undecided",
            "Both claims of this source are undecided",
            "All three claims of this source are undecided",
        ),
        (
            "INVALID",
            "could not be judged",
            "Neither of the two claims of this source could be judged",
            "None of the three claims of this source could be judged",
        ),
        (
            "NOT RUN",
            "was not run",
            "Neither of the two claims of this source was run",
            "None of the three claims of this source was run",
        ),
    ],
)
def test_claims_that_share_one_fate(status: str, one: str, two: str, three: str) -> None:
    start = "The one claim of this source that is checked here"
    assert told(verdict("a", status)).startswith(f"{start} {one} at the quick tier.")
    assert told(verdict("a", status), verdict("b", status)).startswith(f"{two} at the quick tier.")
    assert told(*(verdict(c, status) for c in "abc")).startswith(f"{three} at the quick tier.")


def test_claims_of_several_fates_are_counted_in_words_up_to_ten() -> None:
    few = [verdict("a"), verdict("b"), verdict("c", "FAIL"), verdict("d", "NOT RUN"), verdict("e", "NOT RUN")]
    assert told(*few).startswith(
        "Of the five claims of this source, two hold at the quick tier, one fails and two were not run."
    )
    many = [*(verdict(f"c{n}") for n in range(12)), verdict("d", "INVALID"), verdict("e", "ERROR")]
    assert told(*many).startswith(
        "Of the 14 claims of this source, 12 hold at the quick tier, 1 could not be judged and "
        "1 could not be checked for an error."
    )
    assert told(verdict("a"), verdict("b", "LATER")).startswith(
        "Of the two claims of this source, one holds at the quick tier and one came out as later."
    )


def test_says_what_was_trained_and_names_what_held() -> None:
    assert told(verdict("a_b"), verdict("c"), verdict("d")) == (
        f"All three claims of this source hold at the quick tier. {TRAINED} for each claim. What held: a b, c and d."
    )
    assert told(verdict("alone")) == (
        f"The one claim of this source that is checked here holds at the quick tier. {TRAINED}."
    )


def of_kind(kind: str, *verdicts: Data) -> list[Data]:
    return [verdict | {"about": {**verdict["about"], "kind": kind}} for verdict in verdicts]


def test_a_source_is_counted_by_what_it_states_and_the_others_apart() -> None:
    found = narrative(
        [
            *of_kind("extension", verdict("x"), verdict("y", "FAIL"), verdict("z", "NOT RUN", reason="No data.")),
            *of_kind("stated", verdict("a"), verdict("b"), verdict("c", "FAIL")),
            *of_kind("ours", verdict("o", "INVALID")),
            *of_kind("rival", verdict("r"), verdict("s")),
        ],
        "quick",
    )
    assert found.paragraph == (
        "Of the three claims that the paper states, two hold at the quick tier and one fails. "
        f"{TRAINED} for each claim. What held: a and b."
    )
    assert found.exceptions == ("C fails: accuracy is 0.5 [0.4, 0.6] and must exceed 0.9.",)
    assert [(part.kind.name, part.paragraph, len(part.exceptions)) for part in found.apart] == [
        ("extension", "Of the three extensions, one holds, one fails and one was not run. What held: x. "
         "Not run: z (No data).", 1),
        ("rival", "Both rival readings hold. What held: r and s.", 0),
        ("ours", "The one claim of our own could not be judged.", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kinds", "start"),
    [
        (["stated"], "The one claim checked here that the paper states holds at the quick tier. "),
        (["stated", "stated"], "Both claims that the paper states hold at the quick tier. "),
        (["rival"], "This source does not state the claim checked here. "),
        (["rival", "ours"], "This source does not state either of the two claims checked here. "),
        (["ours", "ours"], "This source does not state either of the two claims checked here. "),
        (["", ""], "Both claims of this source hold at the quick tier. "),
        (["", "stated"], "The one claim checked here that the paper states holds at the quick tier. "),
    ],
)
def test_how_a_source_begins(kinds: list[str], start: str) -> None:
    verdicts = [one for n, kind in enumerate(kinds) for one in of_kind(kind, verdict(f"c{n}"))]
    assert narrative(verdicts, "quick").paragraph.startswith(start)


def test_this_project_is_not_told_to_state_none_of_its_claims() -> None:
    project = {"setting": SETTING, "kind": "ours", "source": {"key": "grokscape2026"}}
    found = narrative([verdict("a", about=project), verdict("b", about=project)], "quick")
    assert found.paragraph == f"{TRAINED} for each claim."
    assert [part.paragraph for part in found.apart] == [
        "Both claims of our own hold at the quick tier. What held: a and b."
    ]


def test_several_tasks_networks_and_numbers_of_seeds() -> None:
    tasks = [description("the parity of 2 of 9 bits"), description("xy in S4")]
    other = {"tasks": tasks, "model": description("encoder stack (depth 2)")}
    paragraph = told(verdict("a"), verdict("b", seeds=20), verdict("c", about={"setting": other}))
    assert (
        "What was trained: a perceptron (width 128) on x+y modulo 37; an encoder stack (depth 2) on the parity of 2 of "
        "9 bits and xy in S4, with 10 to 20 seeds for each claim."
    ) in paragraph
    bare = verdict("a", about={"setting": {}})
    assert "It rests on 10 seeds." in told(bare)
    assert "Each verdict rests on 10 seeds." in told(bare, bare)


def test_what_was_not_run_is_named_once_for_each_reason() -> None:
    missing: Data = {"reason": "It needs a package."}
    paragraph = told(
        verdict("a", "NOT RUN", **missing), verdict("b", "NOT RUN", **missing), verdict("c", "NOT RUN", reason="")
    )
    assert paragraph.endswith("Not run: a and b (It needs a package). Not run: c.")
    assert narrative([verdict("a", "NOT RUN")], "quick").exceptions == ()


def test_what_did_not_hold_is_told_by_its_numbers() -> None:
    two = (criterion("falsified", at=0.25), criterion(), criterion("falsified", subject="ratio", low=None, high=None))
    exceptions = narrative(
        [
            verdict("held"),
            verdict("fails_twice", "FAIL", *two),
            verdict("open", "INCONCLUSIVE", criterion(), criterion("undecided")),
            verdict("void", "INVALID"),
            verdict("broken", "ERROR", reason=""),
            verdict("corrected", "INCONCLUSIVE", criterion(), p_holm=0.21, family=22),
            verdict(
                "loose", "INCONCLUSIVE", criterion(), p_holm=0.01, controls=[{"name": "c", "outcome": "undecided"}]
            ),
        ],
        "quick",
    ).exceptions
    assert exceptions == (
        "Fails twice fails: accuracy at 0.25 is 0.5 [0.4, 0.6] and must exceed 0.9 and "
        "ratio is 0.5 (too few seeds for an interval) and must exceed 0.9.",
        "Open is undecided: accuracy is 0.5 [0.4, 0.6] and must exceed 0.9.",
        "Void could not be judged: The reason of void.",
        "Broken could not be checked for an error.",
        "Corrected is undecided: its criteria are met, but corrected for 22 claims of its family p is 0.21.",
        "Loose is undecided: The control “c” did not clearly fail.",
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (description("x*y modulo 59"), "x*y modulo 59"),
        ([0.2, 0.335], "0.2, 0.335"),
        ([[2.0, 0.2], [2.0, 0.4]], "(2, 0.2), (2, 0.4)"),
        ({"weight_decay": 0.0, "eps": -1e-4}, "weight decay 0, eps −0.0001"),
        (True, "yes"), (None, "none"), ([], "none"), ({}, "none"), (12500, "12,500"), ("true", "true"),
    ],
)  # fmt: skip
def test_values_of_a_setting_in_words(value: object, words: str) -> None:
    assert in_words(value) == words


def test_several_values_are_told_one_by_one() -> None:
    assert each_in_words([description("a"), description("b")]) == ["a", "b"]
    assert each_in_words(description("a")) == ["a"]
    assert each_in_words([]) == ["none"]


def test_names_and_lists() -> None:
    assert name("someone2024.one_more_thing") == "one more thing"
    assert name("someone2024.mnist_has_semi_grokking") == "MNIST has semi-grokking"
    assert name("someone2024.mnistlike") == "mnistlike"
    assert name("someone2024.bayesian_gap") == "Bayesian gap"
    assert [listed(["a", "b", "c"][:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
