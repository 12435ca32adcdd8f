"""What the page says about a verdict, ready for the template: no numbers are made here, only chosen and worded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grokscape.predictions.wording import reason
from grokscape.reports import numbers as wording
from grokscape.reports.claims_page.settings import in_words
from grokscape.reports.figures.criterion import CriterionPlot, criterion_plots
from grokscape.reports.html import arxiv_link
from grokscape.reports.kinds import Kind, parted


@dataclass(frozen=True)
class Meaning:
    """A status: its sign, its word (of one claim, and of several), and what it means."""

    name: str
    sign: str
    word: str
    plural: str
    text: str

    @property
    def css(self) -> str:
        return self.name.lower().replace(" ", "-")


#: In the order in which the page counts them.
MEANINGS = (
    Meaning(
        "PASS", "✓", "holds", "hold",
        "Every criterion is met with the whole 95 % interval beyond its threshold, every control fails, as it should, "
        "and every gate is met.",
    ),
    Meaning(
        "FAIL", "✕", "fails", "fail",
        "The whole interval of a criterion lies on the wrong side of its threshold.",
    ),
    Meaning(
        "INCONCLUSIVE", "?", "undecided", "undecided",
        "An interval contains its threshold, a control did not clearly fail, or the correction for several claims took "
        "the certainty away. More seeds may decide.",
    ),
    Meaning(
        "INVALID", "⊘", "invalid", "invalid",
        "A control passed, or a gate was not met: the measurement does not bear on the claim, whatever it shows.",
    ),
    Meaning("NOT RUN", "○", "not run", "not run", "Something that the check needs is absent."),
    Meaning("ERROR", "!", "error", "errors", "The check broke before it came to a verdict."),
)  # fmt: skip
CONTROL_OUTCOMES = {
    "falsified": "fails, as it should",
    "corroborated": "passes: the measurement cannot tell the claim from its absence",
    "undecided": "does not clearly fail",
}
#: Status that calibration foresaw -> what the claim did there.
_FORESEEN = {"PASS": "holds", "FAIL": "fails", "INCONCLUSIVE": "is undecided"}
_ID = re.compile(r"[a-z0-9]+\.[a-z0-9_]+")
_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("criteria", "controls", "gates", "seeds", "calibration_seeds", "evidence"), ()),
    **{name: {} for name in ("runs", "cost", "about", "provenance")},
    "p": None,
    "p_holm": None,
    "reason": "",
    "anticipated": "",
    "accepted": "",
}
_ABOUT: Mapping[str, Any] = {
    "claim": "",
    "source": {},
    "theory": "",
    "kind": "",
    "notes": "",
    "amendments": (),
    "curves": (),
    "maps": (),
    "portraits": (),
    "disputes": (),
    "setting": {},
    "controls": {},
}
_SOURCE: Mapping[str, Any] = {"key": "", "title": "", "authors": "", "arxiv": "", "url": "", "where": ""}


def meaning(status: str) -> Meaning:
    """Return what is known of a status; a status of a later version stands for itself."""
    known = {m.name: m for m in MEANINGS}
    return known.get(status) or Meaning("unknown", "?", status.lower(), status.lower(), "")


def counts(verdicts: Iterable[Mapping[str, Any]]) -> list[tuple[Meaning, int]]:
    """Return how many verdicts there are of each status, the three that decide even if there are none."""
    found = Counter(verdict["status"] for verdict in verdicts)
    listed = [(m, found.pop(m.name, 0)) for m in MEANINGS]
    unknown = [(meaning(status), n) for status, n in sorted(found.items())]
    return [(m, n) for m, n in listed if n or m.name in ("PASS", "FAIL", "INCONCLUSIVE")] + unknown


def by_kind(
    verdicts: Iterable[Mapping[str, Any]],
) -> tuple[Sequence[Mapping[str, Any]], list[tuple[Kind, Sequence[Mapping[str, Any]]]]]:
    """Part the verdicts that are counted first, on what sources state, from the others by their kind."""
    return parted(verdicts, lambda verdict: str(verdict["about"]["kind"]))


def tallied(kind: Kind, verdicts: Sequence[Mapping[str, Any]]) -> str:
    """Return "7 extensions (6 hold, 1 fails)"."""
    became = ", ".join(f"{n} {m.word if n == 1 else m.plural}" for m, n in counts(verdicts) if n)
    return f"{kind.count(len(verdicts))} ({became})"


def anchors(verdicts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return an anchor for each verdict: its id, unless that is none or taken already."""
    names: list[str] = []
    for n, verdict in enumerate(verdicts, start=1):
        name = str(verdict["id"])
        # A proper id has a dot and no hyphen, so that it cannot be that of anything else in the page.
        names.append(name if _ID.fullmatch(name) and name not in names else f"claim-{n}")
    return names


