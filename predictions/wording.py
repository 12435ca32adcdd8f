"""Numbers as prose: the one place where a finding becomes a sentence."""

from __future__ import annotations

import math

from grokscape.predictions.verdict import Judged


def sentence(found: Judged) -> str:
    """Return what was found, in words: the only place where numbers become prose."""
    where = "" if found.at is None else f" at {found.at:.4g}"
    verb = {"corroborated": "as claimed", "falsified": "against the claim", "undecided": "undecided"}[found.outcome]
    interval = f"{found.estimate:.4g} [{found.low:.4g}, {found.high:.4g}]"
    if math.isinf(found.low) and math.isinf(found.high):
        interval = f"{found.estimate:.4g} (too few seeds for an interval)"
    subject = found.subject[:1].upper() + found.subject[1:] + where
    return f"{subject} is {interval} over {found.n} seeds; it {must(found.requirement)}: {verb}."


def must(requirement: str) -> str:
    """Turn "exceeds 3" into "must exceed 3"."""
    for verb, infinitive in (("exceeds", "exceed"), ("is", "be"), ("lies", "lie"), ("happens", "happen")):
        if requirement.startswith(f"{verb} "):
            return f"must {infinitive} {requirement.removeprefix(verb).lstrip()}"
    return f"must satisfy: {requirement}"
