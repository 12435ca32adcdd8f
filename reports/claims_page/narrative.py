"""A paragraph about one source, made from its verdicts: what held, what did not, and at which scale."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grokscape.predictions.wording import measured, must, subject
from grokscape.reports import numbers as wording
from grokscape.reports.claims_page.settings import each_in_words, in_words
from grokscape.reports.claims_page.summary import MEANINGS, by_kind
from grokscape.reports.kinds import STATED, Kind
from grokscape.reports.numbers import listed

Verdicts = Sequence[Mapping[str, Any]]

#: Status -> what became of one claim, of several, and of none of them.
_BECAME = {
    "PASS": ("holds", "hold", "holds"),
    "FAIL": ("fails", "fail", "fails"),
    "INCONCLUSIVE": ("is undecided", "are undecided", "is undecided"),
    "INVALID": ("could not be judged", "could not be judged", "could be judged"),
    "NOT RUN": ("was not run", "were not run", "was run"),
    "ERROR": ("could not be checked for an error", "could not be checked for errors", "could be checked, for errors"),
}
_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
#: What one claim that is counted first is called, and several of them.
_STATED = ("claim checked here that the paper states", "claims that the paper states")
_UNRECORDED = ("claim of this source that is checked here", "claims of this source")
#: Words of ids that are written otherwise.
_SPELLINGS = {
    "mnist": "MNIST", "layernorm": "LayerNorm", "bayesian": "Bayesian", "laplace": "Laplace",
    "semi grokking": "semi-grokking",
}  # fmt: skip


@dataclass(frozen=True)
class Apart:
    """What became of claims that are filed under a source and that it does not state, in words.

    Attributes
    ----------
    kind : Kind
    paragraph : str
    exceptions : tuple of str
    """

    kind: Kind
    paragraph: str
    exceptions: tuple[str, ...]


@dataclass(frozen=True)
class Narrative:
    """What became of a source's claims, in words.

    Attributes
    ----------
    paragraph : str
        How many of those that it states were checked, on what, and which held.
    exceptions : tuple of str
        A sentence for each of them that did not hold: what was measured, and what had to be.
    apart : tuple of Apart
        The same of extensions, rival readings and claims of this project, each for itself.
    """

    paragraph: str
    exceptions: tuple[str, ...]
    apart: tuple[Apart, ...] = ()


def narrative(verdicts: Verdicts, tier: str) -> Narrative:
    """Tell the verdicts on the claims of one source at one tier."""
    first, others = by_kind(verdicts)
    stated = [verdict for verdict in first if verdict["about"]["kind"] == STATED.name]
    nouns = _STATED if stated else _UNRECORDED
    at = f" at the {tier} tier"
    sentences = [
        *([_counted(first, nouns, at)] if first else _none_stated(verdicts)),
        *_scale(verdicts), *_held(first), *_not_run(first),
    ]  # fmt: skip
    apart = (
        Apart(kind, " ".join([_counted(of_kind, (kind.one, kind.several), "" if first else at), *_held(of_kind),
                              *_not_run(of_kind)]),
              _exceptions(of_kind))
        for kind, of_kind in others
    )  # fmt: skip
    return Narrative(" ".join(sentences), _exceptions(first), tuple(apart))


def _exceptions(verdicts: Verdicts) -> tuple[str, ...]:
    return tuple(_exception(verdict) for verdict in verdicts if verdict["status"] not in ("PASS", "NOT RUN"))


def _none_stated(verdicts: Verdicts) -> Iterable[str]:
    """Say that a source states none of its claims, unless this project is the source."""
    total = len(verdicts)
    if verdicts and not str(verdicts[0]["about"]["source"]["key"]).startswith("grokscape"):
        of_them = {1: "the claim", 2: "either of the two claims"}.get(total, f"any of the {_small(total)} claims")
        yield f"This source does not state {of_them} checked here."


def name(id: str) -> str:
    """Return a claim's short name: its id without the source, in words."""
    words = id.rpartition(".")[2].replace("_", " ")
    for plain, spelt in _SPELLINGS.items():
        words = re.sub(rf"\b{plain}\b", spelt, words)
    return words