def completed(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """Return a verdict with all that the page asks for; one made by hand or by another version may lack some."""
    result = dict(_EMPTY) | {name: value for name, value in verdict.items() if value is not None}
    result["about"] = {**_ABOUT, **result["about"]}
    result["provenance"] = {"command": "", **result["provenance"]}
    result["about"]["source"] = {**_SOURCE, **result["about"]["source"]}
    # Made from the numbers where they say it; what is stored is for whoever reads the file.
    result["reason"] = reason(result) or result["reason"]
    return result


def foreseen(verdict: Mapping[str, Any]) -> str:
    """Return whether calibration foresaw a verdict, as a sentence; "" where that cannot be said."""
    anticipated = verdict["anticipated"]
    if not anticipated or verdict["status"] not in ("PASS", "FAIL", "INCONCLUSIVE"):
        return ""
    if verdict["status"] == anticipated:
        return "Calibration foresaw this."
    if verdict["status"] == "INCONCLUSIVE":
        return f"Calibration foresaw that it {_FORESEEN[anticipated]}."
    return f"Calibration did not foresee this: on its seeds the claim {_FORESEEN[anticipated]}."


def paper(verdict: Mapping[str, Any]) -> str:
    """Return "Varma, Shah, Kenton et al. 2023"."""
    source = verdict["about"]["source"]
    authors = [name.strip() for name in source["authors"].split(",") if name.strip()]
    year = re.search(r"(?:19|20)\d\d", source["key"])
    name = f"{authors[0]} et al." if len(authors) > 2 else " and ".join(authors) or str(verdict["id"]).partition(".")[0]
    return f"{name} {year[0]}" if year else name


def link(source: Mapping[str, Any]) -> str | None:
    """Return where a source can be read: on arXiv, or else at its own address if that is an https one."""
    url = str(source["url"])
    return arxiv_link(str(source["arxiv"])) or (url if re.fullmatch(r"https://[^\s\"'<>\\]+", url) else None)


def decisive(verdict: Mapping[str, Any]) -> int | None:
    """Return which criterion the overview shows: the one that decided, otherwise the first."""
    outcomes = [criterion["outcome"] for criterion in verdict["criteria"]]
    for outcome in ("falsified", "undecided"):
        if outcome in outcomes:
            return outcomes.index(outcome)
    return 0 if outcomes else None


@dataclass(frozen=True)
class Spark:
    """The interval of the claim against its threshold, in per cent of the width, for the overview."""

    interval: tuple[float, float] | None
    estimate: float
    thresholds: tuple[float, ...]
    region: tuple[float, float] | None
    words: str


def spark(verdict: Mapping[str, Any]) -> Spark | None:
    """Return the overview's picture of the decisive criterion, None where there is none."""
    index = decisive(verdict)
    if index is None:
        return None
    plot: CriterionPlot = criterion_plots(verdict)[index]
    row = plot.rows[0]
    if row.estimate is None:
        return None

    def place(value: float) -> float:
        return round(100 * plot.position(value), 1)

    return Spark(
        interval=None
        if row.low is None and row.high is None
        else (0.0 if row.low is None else place(row.low), 100.0 if row.high is None else place(row.high)),
        estimate=place(row.estimate),
        thresholds=tuple(place(value) for value in plot.thresholds),
        region=None if plot.region is None else (place(plot.region[0]), place(plot.region[1])),
        words=f"{wording.estimate(row.estimate, row.low, row.high)}; {plot.title}",
    )


def facts(verdict: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the small facts of a verdict that are a name and a text."""
    cost, seeds = verdict["cost"], verdict["seeds"]
    found = [
        ("seeds that judged it", f"{wording.ranges(seeds)} ({wording.count(len(seeds), 'seed')})" if seeds else ""),
        ("seeds that set it up", wording.ranges(verdict["calibration_seeds"])),
        ("largest p of its criteria", _p(verdict)),
        ("cost", _cost(cost) if cost else ""),
        *((name.replace("_", " "), in_words(value)) for name, value in verdict["about"]["setting"].items()),
    ]
    return [(name, text) for name, text in found if text]


def _p(verdict: Mapping[str, Any]) -> str:
    raw, corrected = verdict["p"], verdict["p_holm"]
    if raw is None:
        return ""
    text = wording.number(raw, 2)
    if corrected is None:
        return text
    return f"{text}; {wording.number(corrected, 2)} after Holm’s correction over the claims of this source at this tier"


def _cost(cost: Mapping[str, float]) -> str:
    runs, shared = int(cost.get("runs", 0)), int(cost.get("shared", 0))
    text = f"{wording.duration(cost.get('seconds', 0.0))} of training on one core, {wording.count(runs, 'run')}"
    return text + (f", {shared} of them shared with other claims" if shared else "")