def _counted(verdicts: Verdicts, nouns: tuple[str, str], at: str = "") -> str:
    """Say how many of claims that are called so came out how."""
    one, several = nouns
    found = Counter(str(verdict["status"]) for verdict in verdicts)
    order = [m.name for m in MEANINGS if m.name in found] + sorted(set(found) - {m.name for m in MEANINGS})
    total = len(verdicts)
    if total == 1:
        return f"The one {one} {_became(order[0], 1)}{at}."
    if len(order) > 1:
        write = _small if total < len(_SMALL) else str
        first, *rest = (f"{write(found[status])} {_became(status, found[status])}" for status in order)
        return f"Of the {_small(total)} {several}, {listed([f'{first}{at}', *rest])}."
    (status,) = order
    if status in ("INVALID", "NOT RUN", "ERROR"):
        none = "Neither of the two" if total == 2 else f"None of the {_small(total)}"
        return f"{none} {several} {_BECAME[status][2]}{at}."
    return f"{'Both' if total == 2 else f'All {_small(total)}'} {several} {_became(status, total)}{at}."


def _became(status: str, n: int) -> str:
    one, several, _ = _BECAME.get(status, (f"came out as {status.lower()}",) * 3)
    return one if n == 1 else several


def _small(n: int) -> str:
    return _SMALL[n] if n < len(_SMALL) else str(n)


def _scale(verdicts: Verdicts) -> Iterable[str]:
    """Say on which tasks, networks and seeds claims were checked, those of most claims first."""
    judged = [verdict for verdict in verdicts if verdict["criteria"]]
    tasks: dict[str, Counter[str]] = defaultdict(Counter)
    trained: Counter[str] = Counter()
    for verdict in judged:
        setting = verdict["about"]["setting"]
        task = setting.get("tasks") or setting.get("task")
        if task and "model" in setting:
            model = in_words(setting["model"])
            trained[model] += 1
            tasks[model].update(each_in_words(task))
    places = [f"{_article(model)} {model} on {listed(_by_count(tasks[model]))}" for model in _by_count(trained)]
    seeds = sorted({len(verdict["seeds"]) for verdict in judged} - {0})
    if not seeds:
        return
    counted = wording.count(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    each = "" if len(judged) == 1 else " for each claim"
    if places:
        yield f"What was trained: {'; '.join(places)}, with {counted}{each}."
    else:
        yield f"It rests on {counted}." if len(judged) == 1 else f"Each verdict rests on {counted}."


def _by_count(counter: Counter[str]) -> list[str]:
    return sorted(counter, key=lambda item: (-counter[item], item))


def _article(noun: str) -> str:
    return "an" if noun[:1].lower() in "aeiou" else "a"


def _held(verdicts: Verdicts) -> Iterable[str]:
    held = [name(str(verdict["id"])) for verdict in verdicts if verdict["status"] == "PASS"]
    if held and len(verdicts) > 1:
        yield f"What held: {listed(held)}."


def _not_run(verdicts: Verdicts) -> Iterable[str]:
    """Name what was not run, together where the reason is the same."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for verdict in verdicts:
        if verdict["status"] == "NOT RUN":
            by_reason[str(verdict["reason"]).strip().rstrip(".")].append(name(str(verdict["id"])))
    for reason, names in by_reason.items():
        yield f"Not run: {listed(names)}" + (f" ({reason})." if reason else ".")


def _exception(verdict: Mapping[str, Any]) -> str:
    """Say what was measured where a claim did not hold, and what would have had to be."""
    told, status = wording.capital(name(str(verdict["id"]))), str(verdict["status"])
    start, reason = f"{told} {_became(status, 1)}", str(verdict["reason"]).strip()
    wanted = {"FAIL": "falsified", "INCONCLUSIVE": "undecided"}.get(status)
    found = [criterion for criterion in verdict["criteria"] if criterion["outcome"] == wanted]
    if found:
        return f"{start}: {listed([_measured(criterion) for criterion in found])}."
    p = verdict["p_holm"]
    if status == "INCONCLUSIVE" and p is not None and all(c["outcome"] == "corroborated" for c in verdict["criteria"]):
        controls = [c["name"] for c in verdict["controls"] if c["outcome"] != "falsified"]
        if not controls:
            family = wording.count(int(verdict.get("family", 1)), "claim")
            return (
                f"{start}: its criteria are met, but corrected for {family} of its family p is {wording.number(p, 2)}."
            )
    return f"{start}: {reason}" if reason else f"{start}."


def _measured(criterion: Mapping[str, Any]) -> str:
    return f"{subject(criterion)} is {measured(criterion)} and {must(criterion['requirement'])}"
